"""Displays, as in scikit-learn: data in ``__init__``, drawing in ``plot``."""

from ._comparison import ComparisonDisplay
from ._confusion import ConfusionDisplay
from ._corpora import CrossCorpusDisplay, LeakageGapDisplay
from ._importance import BlockImportanceDisplay
from ._probabilities import CoverageDisplay, ReliabilityDisplay
from ._recordings import ClipDisplay, SaliencyDisplay
from ._scores import ClassScoresDisplay, SpeakerScoresDisplay
from ._timeline import TimelineDisplay
from ._training import EmotionDistributionDisplay, TrainingCurvesDisplay

__all__ = [
    "BlockImportanceDisplay",
    "ClassScoresDisplay",
    "ClipDisplay",
    "ComparisonDisplay",
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
