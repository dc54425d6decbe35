"""Displays, as in scikit-learn: data in ``__init__``, drawing in ``plot``."""

from .block_importance import BlockImportanceDisplay
from .class_scores import ClassScoresDisplay
from .clip import ClipDisplay
from .confusion import ConfusionDisplay
from .coverage import CoverageDisplay
from .cross_corpus import CrossCorpusDisplay
from .distribution import EmotionDistributionDisplay
from .leakage_gap import LeakageGapDisplay
from .reliability import ReliabilityDisplay
from .saliency import SaliencyDisplay
from .speaker_scores import SpeakerScoresDisplay
from .timeline import TimelineDisplay
from .training_curves import TrainingCurvesDisplay

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
