"""cross_corpus: train on some corpora, test on others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils import Bunch

from ._both_sides import warn_of_leakage
from ._corpus_parts import divide, take_apart
from ._folds import run_folds
from ._validation import N_JOBS, VERBOSE, check_value
from .exceptions import DataError, naming
from .model_selection import speaker_folds

__all__ = ["cross_corpus"]

_OTHERS = "all others"


def cross_corpus(
    pipeline: Any,
    corpora: Mapping[str, Bunch],
    *,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score a pipeline on every corpus, trained on each and on all the others together.

    Only emotions that all corpora have are kept. Where a corpus is both trained on and tested, it
    is tested in folds of speakers who are not trained on.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpora : dict of {str : Bunch}
        At least two, by their names, as loaders give them, with speakers as ``groups``.
    n_jobs, folder, verbose
        As in :func:`skser.evaluate`.

    Returns
    -------
    uar : DataFrame
        Unweighted average recall over all clips by the corpus that was trained on (rows) and
        tested (columns). With more than two, the last row is of all others than the one tested.

    Raises
    ------
    DataError
        Fewer than two corpora, fewer than two emotions in common, speakers not known, or an emotion
        that one speaker of a corpus alone has.

    Examples
    --------
    >>> from skser import cross_corpus
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> how = {"n_speakers": 3, "emotions": ["angry", "sad"], "n_takes": 1}
    >>> corpora = {
    ...     name: make_emotional_speech(**how, random_state=seed)
    ...     for seed, name in enumerate(["one", "two"])
    ... }
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> cross_corpus(pipeline, corpora).shape
    (2, 2)
    """
    check_value("n_jobs", n_jobs, N_JOBS)
    check_value("verbose", verbose, VERBOSE)
    clips, target, groups, corpus_of = shared_clips(pipeline, corpora)
    parts, tested = [], []  # and for each part, who is trained on
    for name in corpora:
        own = np.flatnonzero(corpus_of == name)
        frame = pd.DataFrame({"path": [str(clip) for clip in clips[own]]})
        with naming(name):
            folds = divide(speaker_folds(groups[own]), frame, target[own], groups[own])
        for train, test in folds:
            parts.append((own[train], own[test]))
            tested.append(name)
        parts.append((own, np.flatnonzero(corpus_of != name)))
        tested.append(name)
    if len(corpora) > 2:
        for name in corpora:
            parts.append((np.flatnonzero(corpus_of != name), np.flatnonzero(corpus_of == name)))
            tested.append(_OTHERS)
    warn_of_leakage(clips, groups, parts)
    found = run_folds(
        pipeline,
        clips,
        target,
        groups,
        parts,
        n_jobs=n_jobs,
        folder=folder,
        verbose=verbose,
    )
    names = [*corpora, _OTHERS] if len(corpora) > 2 else list(corpora)
    truth = np.unique(target, return_inverse=True)[1]
    predicted = pd.DataFrame(-1, index=range(len(clips)), columns=names)
    for (_, test), trained, fold in zip(parts, tested, found, strict=True):
        predicted.loc[test, trained] = np.argmax(fold.measured, axis=1)
    uar = {}
    for name in corpora:
        own = corpus_of == name
        labels = predicted.loc[own]
        uar[name] = [balanced_accuracy_score(truth[own], labels[trained]) for trained in names]
    table = pd.DataFrame(uar, index=pd.Index(names, name="trained on"))
    return table.rename_axis(columns="tested on")


def shared_clips(
    pipeline: Any,
    corpora: Mapping[str, Bunch],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Clips, labels, speakers and corpora of all clips whose emotion every corpus has."""
    if len(corpora) < 2:
        raise DataError(f"corpora must be at least two, got {len(corpora)}")
    rows = []
    for name, corpus in corpora.items():
        if name == _OTHERS:
            raise DataError(f"corpora must not be named {name!r}")
        with naming(name):
            clips, target, groups, _ = take_apart(corpus, pipeline)
            if groups is None:
                raise DataError("corpus must have groups, the speakers, got None")
        speakers = np.array([f"{name}: {speaker}" for speaker in groups])
        rows.append((clips, target, speakers, np.full(len(clips), name)))
    emotions = reduce(np.intersect1d, [target for _, target, _, _ in rows])
    if len(emotions) < 2:
        raise DataError(
            "corpora must have at least two emotions in common, got "
            f"{', '.join(map(str, emotions)) or 'none'}"
        )
    clips, target, speakers, corpus_of = (
        np.concatenate(columns) for columns in zip(*rows, strict=True)
    )
    kept = np.isin(target, emotions)
    return clips[kept], target[kept], speakers[kept], corpus_of[kept]
