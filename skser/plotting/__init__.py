"""Displays, as in scikit-learn: data in ``__init__``, drawing in ``plot``."""

from ._predictions import ConfusionDisplay, CoverageDisplay, ReliabilityDisplay
from ._recordings import ClipDisplay, SaliencyDisplay
from ._scores import (
    BlockImportanceDisplay,
    ClassScoresDisplay,
    CrossCorpusDisplay,
    LeakageGapDisplay,
    SpeakerScoresDisplay,
)
from ._timeline import TimelineDisplay
from ._training import EmotionDistributionDisplay, TrainingCurvesDisplay

__all__ = [
    "BlockImportanceDisplay",
    "ClassScoresDisplay",
    "ClipDisplay",
    "ConfusionDisplay",
    "CoverageDisplay",
    "CrossCorpusDisplay",
    "EmotionDistributionDisplay",
    "LeakageGapDisplay",
    "ReliabilityDisplay",
    "SaliencyDisplay",
    "SpeakerScoresDisplay",
    "TimelineDisplay",
    "TrainingCurvesDisplay",
]
