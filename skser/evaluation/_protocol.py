"""The protocol of a score in one sentence, and the pipeline in one expression."""

from __future__ import annotations

import os

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

from .._utils._types import Splitter
from ..embeddings import SpeechEmbedding
from ..embeddings._description import UNKNOWN_DATA, public_name
from ..features import SpeakerNormalizer
from ..recipes._standardization import is_by_corpus
from ..recipes._steps import steps_of
from ._folds import without_conveniences
from ._leakage_checks import shared_values
from ._splits import Splits

_INDEPENDENT = "speaker-independent: nobody tested is trained on"


def describe_protocol(
    pipeline: BaseEstimator, cv: Splitter, splits: Splits, groups: np.ndarray | None
) -> str:
    """The folds, whether they share speakers, and the normalisation of voices."""
    if groups is None:
        independence = "speakers not known: says nothing about new ones"
    elif n_shared := len(shared_values(groups, splits)):
        independence = (
            f"not speaker-independent: {n_shared} of {len(np.unique(groups))} speakers are both "
            "trained on and tested"
        )
    else:
        independence = _INDEPENDENT
    tuning = getattr(pipeline, "tuning_protocol", "")  # of a TunedClassifier
    folds = f"{len(splits)} fold{'s'[: len(splits) > 1]} ({describe_cv(cv)}), {independence}"
    return folds + _describe_steps(pipeline) + tuning


def describe_fitted(pipeline: BaseEstimator) -> str:
    """The protocol of a pipeline that was fitted before."""
    return (
        "a pipeline that was fitted before, as it is: says nothing about new speakers unless it "
        "was fitted on others"
    ) + _describe_steps(pipeline)


def is_speaker_independent(protocol: str) -> bool:
    """Whether a protocol says that no tested speaker was trained on."""
    return f", {_INDEPENDENT}" in protocol


def describe_pipeline(pipeline: BaseEstimator) -> str:
    """A pipeline with its parameters that are not defaults and change scores."""
    pipeline = without_conveniences(pipeline)
    if type(pipeline).__repr__ is BaseEstimator.__repr__:
        return pipeline.__repr__(N_CHAR_MAX=10**6)  # not shortened
    return repr(pipeline)


def describe_cv(cv: Splitter) -> str:
    """What folds are of, in a few words."""
    if isinstance(cv, LeaveOneGroupOut):
        return "leave one speaker out"
    if isinstance(cv, GroupKFold):
        return "whole speakers"
    if isinstance(cv, (KFold, StratifiedKFold)):
        return "clips at random" if cv.shuffle else "clips in their order"
    name = getattr(cv, "description", None) or type(cv).__name__
    return "given by hand" if name.startswith("_") else name  # scikit-learn's wrapper of indices


def _describe_steps(pipeline: BaseEstimator) -> str:
    """What steps do that a score depends on, beside the folds."""
    encoders = [step for step in steps_of(pipeline) if isinstance(step, SpeechEmbedding)]
    names = sorted({public_name(os.fspath(step.model), step.revision) for step in encoders})
    return _describe_normalization(pipeline) + "".join(
        f"; features of the pre-trained encoder {name}, whose {UNKNOWN_DATA}" for name in names
    )


def _describe_normalization(pipeline: BaseEstimator) -> str:
    clips_of: dict[str, set[str]] = {}  # that mean and deviation are computed from
    for step in steps_of(pipeline):
        if isinstance(step, SpeakerNormalizer):
            unit = "corpus" if is_by_corpus(step) else "speaker"
            clips_of.setdefault(unit, set()).add(_describe_clips(step, unit))
    if not clips_of:
        return ""
    parts = [f"each {unit}: {', and '.join(sorted(clips))}" for unit, clips in clips_of.items()]
    return f"; features are normalised by mean and deviation of {'; of '.join(parts)}"


def _describe_clips(step: SpeakerNormalizer, unit: str) -> str:
    """The clips of a speaker or corpus that mean and deviation are computed from."""
    if step.transductive:
        return "transductive, those of speakers who are tested over all their clips in the fold"
    if step.n_calibration is not None:
        return (
            f"those of new speakers over the first {step.n_calibration} of their tested clips, "
            "without labels"
        )
    new = f", for a new {unit} the mean of all" if step.unknown == "average" else ""
    return f"those of the clips that are trained on{new}"
