"""Prediction from a model file without scikit-learn, pandas and TensorFlow, slow to import.

Each step of a pipeline is a function of one recording and of its attributes in the file. `load`
reads files with other steps.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .._utils._functional import (
    average_statistics,
    linear_discriminant,
    mean_probabilities,
    soft_vote,
    standardize,
)
from .._utils._temperature import at_temperature
from .._utils._types import PathLike
from ..audio._clip_reader import ClipReader
from ..audio._recordings import inspect_recording
from ..features.extraction._plan import FeaturePlan
from ..networks import _onnx_runtime
from ..networks._rows import without_nan
from . import _container
from ._allowed import BLOCKS, AllowList
from ._decoder import Decoder, Node
from ._former_names import CLASSES as FORMER_CLASSES
from ._save_load import warn_of_versions


class LightModel(NamedTuple):
    """A model file as a function: probabilities (n_classes,) of one recording."""

    predict_proba: Callable[[str | bytes], np.ndarray]
    classes_: np.ndarray


class _Step(SimpleNamespace):
    """Attributes of an estimator; calling it transforms or predicts."""

    def __call__(self, X: object) -> Any:
        return self.function_(self, X)


def _pipeline(step: _Step, X: object) -> Any:
    for _, inner in step.steps:
        X = X if inner in (None, "passthrough") else inner(X)
    return X


def _clip(step: _Step, source: str | bytes) -> tuple[np.ndarray, int]:
    # Whatever `on_error`: the caller reports unusable recordings.
    recording = inspect_recording(source, offset=step.offset, max_duration=step.max_duration)
    return ClipReader.of(step)(recording), step.sr


def _average_normalized(step: _Step, values: np.ndarray) -> np.ndarray:
    """Standardised as an unknown speaker or corpus, without views."""
    mean, scale = average_statistics(step.statistics_)
    return standardize(values, mean[0], scale[0])


_STEPS: dict[str, Callable[[_Step, Any], Any]] = {
    "sklearn.pipeline.Pipeline": _pipeline,
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": lambda step, values: (
        linear_discriminant(values, step.coef_, step.intercept_)
    ),
    "skser.classifiers.WeightedLinearDiscriminant": lambda step, values: linear_discriminant(
        values, step.coef_, step.intercept_
    ),
    "skser.audio.AudioLoader": _clip,
    "skser.augmentation.Augmenter": lambda step, clip: clip,  # it acts in training alone
    "skser.features.FeatureUnionExtractor": lambda step, clip: FeaturePlan.of(step)(*clip).astype(
        np.float32
    ),
    "skser.features.FeatureScaler": lambda step, values: standardize(
        values, step.mean_, step.scale_
    ),
    "skser.features.SpeakerNormalizer": _average_normalized,
    "skser.calibration.TemperatureScaledClassifier": lambda step, source: at_temperature(
        step.estimator_(source), step.temperature_
    ),
    "skser.classifiers.CNNEmotionClassifier": lambda step, values: mean_probabilities(
        step.networks_, without_nan(values[np.newaxis])
    )[0],
    "skser.classifiers.AugmentedClassifier": lambda step, values: step.estimator_(values),
    "skser.classifiers.SoftVotingClassifier": lambda step, X: soft_vote(
        [member(X) for member in step.estimators_], step.weights_
    ),
}
_TAKE_RECORDINGS = ("sklearn.pipeline.Pipeline", "skser.calibration.TemperatureScaledClassifier")


class _LightDecoder(Decoder):
    """Raises KeyError for a step without a function."""

    def _skops(self, entry: str) -> object:
        raise KeyError(entry)

    def _bunch(self, items: list[tuple[str, Node]]) -> object:
        return self._values(dict(items))

    def _estimator(self, name: str, state: dict[str, Node], number: int) -> object:
        name = FORMER_CLASSES.get(name, name)
        if name in BLOCKS:
            return super()._estimator(name, state, number)
        self._seen[number] = step = _Step()
        vars(step).update(self._values(state), function_=_STEPS[name])
        if getattr(step, "test_time", False):
            raise KeyError("test_time")
        if (
            name == "skser.features.SpeakerNormalizer"
            and getattr(step, "unknown", None) != "average"
        ):
            raise KeyError("unknown")  # it needs to know the speaker
        return step


def load_light(path: PathLike) -> LightModel | None:
    """The light form of a model file, or None if it has a step without one."""
    return light_form(path, *_container.read(path))


def light_form(
    path: PathLike, manifest: dict[str, Any], entries: dict[str, bytes]
) -> LightModel | None:
    """The light form of a model file's manifest and entries."""
    decoder = _LightDecoder(entries, AllowList())
    try:
        takes_recordings = manifest["pipeline"]["estimator"][0] in _TAKE_RECORDINGS
        step = decoder.value(manifest["pipeline"])
        classes = _classes(step)
    except Exception:
        return None  # `load` describes the damage
    if not takes_recordings or not isinstance(classes, np.ndarray):
        return None
    for network in decoder.networks:
        if network.graph is None or not _onnx_runtime.can_run():
            return None
        network.runtime = "onnx"
    warn_of_versions(path, manifest)
    return LightModel(step, classes)


def _classes(step: _Step) -> object:
    return _classes(step.steps[-1][1]) if hasattr(step, "steps") else step.classes_
