"""Steps of nested pipelines, such as those in a vote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .._utils._param_validation import check_is_fitted, check_parameters
from ..audio import AudioLoader
from ..embeddings import SpeechEmbedding
from ..embeddings._description import EncoderDescription
from ..exceptions import DataError, ParameterError
from ..features.extraction._extractor import ClipsExtractor

_Estimator = TypeVar("_Estimator")


def steps_of(estimator: object) -> list[Any]:
    """All steps, nested ones and the fitted members of a vote included."""
    return [step for _, step in walk(estimator)]


def loader_of(pipeline: object) -> AudioLoader | None:
    """The first loader, or None for a pipeline of waveforms or features."""
    return next((step for step in steps_of(pipeline) if isinstance(step, AudioLoader)), None)


def first_of_recordings(pipeline: object) -> AudioLoader | ClipsExtractor | None:
    """The first step for recordings, or None for a pipeline of features or of its own steps."""
    steps = steps_of(pipeline)
    return next((s for s in steps if isinstance(s, (AudioLoader, ClipsExtractor))), None)


def walk(estimator: object) -> Iterator[tuple[list[tuple[str, Any]], Any]]:
    """All steps as `steps_of`, each after the list of the steps before it."""
    return _walk([("", estimator)], [])


def pretrained_encoders(pipeline: object) -> list[EncoderDescription]:
    """Descriptions of the pre-trained encoders of all steps, of fitted ones if there are any."""
    steps = [step for step in steps_of(pipeline) if isinstance(step, SpeechEmbedding)]
    fitted = [step for step in steps if hasattr(step, "encoder_")]
    return list(dict.fromkeys(map(EncoderDescription.of, fitted or steps)))


def set_everywhere(pipeline: _Estimator, **params: object) -> _Estimator:
    """Set parameters such as ``verbose=0`` of all steps of skser that have them."""
    for step in steps_of(pipeline):
        is_own = any(base.__module__.startswith("skser.") for base in type(step).__mro__)
        # A recipe is a pipeline of scikit-learn, whose parameters have the same names.
        if is_own and not isinstance(step, Pipeline):
            own = step.get_params(deep=False)
            step.set_params(**{name: value for name, value in params.items() if name in own})
    return pipeline


def steps_before(
    pipeline: object, is_wanted: Callable[[Any], bool]
) -> tuple[list[tuple[str, Any]], Any]:
    """The last wanted step, fitted if possible, and the steps before it; ([], None) if none is."""
    steps = [(before, step) for before, step in walk(pipeline) if is_wanted(step)]
    return steps[-1] if steps else ([], None)


def check_steps(pipeline: object) -> None:
    """Raise ParameterError for invalid parameters of a step, before any fit."""
    for step in steps_of(pipeline):
        if hasattr(step, "_allowed"):
            check_parameters(step)
        elif hasattr(step, "_parameter_constraints"):  # scikit-learn
            try:
                step._validate_params()
            except ValueError as error:
                raise ParameterError(str(error)) from None


def check_gives_probabilities(pipeline: BaseEstimator) -> None:
    """Raise NotFittedError, or ParameterError if the last step has no ``predict_proba``."""
    check_is_fitted(pipeline, "classes_")
    if not hasattr(pipeline, "predict_proba"):
        last = pipeline.steps[-1][1] if isinstance(pipeline, Pipeline) else pipeline
        raise ParameterError(
            f"pipeline must have predict_proba, which {type(last).__name__} has not"
        )


def check_class_names(pipeline: BaseEstimator, columns: Collection[str]) -> None:
    """Raise DataError if a class has the name of a column."""
    for name in pipeline.classes_.tolist():
        if name in columns:
            raise DataError(f"pipeline has an emotion {name!r}, which is another column's name")


def extractions(pipeline: object) -> Iterator[Pipeline]:
    """Pipelines of the steps up to each extractor, from recordings to features."""
    for before, step in walk(pipeline):
        if isinstance(step, ClipsExtractor):
            yield Pipeline([*before, ("features", step)])


def _walk(
    steps: list[tuple[str, Any]], before: list[tuple[str, Any]]
) -> Iterator[tuple[list[tuple[str, Any]], Any]]:
    """Each step and the steps before it."""
    for name, step in steps:
        yield before, step
        if isinstance(step, Pipeline):
            yield from _walk(step.steps, before)
        elif members := _members(step):
            for member in members:
                yield from _walk([member], before)
        elif hasattr(step, "estimator"):  # a classifier that fits a copy of another
            yield from _walk([("estimator", step.estimator)], before)
            fitted = getattr(step, "estimator_", step.estimator)
            if fitted is not step.estimator:
                yield from _walk([("", fitted)], before)
        before = [*before, (name, step)]


def _members(step: object) -> list[tuple[str, Any]]:
    """The members of a vote or a union, which share the steps before it."""
    for name in ("estimators", "transformer_list", "transformers"):
        if hasattr(step, name):
            members = [(label, member) for label, member, *_ in getattr(step, name)]
            # A vote fits copies of its members.
            return members + [("", member) for member in getattr(step, "estimators_", [])]
    return []
