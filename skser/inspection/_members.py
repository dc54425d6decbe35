"""A fitted pipeline, or each member of a vote, split after its feature extraction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from ..calibration import TemperatureScaledClassifier
from ..classifiers import SoftVotingClassifier
from ..exceptions import DataError
from ..features import AugmentedFeatures, FeatureUnionExtractor


@dataclass(frozen=True)
class Member:
    """A fitted pipeline or member of a vote: its weight, its features of clips, and later steps."""

    name: str
    share: float
    extractor: FeatureUnionExtractor
    features: Any
    tail: Pipeline

    @property
    def blocks(self) -> np.ndarray:
        names = self.extractor.get_feature_blocks_out()
        return np.array([f"{self.name}: {block}" if self.name else block for block in names])

    @property
    def hop_seconds(self) -> float:
        return self.extractor.hop_length / self.extractor.sr_

    def probabilities(self, features: Any, **params: Any) -> np.ndarray:
        return self.tail.predict_proba(features, **params)

    def shuffled(self, block: str, order: np.ndarray) -> Any:
        """Features with those of one block in another order of clips."""
        is_augmented = isinstance(self.features, AugmentedFeatures)
        values = (self.features.values if is_augmented else self.features).copy()
        columns = np.flatnonzero(self.blocks == block)
        values[..., columns] = values[order][..., columns]
        return AugmentedFeatures(values) if is_augmented else values


def members_of(pipeline: Any, clips: Any, name: str = "", share: float = 1.0) -> Iterator[Member]:
    """The members of a vote, or the pipeline itself, with the features of clips."""
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else []
    for i, (_, step) in enumerate(steps):
        if isinstance(step, FeatureUnionExtractor):
            features = pipeline[: i + 1].transform(clips)
            yield Member(name, share, step, features, pipeline[i + 1 :])
            return
        if isinstance(step, SoftVotingClassifier):
            seen = pipeline[:i].transform(clips)
            for weight, (of, member) in zip(
                step.weights_, step.named_estimators_.items(), strict=True
            ):
                yield from members_of(member, seen, of, share * weight)
            return
    raise DataError(
        "pipeline must have a FeatureUnionExtractor, or a SoftVotingClassifier of pipelines that "
        f"have one, got {pipeline!r}"
    )


def without_temperature(pipeline: Any) -> tuple[Any, float]:
    """The pipeline inside a calibrated one, and its temperature; 1 for any other pipeline."""
    if isinstance(pipeline, TemperatureScaledClassifier):
        return pipeline.estimator_, pipeline.temperature_
    return pipeline, 1.0


def vote(probabilities: list[np.ndarray], members: list[Member]) -> np.ndarray:
    return np.tensordot([member.share for member in members], probabilities, axes=1)
