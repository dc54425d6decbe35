"""A fitted pipeline, or each member of a vote, divided into feature extraction and classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .._utils._types import Recordings
from ..calibration import TemperatureScaledClassifier
from ..classifiers import SoftVotingClassifier
from ..exceptions import DataError
from ..features import AugmentedFeatures
from ..features.extraction._extractor import ClipsExtractor


@dataclass(frozen=True)
class Member:
    """A fitted pipeline or member of a vote: its weight, its features of clips, and later steps."""

    name: str
    share: float
    extractor: ClipsExtractor
    features: np.ndarray | AugmentedFeatures
    tail: Pipeline

    @property
    def blocks(self) -> np.ndarray:
        """The block of each feature, after the name of the member."""
        names = self.extractor.get_feature_blocks_out()
        return np.array([f"{self.name}: {block}" if self.name else block for block in names])

    def shuffled(self, block: str, order: np.ndarray) -> np.ndarray | AugmentedFeatures:
        """Features, those of one block in another order of clips."""
        features = self.features
        values = np.array(features.values if isinstance(features, AugmentedFeatures) else features)
        columns = np.flatnonzero(self.blocks == block)
        values[..., columns] = values[order][..., columns]
        return AugmentedFeatures(values) if isinstance(features, AugmentedFeatures) else values


def members_of(
    pipeline: BaseEstimator, clips: Recordings, name: str = "", share: float = 1.0
) -> Iterator[Member]:
    """The members of a vote, or the pipeline itself, with the features of clips."""
    steps = pipeline.steps if isinstance(pipeline, Pipeline) else []
    for i, (_, step) in enumerate(steps):
        if isinstance(step, ClipsExtractor):
            features = pipeline[: i + 1].transform(clips)
            yield Member(name, share, step, features, pipeline[i + 1 :])
            return
        if isinstance(step, SoftVotingClassifier):
            X = pipeline[:i].transform(clips)
            named = step.named_estimators_.items()
            for weight, (label, member) in zip(step.weights_, named, strict=True):
                yield from members_of(member, X, label, share * weight)
            return
    raise DataError(
        "pipeline must have a FeatureUnionExtractor or SpeechEmbedding, or a SoftVotingClassifier "
        f"of pipelines that have one, got {pipeline!r}"
    )


def without_temperature(pipeline: BaseEstimator) -> tuple[BaseEstimator, float]:
    """The pipeline inside a calibrated one, and its temperature; 1 for any other pipeline."""
    if isinstance(pipeline, TemperatureScaledClassifier):
        return pipeline.estimator_, pipeline.temperature_
    return pipeline, 1.0
