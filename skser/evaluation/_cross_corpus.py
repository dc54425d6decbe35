"""cross_corpus: train on some corpora, test on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, _safe_indexing

from .._utils._types import PathLike, Recordings
from ..datasets._corpus import listing
from ..exceptions import DataError, naming
from ..metrics import unweighted_average_recall
from ..recipes._standardization import is_standardized_by_corpus, standardize_on
from ._corpus import Corpus, known_speakers, read_corpus
from ._docstrings import documented
from ._fitted_fold import FittedFold, features_kept
from ._folds import measure_probabilities, run_folds
from ._splits import split_corpus

Corpora = Mapping[str, Bunch | tuple[Recordings | ArrayLike, ArrayLike, ArrayLike]]

_ALL_OTHERS = "all others"
_ADAPTED = "all others, adapted"


@documented
def cross_corpus(
    pipeline: BaseEstimator,
    corpora: Corpora,
    *,
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Score a pipeline on every corpus, trained on each and on all other corpora together.

    Only emotions that all corpora have are used. Within a corpus, the folds are of new speakers.
    A pipeline of :func:`skser.recipes.standardize_by_corpus` knows the corpus of each clip, and
    learns from all corpora alike.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features; it is cloned, not changed.
    corpora : dict of {str : Bunch or (X, y, groups)}
        At least two corpora with speakers by their names, each as in :func:`skser.evaluate`.
    {folds}

    Returns
    -------
    uar : DataFrame
        Unweighted average recall over all clips by training corpus (rows) and test corpus
        (columns). With more than two corpora, row "all others" is trained on all but the test
        corpus. A pipeline of `standardize_by_corpus` has it with two, and one more, "all others,
        adapted": there, features of the test corpus are standardised over all its clips, without
        labels, as ``skser predict --adapt`` does.

    Raises
    ------
    DataError
        There are fewer than two corpora or fewer than two emotions in common, speakers are not
        known, only one speaker of a corpus has an emotion, or corpora have different features.

    Examples
    --------
    >>> from skser import cross_corpus
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> size = {"n_speakers": 3, "emotions": ["angry", "sad"], "n_takes": 1}
    >>> corpora = {str(i): make_emotional_speech(**size, random_state=i) for i in (0, 1)}
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> cross_corpus(pipeline, corpora).shape
    (2, 2)
    """
    corpus = common_emotions(corpora, pipeline)
    corpus_of = corpus.frame["corpus"].to_numpy()
    clips_of = {name: np.flatnonzero(corpus_of == name) for name in corpora}
    splits, trained_on, of_all_others = [], [], []
    for name, clips in clips_of.items():
        rest = np.flatnonzero(corpus_of != name)
        with naming(name):
            _, within = split_corpus(corpus.take(clips))
        splits += [*((clips[train], clips[test]) for train, test in within), (clips, rest)]
        trained_on += [name] * (len(within) + 1)
        of_all_others.append((rest, clips))
    is_adapted = is_standardized_by_corpus(pipeline)
    with features_kept(pipeline, checkpoint) as cached:
        run = partial(
            run_folds, cached, corpus, n_jobs=n_jobs, checkpoint=checkpoint, verbose=verbose
        )
        measured = [fold.measured for fold in run(splits)]
        if is_adapted:
            folds = run(of_all_others, measure=_measure_as_is_and_adapted)
            as_is, adapted = zip(*(fold.measured for fold in folds), strict=True)
            measured += [*as_is, *adapted]
            splits += 2 * of_all_others
            trained_on += [_ALL_OTHERS] * len(corpora) + [_ADAPTED] * len(corpora)
        elif len(corpora) > 2:
            measured += [fold.measured for fold in run(of_all_others)]
            splits += of_all_others
            trained_on += [_ALL_OTHERS] * len(corpora)
    y, classes = corpus.target, np.unique(corpus.target)
    predicted = {name: np.empty_like(y) for name in trained_on}
    for (_, test), name, probabilities in zip(splits, trained_on, measured, strict=True):
        predicted[name][test] = classes[np.argmax(probabilities, axis=1)]
    uar = {
        name: [unweighted_average_recall(y[clips], labels[clips]) for labels in predicted.values()]
        for name, clips in clips_of.items()
    }
    table = pd.DataFrame(uar, index=pd.Index(list(predicted), name="trained on"))
    return table.rename_axis(columns="tested on")


def _measure_as_is_and_adapted(fold: FittedFold, corpus: Corpus, test: np.ndarray) -> list[Any]:
    """Probabilities of the clips of a new corpus, then those of a pipeline standardised on them."""
    tested = _safe_indexing(corpus.clips, test)
    adapted = replace(fold, pipeline=standardize_on(fold.pipeline, tested))
    return [measure_probabilities(which, corpus, test) for which in (fold, adapted)]


def common_emotions(corpora: Corpora, pipeline: BaseEstimator) -> Corpus:
    """The clips of emotions that every corpus has, as one corpus with a column ``corpus``."""
    if len(corpora) < 2:
        raise DataError(f"corpora must be at least two, got {len(corpora)}")
    parts = []
    for name, data in corpora.items():
        if name in (_ALL_OTHERS, _ADAPTED):
            raise DataError(f"corpora must not be named {name!r}")
        with naming(name):
            given = data if isinstance(data, tuple) else (data,)
            corpus = read_corpus(*given, pipeline=pipeline)
            own_groups = [f"{name}: {speaker}" for speaker in known_speakers(corpus)]
        frame = corpus.frame[["path"]].assign(corpus=name)
        parts.append((corpus.clips, corpus.target, own_groups, frame))
    clips, target, groups, frames = zip(*parts, strict=True)
    emotions = reduce(np.intersect1d, target)
    if len(emotions) < 2:
        raise DataError(
            "corpora must have at least two emotions in common, got "
            f"{', '.join(map(str, emotions)) or 'none'}"
        )
    y, speakers = (np.concatenate(arrays) for arrays in (target, groups))
    frame = pd.concat(frames, ignore_index=True)
    corpus = Corpus(_joined(dict(zip(corpora, clips, strict=True))), y, speakers, frame)
    return corpus.take(np.flatnonzero(np.isin(corpus.target, emotions)))


def _joined(clips: Mapping[str, Any]) -> np.ndarray | pd.DataFrame:
    """The clips of all corpora, or their features; DataError for features that differ."""
    first, *others = clips
    for name in others:
        pair = clips[first], clips[name]
        if all(isinstance(part, pd.DataFrame) for part in pair):
            differing = listing(pair[0].columns.symmetric_difference(pair[1].columns, sort=False))
            if differing:
                raise DataError(
                    f"corpora must have the same columns of features, got {differing} in only one "
                    f"of {first} and {name}"
                )
        elif len({_features_of(part) for part in pair}) > 1:
            raise DataError(
                f"corpora must have the same features, got {_features_of(pair[0])} in {first} and "
                f"{_features_of(pair[1])} in {name}"
            )
    parts = list(clips.values())
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)  # by the names of columns
    return np.concatenate(parts)


def _features_of(clips: Any) -> str:
    """The features of a corpus in a few words, or "recordings"."""
    if isinstance(clips, pd.DataFrame):
        return "a DataFrame"
    sizes = ", ".join(map(str, clips.shape[1:]))
    return f"an array of shape (n_clips, {sizes})" if sizes else "recordings"
