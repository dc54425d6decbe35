"""Prediction from a model file without scikit-learn, pandas and TensorFlow, slow to import.

Each step of a pipeline is a function of one recording and of its attributes in the file. `load`
reads files with other steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .._utils._functional import (
    average_statistics,
    geometric_vote,
    linear_discriminant,
    mean_probabilities,
    parts_of,
    soft_vote,
    standardize,
)
from .._utils._temperature import at_temperature
from .._utils._types import PathLike
from ..audio._clip_reader import ClipReader
from ..audio._recordings import inspect_recording
from ..embeddings._plan import EmbeddingPlan
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
    """Attributes of an estimator."""

    def function(self) -> Callable[[Any], Any]:
        """What transforms or predicts; AttributeError if the step is not fitted."""
        return self.function_of_(self)


def _pipeline(step: _Step) -> Callable[[Any], Any]:
    steps = [inner.function() for _, inner in step.steps if inner not in (None, "passthrough")]
    return lambda X: reduce(lambda values, function: function(values), steps, X)


def _loader(step: _Step) -> Callable[[str | bytes], tuple[np.ndarray, int]]:
    # Whatever `on_error`: the caller reports unusable recordings.
    read = ClipReader.of(step)
    limits = {"offset": step.offset, "max_duration": step.max_duration, "channel": read.channel}
    return lambda source: (read(inspect_recording(source, **limits)), step.sr)


def _extractor(step: _Step) -> Callable[[Any], np.ndarray]:
    plan = FeaturePlan.of(step)
    return lambda clip: plan(*clip).astype(np.float32)


def _embedding(step: _Step) -> Callable[[Any], np.ndarray]:
    plan = EmbeddingPlan.of(step)
    return lambda clip: plan.of_clips([clip[0][np.newaxis]], clip[1])[0][0]


def _scaler(step: _Step) -> Callable[[np.ndarray], np.ndarray]:
    mean = step.mean_ if getattr(step, "with_mean", True) else np.zeros(1)
    scale = step.scale_ if getattr(step, "with_std", True) else np.ones(1)
    return lambda values: standardize(values, mean, scale)


def _normalizer(step: _Step) -> Callable[[np.ndarray], np.ndarray]:
    """Standardises as an unknown speaker or corpus, without views."""
    mean, scale = average_statistics(step.statistics_)
    return lambda values: standardize(values, mean[0], scale[0])


def _discriminant(step: _Step) -> Callable[[np.ndarray], np.ndarray]:
    return partial(linear_discriminant, coef=step.coef_, intercept=step.intercept_)


def _block_vote(step: _Step) -> Callable[[np.ndarray], np.ndarray]:
    members = [member.function() for member in step.estimators_]

    def probabilities(values: np.ndarray) -> np.ndarray:
        parts = parts_of(step, values)
        votes = [member(part) for member, part in zip(members, parts, strict=True)]
        return geometric_vote(votes, step.temperature)

    return probabilities


def _network(step: _Step) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: mean_probabilities(step.networks_, without_nan(values[np.newaxis]))[0]


def _calibrated(step: _Step) -> Callable[[Any], np.ndarray]:
    inner = step.estimator_.function()
    return lambda source: at_temperature(inner(source), step.temperature_)


def _vote(step: _Step) -> Callable[[Any], np.ndarray]:
    members = [member.function() for member in step.estimators_]
    return lambda X: soft_vote([member(X) for member in members], step.weights_)


# From the attributes of a step to its function. A parameter that an older file lacks shows now, not
# in prediction; `load` then gives it its default.
_STEPS: dict[str, Callable[[_Step], Callable[[Any], Any]]] = {
    "sklearn.pipeline.Pipeline": _pipeline,
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": _discriminant,
    "sklearn.preprocessing.StandardScaler": _scaler,
    "skser.audio.AudioLoader": _loader,
    "skser.augmentation.Augmenter": lambda _: lambda clip: clip,  # it acts in training alone
    "skser.embeddings.SpeechEmbedding": _embedding,
    "skser.features.FeatureUnionExtractor": _extractor,
    "skser.features.FeatureScaler": _scaler,
    "skser.features.FeatureStore": lambda _: lambda values: values,
    "skser.features.SpeakerNormalizer": _normalizer,
    "skser.calibration.TemperatureScaledClassifier": _calibrated,
    "skser.classifiers.BlockVotingClassifier": _block_vote,
    "skser.classifiers.CNNEmotionClassifier": _network,
    "skser.classifiers.AugmentedClassifier": lambda step: step.estimator_.function(),
    "skser.classifiers.SoftVotingClassifier": _vote,
    "skser.classifiers.WeightedLinearDiscriminant": _discriminant,
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
        vars(step).update(self._values(state), function_of_=_STEPS[name])
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
        step: _Step = decoder.value(manifest["pipeline"])
        function, classes = step.function(), _classes(step)
    except Exception:
        return None  # `load` describes the damage
    if not takes_recordings or not isinstance(classes, np.ndarray):
        return None
    for network in decoder.networks:
        if network.graph is None or not _onnx_runtime.can_run():
            return None
        network.runtime = "onnx"
    warn_of_versions(path, manifest)
    return LightModel(function, classes)


def _classes(step: _Step) -> object:
    return _classes(step.steps[-1][1]) if hasattr(step, "steps") else step.classes_
