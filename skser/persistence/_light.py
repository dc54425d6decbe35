"""Model files answered without scikit-learn, pandas and TensorFlow, which take seconds to import.

A light class has the name, and the attributes, of the estimator that a file describes, and answers
for one recording at a time what that estimator answers. What has no light class is left to `load`.
"""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import numpy as np

from .. import _onnx_runtime
from .._reading import ClipReader
from .._recordings import inspect_recording
from .._rows import without_nan
from .._temperature import at_temperature
from ..features.named_blocks import DEFAULT_BLOCKS, active_blocks
from ..features.recipe import FeatureRecipe
from . import _container
from ._container import Contents
from ._decoder import Decoder
from .saving import warn_of_versions

Clip = tuple[np.ndarray, int]


class _NotLightError(Exception):
    """A file names an estimator that has no light class."""


class _LightDecoder(Decoder):
    def _skops(self, entry: Any) -> Any:
        raise _NotLightError(entry)

    def _estimator(self, content: Any, number: int) -> Any:
        found = super()._estimator(content, number)
        if isinstance(found, Augmenter) and found.test_time:
            raise _NotLightError("Augmenter(test_time=True)")
        return found


class Pipeline:
    """Steps, one after the other."""

    steps: list[tuple[str, Any]]

    def predict_proba(self, X: Any) -> np.ndarray:
        *transformers, (_, classifier) = self.steps
        for _, step in transformers:
            X = X if step in (None, "passthrough") else step.transform(X)
        return classifier.predict_proba(X)

    @property
    def classes_(self) -> np.ndarray:
        return self.steps[-1][1].classes_


class AudioLoader:
    """From a recording to its clip."""

    offset: float
    max_duration: float | None

    def transform(self, source: str | bytes) -> Clip:
        # Whatever `on_error` says: what cannot be read is told, and the caller goes on.
        reader = ClipReader(
            **{field.name: getattr(self, field.name) for field in fields(ClipReader)}
        )
        recording = inspect_recording(source, offset=self.offset, max_duration=self.max_duration)
        return reader(recording), reader.sr


class Augmenter:
    """A clip as it is: there are views in training only."""

    test_time: bool

    def transform(self, clip: Clip) -> Clip:
        return clip


class FeatureUnionExtractor:
    """From a clip to its features."""

    blocks: list[Any]
    n_fft: int
    hop_length: int
    deltas: int
    statistics: tuple[str, ...] | None

    def transform(self, clip: Clip) -> np.ndarray:
        blocks = tuple(active_blocks(self.blocks))
        statistics = None if self.statistics is None else tuple(self.statistics)
        recipe = FeatureRecipe(blocks, self.n_fft, self.hop_length, int(self.deltas), statistics)
        return recipe(*clip).astype(np.float32)


class FeatureScaler:
    """Standardised features."""

    mean_: np.ndarray
    scale_: np.ndarray

    def transform(self, values: np.ndarray) -> np.ndarray:
        return (values - self.mean_.astype(values.dtype)) / self.scale_.astype(values.dtype)


class CNNEmotionClassifier:
    """Mean of the answers of networks."""

    networks_: list[Any]

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        row = without_nan(values[np.newaxis])
        return np.mean([network.probabilities(row)[0] for network in self.networks_], axis=0)


class LinearDiscriminantAnalysis:
    """Softmax of linear scores."""

    coef_: np.ndarray
    intercept_: np.ndarray

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        scores = values @ self.coef_.T + self.intercept_
        if len(scores) == 1:  # two classes
            scores = np.concatenate([[0.0], scores])
        found = np.exp(scores - scores.max())
        return found / found.sum()


class AugmentedClassifier:
    """The classifier that was trained on all views."""

    estimator_: Any

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        return self.estimator_.predict_proba(values)


class SoftVotingClassifier:
    """Weighted mean of the answers of members."""

    estimators_: list[Any]
    weights_: np.ndarray

    def predict_proba(self, X: Any) -> np.ndarray:
        found = [member.predict_proba(X) for member in self.estimators_]
        return np.tensordot(self.weights_, found, axes=1)


class TemperatureScaledClassifier:
    """The answers of a pipeline, surer or less sure."""

    estimator_: Pipeline
    temperature_: float
    classes_: np.ndarray

    def predict_proba(self, source: str | bytes) -> np.ndarray:
        return at_temperature(self.estimator_.predict_proba(source), self.temperature_)


_LIGHT: dict[str, type] = {
    "sklearn.utils.Bunch": dict,
    "sklearn.pipeline.Pipeline": Pipeline,
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": LinearDiscriminantAnalysis,
    "skser.loader.AudioLoader": AudioLoader,
    "skser.augmentation.Augmenter": Augmenter,
    "skser.features.FeatureUnionExtractor": FeatureUnionExtractor,
    "skser.features.FeatureScaler": FeatureScaler,
    "skser.calibration.TemperatureScaledClassifier": TemperatureScaledClassifier,
    "skser.classifier.CNNEmotionClassifier": CNNEmotionClassifier,
    "skser.augmented_classifier.AugmentedClassifier": AugmentedClassifier,
    "skser.voting.SoftVotingClassifier": SoftVotingClassifier,
}
_LIGHT |= {f"skser.features.{block.__name__}": block for block in DEFAULT_BLOCKS.values()}


def load_light(path: str | os.PathLike[str]) -> Pipeline | TemperatureScaledClassifier | None:
    """A model file in its light form; None where it has none."""
    return light_form(path, *_container.read(path))


def light_form(
    path: str | os.PathLike[str], manifest: dict[str, Any], contents: Contents
) -> Pipeline | TemperatureScaledClassifier | None:
    """The same of a model file that has been read."""
    decoder = _LightDecoder(contents, _class_of)
    try:
        pipeline = decoder.value(manifest["pipeline"])
        is_fitted = isinstance(pipeline.classes_, np.ndarray)
    except Exception:
        # What cannot be told from a damaged file here is told by `load`.
        return None
    if not is_fitted or not isinstance(pipeline, (Pipeline, TemperatureScaledClassifier)):
        return None
    for network in decoder.networks:
        if network.graph is None or not _onnx_runtime.can_run():
            return None
        network.runtime = "onnx"
    warn_of_versions(path, manifest)
    return pipeline


def _class_of(name: str) -> type:
    if name not in _LIGHT:
        raise _NotLightError(name)
    return _LIGHT[name]
