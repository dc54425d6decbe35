"""leakage_report: how much random folds, which share speakers, inflate a score."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from sklearn.model_selection import StratifiedKFold

from ..exceptions import DataError, LeakageWarning
from ._comparison import compare
from ._corpus import as_corpus, known_speakers, read_corpus
from ._evaluate import evaluate
from ._fitted_fold import features_kept
from ._result import Evaluation
from ._splits import split_corpus

__all__ = ["LeakageReport", "leakage_report"]


@dataclass(frozen=True, eq=False, repr=False)
class LeakageReport:
    """Scores of a pipeline on speakers of the training data, and on new ones.

    Attributes
    ----------
    random : Evaluation
        With folds of random clips.
    new_speakers : Evaluation
        With folds of whole speakers.
    """

    random: Evaluation
    new_speakers: Evaluation

    def to_frame(self) -> pd.DataFrame:
        """Both scores and the gap.

        Returns
        -------
        table : DataFrame
            A row for each score: ``random``, ``new_speakers``, their ``gap``, and ``low`` and
            ``high``, its 95 % bootstrap interval over speakers.
        """
        table = compare(self.new_speakers, self.random)
        names = {"baseline": "new_speakers", "other": "random", "difference": "gap"}
        return table.rename(columns=names)[["random", "new_speakers", "gap", "low", "high"]]

    def __repr__(self) -> str:
        uar = self.to_frame().loc["uar"]
        return (
            f"<UAR {uar['random']:.3f} with random folds, {uar['new_speakers']:.3f} for new "
            f"speakers: a gap of {uar['gap']:.3f} (95 % {uar['low']:.3f} to {uar['high']:.3f})>"
        )


def leakage_report(
    pipeline: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> LeakageReport:
    """Score a pipeline with random folds and with folds of new speakers.

    Clips of a speaker are alike, so random folds test a pipeline on voices that it was trained on.
    The gap is how much they inflate the score for new speakers.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    X, y, groups
        A corpus with speakers, as in :func:`skser.evaluate`.
    cv : splitter or None, default=None
        Folds of new speakers, each trained on all clips that it does not test; None as in
        :func:`skser.evaluate`.
    n_jobs, checkpoint, verbose
        As in :func:`skser.evaluate`.

    Returns
    -------
    report : LeakageReport
        Both evaluations have the same number of folds.

    Raises
    ------
    DataError
        The speakers are not known, or ``cv`` leaves clips out.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.evaluation._leakage_report import leakage_report
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> leakage_report(pipeline, speech).to_frame().shape
    (5, 5)
    """
    bunch = as_corpus(X, y, groups)
    corpus = read_corpus(pipeline, bunch)
    known_speakers(corpus)
    cv, splits = split_corpus(corpus, cv)
    for number, split in enumerate(splits):
        if sum(map(len, split)) < len(corpus.clips):
            raise DataError(
                "cv must train on all clips that it does not test, as random folds do, but fold "
                f"{number} leaves clips out"
            )
    with features_kept(pipeline, checkpoint) as cached:
        run = partial(
            evaluate, cached, bunch, n_jobs=n_jobs, checkpoint=checkpoint, verbose=verbose
        )
        new_speakers = run(cv=cv)
        folds = StratifiedKFold(len(new_speakers.folds), shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # the report measures it
            random = run(cv=folds)
    return LeakageReport(random, new_speakers)
