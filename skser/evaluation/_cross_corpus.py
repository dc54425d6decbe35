"""cross_corpus: train on some corpora, test on others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import DataError, naming
from ..metrics import unweighted_average_recall
from ._corpus import Corpus, known_speakers, read_corpus
from ._folds import run_folds
from ._splits import split_corpus

__all__ = ["cross_corpus"]

_OTHERS = "all others"


def cross_corpus(
    pipeline: Any,
    corpora: Mapping[str, Any],
    *,
    n_jobs: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score a pipeline on every corpus, trained on each and on all the others together.

    Only emotions that all corpora have are used. Within a corpus, the folds are of new speakers.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpora : dict of {str : Bunch or (X, y, groups)}
        At least two corpora with speakers by their names, each as in :func:`skser.evaluate`.
    n_jobs, checkpoint, verbose
        As in :func:`skser.evaluate`.

    Returns
    -------
    uar : DataFrame
        Unweighted average recall over all clips by training corpus (rows) and test corpus
        (columns). With more than two corpora, the last row is trained on all but the test corpus.

    Raises
    ------
    DataError
        There are fewer than two corpora or fewer than two emotions in common, speakers are not
        known, or only one speaker of a corpus has an emotion.

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
    corpus = common_emotions(pipeline, corpora)
    corpus_of = corpus.frame["corpus"].to_numpy()
    clips_of = {name: np.flatnonzero(corpus_of == name) for name in corpora}
    rest_of = {name: np.flatnonzero(corpus_of != name) for name in corpora}
    splits, trained_on = [], []
    for name, clips in clips_of.items():
        with naming(name):
            _, within = split_corpus(corpus.take(clips))
        splits += [(clips[train], clips[test]) for train, test in within]
        splits.append((clips, rest_of[name]))
        trained_on += [name] * (len(within) + 1)
    if len(corpora) > 2:
        splits += [(rest_of[name], clips_of[name]) for name in corpora]
        trained_on += [_OTHERS] * len(corpora)
    folds = run_folds(
        pipeline, corpus, splits, n_jobs=n_jobs, checkpoint=checkpoint, verbose=verbose
    )
    target, classes = corpus.target, np.unique(corpus.target)
    predicted = {name: np.empty_like(target) for name in trained_on}
    for (_, test), name, fold in zip(splits, trained_on, folds, strict=True):
        predicted[name][test] = classes[np.argmax(fold.measured, axis=1)]
    uar = {
        name: [unweighted_average_recall(target[own], labels[own]) for labels in predicted.values()]
        for name, own in clips_of.items()
    }
    table = pd.DataFrame(uar, index=pd.Index(list(predicted), name="trained on"))
    return table.rename_axis(columns="tested on")


def common_emotions(pipeline: Any, corpora: Mapping[str, Any]) -> Corpus:
    """All clips whose emotion every corpus has, as one corpus with a column ``corpus``."""
    if len(corpora) < 2:
        raise DataError(f"corpora must be at least two, got {len(corpora)}")
    parts = []
    for name, data in corpora.items():
        if name == _OTHERS:
            raise DataError(f"corpora must not be named {name!r}")
        with naming(name):
            corpus = read_corpus(pipeline, *(data if isinstance(data, tuple) else (data,)))
            speakers = known_speakers(corpus)
        speakers = np.array([f"{name}: {speaker}" for speaker in speakers])
        frame = corpus.frame[["path"]].assign(corpus=name)
        parts.append(Corpus(corpus.clips, corpus.target, speakers, frame))
    emotions = reduce(np.intersect1d, [part.target for part in parts])
    if len(emotions) < 2:
        raise DataError(
            "corpora must have at least two emotions in common, got "
            f"{', '.join(map(str, emotions)) or 'none'}"
        )
    clips, target, groups, frames = zip(*parts, strict=True)
    corpus = Corpus(
        np.concatenate(clips),
        np.concatenate(target),
        np.concatenate(groups),
        pd.concat(frames, ignore_index=True),
    )
    return corpus.take(np.flatnonzero(np.isin(corpus.target, emotions)))
