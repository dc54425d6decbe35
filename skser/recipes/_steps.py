"""Pipelines with pipelines inside, as in a vote: their steps, parameters and feature extraction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from sklearn.pipeline import Pipeline

from .._utils._param_validation import check_is_fitted, check_parameters
from ..exceptions import DataError, ParameterError
from ..features import FeatureUnionExtractor


def steps_of(estimator: Any) -> list[Any]:
    """All steps, also those of pipelines inside and of what a vote has fitted."""
    return [step for _, _, step in _walk([("", estimator)], [])]


def set_everywhere(pipeline: Any, **params: Any) -> Any:
    """Set parameters of each step of skser's that has them, however deep: ``verbose=0``."""
    for step in steps_of(pipeline):
        if any(base.__module__.startswith("skser.") for base in type(step).__mro__):
            own = step.get_params(deep=False)
            step.set_params(**{name: value for name, value in params.items() if name in own})
    return pipeline


def steps_before(
    pipeline: Any, is_wanted: Callable[[Any], bool]
) -> tuple[list[tuple[str, Any]], Any]:
    """The steps before the last step that is wanted, and it; in a vote, its fitted copy.

    ``([], None)`` if no step is wanted.
    """
    steps = [(before, step) for before, _, step in _walk([("", pipeline)], []) if is_wanted(step)]
    return steps[-1] if steps else ([], None)


def check_steps(pipeline: Any) -> None:
    """Raise ParameterError now for what a step would complain of when it is fitted."""
    for step in steps_of(pipeline):
        if hasattr(step, "_allowed"):
            check_parameters(step)
        elif hasattr(step, "_parameter_constraints"):  # of scikit-learn
            try:
                step._validate_params()
            except ValueError as error:
                raise ParameterError(str(error)) from None


def check_gives_probabilities(pipeline: Any) -> None:
    """Raise NotFittedError, or ParameterError if the last step has no ``predict_proba``."""
    check_is_fitted(pipeline, "classes_")
    if not hasattr(pipeline, "predict_proba"):
        last = pipeline.steps[-1][1] if isinstance(pipeline, Pipeline) else pipeline
        raise ParameterError(
            f"pipeline must have predict_proba, which its {type(last).__name__} has not"
        )


def check_class_names(pipeline: Any, columns: Collection[str]) -> None:
    """Raise DataError if a table with a column for each class has such a column already."""
    taken = [name for name in pipeline.classes_.tolist() if name in columns]
    if taken:
        raise DataError(f"pipeline has an emotion {taken[0]!r}, which is another column's name")


def extractions(pipeline: Any) -> Iterator[Pipeline]:
    """The steps up to each extractor, as pipelines that make features of recordings."""
    for before, _, step in _walk([("", pipeline)], []):
        if isinstance(step, FeatureUnionExtractor):
            yield Pipeline([*before, ("features", step)])


def _walk(
    steps: list[tuple[str, Any]], before: list[tuple[str, Any]]
) -> Iterator[tuple[list[tuple[str, Any]], str, Any]]:
    """Each step with its name and the steps before it."""
    for name, step in steps:
        yield before, name, step
        if isinstance(step, Pipeline):
            yield from _walk(step.steps, before)
        elif members := _members(step):
            for member in members:
                yield from _walk([member], before)
        elif hasattr(step, "estimator"):  # a classifier around another, which it fits a copy of
            yield from _walk([("estimator", step.estimator)], before)
            fitted = getattr(step, "estimator_", step.estimator)
            if fitted is not step.estimator:
                yield from _walk([("", fitted)], before)
        before = [*before, (name, step)]


def _members(step: Any) -> list[tuple[str, Any]]:
    """The members of a vote or a union, which all see what comes before it."""
    for name in ("estimators", "transformer_list", "transformers"):
        if hasattr(step, name):
            members = [(label, member) for label, member, *_ in getattr(step, name)]
            # A vote fits copies of its members.
            return members + [("", member) for member in getattr(step, "estimators_", [])]
    return []
