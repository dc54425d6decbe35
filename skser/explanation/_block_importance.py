"""block_importance: what new speakers lose if a block of features is of other clips."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, check_random_state

from .._both_sides import warn_of_leakage
from .._corpus_parts import divide, splitter_of, take_apart
from .._fitted_fold import FittedFold
from .._folds import run_folds
from .._validation import N_JOBS, RANDOM_STATE, VERBOSE, check_value, integer
from ._members import members_of, vote, without_temperature


def block_importance(
    pipeline: Any,
    corpus: Bunch,
    *,
    cv: Any = None,
    n_repeats: int = 5,
    random_state: Any = 0,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """How much worse a pipeline does on new speakers if a block of features is of other clips.

    In each fold, a block's features are shuffled among the clips of the test part [1]_. Blocks that
    tell the same hide each other's importance: what others tell too is not missed. In a vote,
    blocks are named after their member too, such as ``"network: mel"``.

    Parameters
    ----------
    pipeline : Pipeline
        From recordings to emotions, as the recipes make it; it is cloned, not changed.
    corpus : Bunch
        As a loader gives it.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds, as in :func:`skser.evaluate`.
    n_repeats : int, default=5
        How often each block is shuffled.
    random_state : int, RandomState instance or None, default=0
        Seed of shuffling.
    n_jobs, folder, verbose
        As in :func:`skser.evaluate`.

    Returns
    -------
    importance : DataFrame
        A row for each block, the most important first: ``mean`` and ``sd`` over folds and repeats
        of the loss in unweighted average recall.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning, 45(1), 2001.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.explanation import block_importance
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=3, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "pitch"], random_state=0)
    >>> sorted(block_importance(pipeline, speech).index)
    ['pitch', 'rms']
    """
    check_value("n_repeats", n_repeats, integer(1))
    check_value("n_jobs", n_jobs, N_JOBS)
    check_value("random_state", random_state, RANDOM_STATE)
    check_value("verbose", verbose, VERBOSE)
    clips, target, groups, frame = take_apart(corpus, pipeline)
    cv = splitter_of(cv, target, groups)
    parts = divide(cv, frame, target, groups)
    warn_of_leakage(clips, groups, parts)
    seed = int(check_random_state(random_state).randint(2**31))
    folds = run_folds(
        pipeline,
        clips,
        target,
        groups,
        parts,
        measure=partial(_losses, n_repeats=n_repeats, seed=seed),
        n_jobs=n_jobs,
        folder=folder,
        verbose=verbose,
    )
    losses = pd.DataFrame([row for fold in folds for row in fold.measured])
    table = losses.groupby("block")["loss"].agg(mean="mean", sd="std")
    return table.sort_values("mean", ascending=False)


def _losses(
    fold: FittedFold,
    clips: np.ndarray,
    target: np.ndarray,
    test: np.ndarray,
    *,
    n_repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Loss in UAR for each block and repeat in one fold."""
    # No label hangs on a temperature.
    fold = replace(fold, pipeline=without_temperature(fold.pipeline)[0])
    members = list(members_of(fold.pipeline, clips[test]))
    params = fold.params_of(test)
    rng = np.random.default_rng(seed)
    of_class = {name: target[test] == name for name in np.unique(target[test]).tolist()}
    rows = []

    def uar(probabilities: list[np.ndarray]) -> float:
        labels = fold.pipeline.classes_[vote(probabilities, members).argmax(axis=1)]
        return float(np.mean([(labels[own] == name).mean() for name, own in of_class.items()]))

    with fold.routing():
        whole = [member.probabilities(member.features, **params) for member in members]
        before = uar(whole)
        for i, member in enumerate(members):
            for block in dict.fromkeys(member.blocks.tolist()):
                for _ in range(n_repeats):
                    other = member.shuffled(block, rng.permutation(len(test)))
                    changed = [*whole[:i], member.probabilities(other, **params), *whole[i + 1 :]]
                    rows.append({"block": block, "loss": before - uar(changed)})
    return rows
