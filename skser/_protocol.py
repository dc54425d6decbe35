"""The protocol of a score in one sentence: who was trained on, and how voices are normalised."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

from ._both_sides import on_both_sides
from ._corpus_parts import Parts
from ._nested import steps_of
from .features import SpeakerNormalizer

_INDEPENDENT = ", speaker-independent: nobody tested is trained on"


def describe_protocol(pipeline: Any, cv: Any, parts: Parts, groups: np.ndarray | None) -> str:
    """How clips were divided, whether anybody is on both sides, and how voices are normalised."""
    tuning = getattr(pipeline, "tuning_protocol", "")  # of one that tunes itself in each fold
    return _describe_split(cv, parts, groups) + _describe_normalization(pipeline) + tuning


def describe_fitted(pipeline: Any) -> str:
    """What is said where no fold was made."""
    return (
        "a pipeline that was fitted before, as it is: says nothing about new speakers unless it "
        "was fitted on others"
    ) + _describe_normalization(pipeline)


def is_speaker_independent(protocol: str) -> bool:
    """Whether a protocol says that nobody who was tested was trained on."""
    return _INDEPENDENT in protocol


def _describe_split(cv: Any, parts: Parts, groups: np.ndarray | None) -> str:
    folds = f"{len(parts)} folds ({_name(cv)})"
    if groups is None:
        return f"{folds}, speakers not known: says nothing about new ones"
    shared = on_both_sides(groups, parts)
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
    return "given by hand" if name.startswith("_") else name  # scikit-learn's wrapper of parts


def _describe_normalization(pipeline: Any) -> str:
    normalizers = [step for step in steps_of(pipeline) if isinstance(step, SpeakerNormalizer)]
    told = sorted({_voice(step) for step in normalizers})
    if not told:
        return ""
    return f"; features are normalised by mean and deviation of each speaker: {', and '.join(told)}"


def _voice(normalizer: SpeakerNormalizer) -> str:
    """Which clips of a speaker mean and deviation are of."""
    if normalizer.transductive:
        return "transductive, those of speakers who are tested over all their clips in the fold"
    if normalizer.n_calibration is None:
        return "those of the clips that are trained on"
    return (
        f"those of new speakers over the first {normalizer.n_calibration} of their tested clips, "
        "without labels"
    )
