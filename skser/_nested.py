"""Pipelines with pipelines inside, as in a vote: their parameters and their feature extraction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.pipeline import Pipeline

from .features import FeatureUnionExtractor


def set_everywhere(pipeline: Pipeline, **params: Any) -> Pipeline:
    """Set parameters of steps however deep: ``features__verbose`` also in the parts of a vote."""
    names = pipeline.get_params()
    found = {
        name: value
        for wanted, value in params.items()
        for name in names
        if f"__{name}".endswith(f"__{wanted}")
    }
    pipeline.set_params(**found)
    # What a vote has fitted are copies, which its own parameters do not reach.
    for _, step in pipeline.steps:
        for fitted in getattr(step, "estimators_", []):
            if isinstance(fitted, Pipeline):
                set_everywhere(fitted, **params)
    return pipeline


def extractions(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The steps up to each extractor, as pipelines that make features of recordings."""
    for prefix, step in _walk(pipeline, []):
        if isinstance(step, FeatureUnionExtractor):
            yield Pipeline([*prefix, ("features", step)])


def steps_of(pipeline: Pipeline) -> list[Any]:
    """All steps, also those of pipelines inside."""
    return [step for _, step in _walk(pipeline, [])]


def _walk(pipeline: Pipeline, before: list[tuple[str, Any]]) -> Iterator[tuple[list, Any]]:
    """Each step with the steps before it."""
    for name, step in pipeline.steps:
        yield before, step
        for _, inner in getattr(step, "estimators", []):  # of a VotingClassifier
            if isinstance(inner, Pipeline):
                yield from _walk(inner, before)
        before = [*before, (name, step)]
