"""The protocol of a score in one sentence, and the pipeline in one expression."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

from ..features import SpeakerNormalizer
from ..recipes._steps import steps_of
from ._folds import without_conveniences
from ._leakage_checks import shared_values
from ._splits import Splits

_INDEPENDENT = ", speaker-independent: nobody tested is trained on"


def describe_protocol(pipeline: Any, cv: Any, splits: Splits, groups: np.ndarray | None) -> str:
    """The folds, whether they share speakers, and the normalisation of voices."""
    tuning = getattr(pipeline, "tuning_protocol", "")  # of a TunedClassifier
    return _describe_splits(cv, splits, groups) + _describe_normalization(pipeline) + tuning


def describe_fitted(pipeline: Any) -> str:
    """The protocol of a pipeline that was fitted before."""
    return (
        "a pipeline that was fitted before, as it is: says nothing about new speakers unless it "
        "was fitted on others"
    ) + _describe_normalization(pipeline)


def is_speaker_independent(protocol: str) -> bool:
    """Whether a protocol says that no tested speaker was trained on."""
    return _INDEPENDENT in protocol


def describe_pipeline(pipeline: Any) -> str:
    """A pipeline with its parameters that are not defaults and change scores."""
    pipeline = without_conveniences(pipeline)
    if type(pipeline).__repr__ is BaseEstimator.__repr__:
        return pipeline.__repr__(N_CHAR_MAX=10**6)  # not shortened
    return repr(pipeline)


def _describe_splits(cv: Any, splits: Splits, groups: np.ndarray | None) -> str:
    folds = f"{len(splits)} folds ({_name(cv)})"
    if groups is None:
        return f"{folds}, speakers not known: says nothing about new ones"
    shared = shared_values(groups, splits)
    if len(shared):
        return (
            f"{folds}, not speaker-independent: {len(shared)} of {len(np.unique(groups))} speakers "
            "are both trained on and tested"
        )
    return folds + _INDEPENDENT


def _name(cv: Any) -> str:
    if isinstance(cv, LeaveOneGroupOut):
        return "leave one speaker out"
    if isinstance(cv, GroupKFold):
        return "whole speakers"
    if isinstance(cv, (KFold, StratifiedKFold)):
        return "clips at random" if cv.shuffle else "clips in their order"
    name = getattr(cv, "description", None) or type(cv).__name__
    return "given by hand" if name.startswith("_") else name  # scikit-learn's wrapper of indices


def _describe_normalization(pipeline: Any) -> str:
    normalizers = [step for step in steps_of(pipeline) if isinstance(step, SpeakerNormalizer)]
    voices = sorted({_describe_voice(normalizer) for normalizer in normalizers})
    if not voices:
        return ""
    return (
        f"; features are normalised by mean and deviation of each speaker: {', and '.join(voices)}"
    )


def _describe_voice(normalizer: SpeakerNormalizer) -> str:
    """The clips of a speaker that mean and deviation are computed from."""
    if normalizer.transductive:
        return "transductive, those of speakers who are tested over all their clips in the fold"
    if normalizer.n_calibration is None:
        return "those of the clips that are trained on"
    return (
        f"those of new speakers over the first {normalizer.n_calibration} of their tested clips, "
        "without labels"
    )
