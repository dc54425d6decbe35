"""Folds in which a search scores pipelines."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import BaseCrossValidator, GroupKFold

from .._utils._types import CV, Splitter
from ..evaluation._corpus import Corpus
from ..evaluation._splits import Splits, own_split, random_cv, split_corpus

_MAX_FOLDS = 5


def study_folds(corpus: Corpus, cv: CV = None) -> tuple[Splitter, Splits]:
    """The splitter meant by ``cv``, and its folds.

    None is the own split of the corpus, else five groups of speakers, each left out in turn.
    """
    if cv is None:
        cv = own_split(corpus.frame.get("split", [])) or _default_cv(corpus)
    return split_corpus(corpus, cv)


def _default_cv(corpus: Corpus) -> BaseCrossValidator:
    if corpus.groups is None:
        return random_cv(corpus.items, _MAX_FOLDS)
    return GroupKFold(min(_MAX_FOLDS, max(len(np.unique(corpus.groups)), 2)))
