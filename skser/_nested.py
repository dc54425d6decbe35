"""Pipelines with pipelines inside, as in a vote: their steps, parameters and feature extraction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.pipeline import Pipeline

from .features import FeatureUnionExtractor


def steps_of(estimator: Any) -> list[Any]:
    """All steps, also those of pipelines inside and of what a vote has fitted."""
    return [step for _, _, step in _walk([("", estimator)], [])]


def set_everywhere(pipeline: Any, **params: Any) -> Any:
    """Set parameters of steps however deep: ``features__verbose`` also in the parts of a vote."""
    for _, name, step in _walk([("", pipeline)], []):
        for wanted, value in params.items():
            owner, _, param = wanted.partition("__")
            if name == owner and param in getattr(step, "get_params", dict)():
                step.set_params(**{param: value})
    return pipeline


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
        elif hasattr(step, "estimator"):  # a classifier around another
            yield from _walk([("estimator", step.estimator)], before)
        before = [*before, (name, step)]


def _members(step: Any) -> list[tuple[str, Any]]:
    """The members of a vote or a union, which all see what comes before it."""
    for name in ("estimators", "transformer_list", "transformers"):
        if hasattr(step, name):
            members = [(label, member) for label, member, *_ in getattr(step, name)]
            # A vote fits copies of its members.
            return members + [("", member) for member in getattr(step, "estimators_", [])]
    return []
