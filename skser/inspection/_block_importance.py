"""block_importance: permutation importance of blocks of features over folds of new speakers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, check_random_state

from .._utils._functional import soft_vote
from .._utils._param_validation import RANDOM_STATE, check_value, integer
from .._utils._types import CV, PathLike, RandomState, Recordings
from ..evaluation._corpus import Corpus, read_corpus
from ..evaluation._docstrings import documented
from ..evaluation._fitted_fold import FittedFold
from ..evaluation._folds import run_folds
from ..evaluation._splits import split_corpus
from ..exceptions import DataError
from ..metrics import unweighted_average_recall
from ..recipes._steps import extractions
from ._members import members_of, without_temperature


@documented
def block_importance(
    pipeline: BaseEstimator,
    X: Bunch | Recordings,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    cv: CV = None,
    n_repeats: int = 5,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Permutation importance of each block of features for new speakers.

    In each fold, a block's features are shuffled among the clips of the test part [1]_. Layers of a
    pre-trained encoder are blocks too. Blocks with the same information hide each other's
    importance. In a vote, the names of blocks begin with their member, such as
    ``"network: mel"``.

    Parameters
    ----------
    pipeline : Pipeline
        A classifier of recordings, as the recipes make it; it is cloned, not changed.
    {corpus}
    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds, as in :func:`skser.evaluate`.
    n_repeats : int, default=5
        Number of times each block is shuffled in each fold.
    random_state : int, RandomState instance or None, default=0
        Seed of the shuffling.
    {folds}

    Returns
    -------
    importance : DataFrame
        A row for each block, the most important first: ``mean`` and ``sd`` over folds and repeats
        of the loss in unweighted average recall.

    Raises
    ------
    DataError
        As in :func:`skser.evaluate`, or the pipeline has neither a
        :class:`skser.FeatureUnionExtractor` nor a :class:`skser.SpeechEmbedding`.
    ParameterError
        A parameter has an invalid value.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning, 45(1), 2001.

    Examples
    --------
    >>> from skser.inspection import block_importance
    {example}
    >>> sorted(block_importance(pipeline, speech).index)
    ['rms', 'zcr']
    """
    check_value("n_repeats", n_repeats, integer(1))
    check_value("random_state", random_state, RANDOM_STATE)
    if next(extractions(pipeline), None) is None:
        raise DataError(
            "pipeline must have a FeatureUnionExtractor or SpeechEmbedding, whose blocks are "
            "shuffled; for a classifier of features, use "
            f"sklearn.inspection.permutation_importance, got {pipeline!r:.200}"
        )
    corpus = read_corpus(X, y, groups, pipeline=pipeline)
    _, splits = split_corpus(corpus, cv)
    seed = int(check_random_state(random_state).randint(2**31))
    folds = run_folds(
        pipeline,
        corpus,
        splits,
        measure=partial(_losses, n_repeats=n_repeats, seed=seed),
        name="feature importance",
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        verbose=verbose,
    )
    losses = pd.DataFrame([row for fold in folds for row in fold.measured])
    table = losses.groupby("block")["loss"].agg(mean="mean", sd="std")
    return table.sort_values("mean", ascending=False)


def _losses(
    fold: FittedFold, corpus: Corpus, test: np.ndarray, *, n_repeats: int, seed: int
) -> list[dict[str, Any]]:
    """Loss of UAR for each block and repeat in a fold."""
    # A temperature changes no label.
    fold = replace(fold, pipeline=without_temperature(fold.pipeline)[0])
    members = list(members_of(fold.pipeline, corpus.clips[test]))
    shares = np.array([member.share for member in members])
    params = fold.params(test)
    rng = np.random.default_rng(seed)

    def uar(probabilities: list[np.ndarray]) -> float:
        labels = fold.pipeline.classes_[soft_vote(probabilities, shares).argmax(axis=1)]
        return unweighted_average_recall(corpus.target[test], labels)

    rows = []
    with fold.routing():
        intact = [member.tail.predict_proba(member.features, **params) for member in members]
        before = uar(intact)
        for i, member in enumerate(members):
            for block in dict.fromkeys(member.blocks.tolist()):
                for _ in range(n_repeats):
                    features = member.shuffled(block, rng.permutation(len(test)))
                    shuffled = member.tail.predict_proba(features, **params)
                    loss = before - uar([*intact[:i], shuffled, *intact[i + 1 :]])
                    rows.append({"block": block, "loss": loss})
    return rows
