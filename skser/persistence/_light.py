"""Model files answered without scikit-learn, pandas and TensorFlow, which take seconds to import.

Each step of a pipeline is a function of one recording and of the attributes that the file has for
it. `load` reads files with a step that has no such function.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._utils._functional import linear_discriminant, soft_vote, standardize
from .._utils._temperature import at_temperature
from ..audio._clip_reader import ClipReader
from ..audio._recordings import inspect_recording
from ..features.blocks._named import active_blocks
from ..features.extraction._plan import FeaturePlan
from ..networks import _onnx_runtime
from ..networks._rows import without_nan
from . import _container
from ._allowed import BLOCKS, AllowList
from ._container import Contents
from ._decoder import Decoder
from ._former_names import CLASSES as FORMER_CLASSES
from ._save_load import warn_of_versions


@dataclass(frozen=True)
class LightModel:
    """A model file in its light form: probabilities (n_classes,) of one recording."""

    predict_proba: Callable[[str | bytes], np.ndarray]
    classes_: np.ndarray


class _Step(SimpleNamespace):
    """The attributes of an estimator in a file; a call is its transform or predict_proba."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(function_=function)

    def __call__(self, X: Any) -> Any:
        return self.function_(self, X)


def _pipeline(step: Any, X: Any) -> Any:
    for _, inner in step.steps:
        X = X if inner in (None, "passthrough") else inner(X)
    return X


def _clip(step: Any, source: str | bytes) -> tuple[np.ndarray, int]:
    # Whatever `on_error` says: the caller reports what cannot be read, and goes on.
    reader = ClipReader.of(step)
    recording = inspect_recording(source, offset=step.offset, max_duration=step.max_duration)
    return reader(recording), reader.sr


def _features(step: Any, clip: tuple[np.ndarray, int]) -> np.ndarray:
    statistics = None if step.statistics is None else tuple(step.statistics)
    blocks = tuple(active_blocks(step.blocks))
    recipe = FeaturePlan(blocks, step.n_fft, step.hop_length, int(step.deltas), statistics)
    return recipe(*clip).astype(np.float32)


def _networks(step: Any, values: np.ndarray) -> np.ndarray:
    row = without_nan(values[np.newaxis])
    return np.mean([network.probabilities(row)[0] for network in step.networks_], axis=0)


def _temperature_scaled(step: Any, source: str | bytes) -> np.ndarray:
    return at_temperature(step.estimator_(source), step.temperature_)


_STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "sklearn.pipeline.Pipeline": _pipeline,
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": lambda step, values: (
        linear_discriminant(values, step.coef_, step.intercept_)
    ),
    "skser.audio.AudioLoader": _clip,
    "skser.augmentation.Augmenter": lambda step, clip: clip,  # which has views in training alone
    "skser.features.FeatureUnionExtractor": _features,
    "skser.features.FeatureScaler": lambda step, values: standardize(
        values, step.mean_, step.scale_
    ),
    "skser.calibration.TemperatureScaledClassifier": _temperature_scaled,
    "skser.classifiers.CNNEmotionClassifier": _networks,
    "skser.classifiers.AugmentedClassifier": lambda step, values: step.estimator_(values),
    "skser.classifiers.SoftVotingClassifier": lambda step, X: soft_vote(
        [member(X) for member in step.estimators_], step.weights_
    ),
}


class _NotLightError(Exception):
    """A file has a step without a light form."""


class _LightDecoder(Decoder):
    def _skops(self, entry: Any) -> Any:
        raise _NotLightError(entry)

    def _bunch(self, items: Any) -> Any:
        return {key: self.value(item) for key, item in items}

    def _estimator(self, content: Any, number: int) -> Any:
        name = FORMER_CLASSES.get(content[0], content[0])
        if name not in _STEPS:
            return super()._estimator(content, number)
        self._seen[number] = step = _Step(_STEPS[name])
        vars(step).update(self._state(content[1]), function_=_STEPS[name])
        if getattr(step, "test_time", False):
            raise _NotLightError("views in prediction")
        return step


class _Blocks(AllowList):
    """Feature blocks, which have no other form."""

    def class_of(self, name: str) -> type:
        if name not in BLOCKS:
            raise _NotLightError(name)
        return BLOCKS[name]


def load_light(path: str | os.PathLike[str]) -> LightModel | None:
    """A model file in its light form; None where it has none."""
    return light_form(path, *_container.read(path))


def light_form(
    path: str | os.PathLike[str], manifest: dict[str, Any], contents: Contents
) -> LightModel | None:
    """The light form of a model file that has been read."""
    decoder = _LightDecoder(contents, _Blocks())
    try:
        step = decoder.value(manifest["pipeline"])
        classes = _classes(step)
        takes_recordings = step.function_ in (_pipeline, _temperature_scaled)
    except Exception:
        return None  # `load` says what is wrong with a damaged file
    if not takes_recordings or not isinstance(classes, np.ndarray):
        return None
    for network in decoder.networks:
        if network.graph is None or not _onnx_runtime.can_run():
            return None
        network.runtime = "onnx"
    warn_of_versions(path, manifest)
    return LightModel(step, classes)


def _classes(step: Any) -> Any:
    return _classes(step.steps[-1][1]) if step.function_ is _pipeline else step.classes_
