"""leakage_report: how much random folds, which share speakers, inflate a score."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from .._utils._types import CV, PathLike, Recordings
from ..exceptions import DataError, LeakageWarning
from ._comparison import compare
from ._corpus import as_corpus, known_speakers, read_corpus
from ._docstrings import documented
from ._evaluate import evaluate
from ._fitted_fold import features_kept
from ._result import Evaluation
from ._splits import default_cv, split_corpus


@dataclass(frozen=True, eq=False, repr=False)
class LeakageReport:
    """Scores of a pipeline on speakers of the training data, and on new ones.

    Parameters
    ----------
    random : Evaluation
        With folds of random clips.
    new_speakers : Evaluation
        With folds of speakers.
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


@documented
def leakage_report(
    pipeline: BaseEstimator,
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    cv: CV = None,
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    verbose: int = 0,
) -> LeakageReport:
    """Score a pipeline with random folds and with folds of new speakers.

    Clips of a speaker are alike, so random folds test a pipeline on voices that it was trained on.
    The gap is how much they inflate the score for new speakers.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features; it is cloned, not changed.
    {corpus}
    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds of new speakers, each trained on all clips that it does not test; None leaves out
        speakers as :func:`skser.evaluate` does, also if the corpus has a split.
    {folds}

    Returns
    -------
    report : LeakageReport
        Two evaluations with the same number of folds.

    Raises
    ------
    DataError
        The speakers are not known, or ``cv`` leaves clips out.

    Examples
    --------
    >>> from skser.evaluation import leakage_report
    {example}
    >>> leakage_report(pipeline, speech).to_frame().shape
    (5, 5)
    """
    bunch = as_corpus(X, y, groups, pipeline=pipeline)
    corpus = read_corpus(bunch, pipeline=pipeline)
    speakers = known_speakers(corpus)
    cv, splits = split_corpus(corpus, default_cv(speakers, corpus.items) if cv is None else cv)
    for number, (train, test) in enumerate(splits):
        if len(train) + len(test) < len(corpus.clips):
            raise DataError(
                "cv must train on all clips that it does not test, as random folds do, but fold "
                f"{number} leaves clips out"
            )
    random_folds = StratifiedKFold(len(splits), shuffle=True, random_state=0)
    with features_kept(pipeline, checkpoint) as cached:
        run = partial(
            evaluate, cached, bunch, n_jobs=n_jobs, checkpoint=checkpoint, verbose=verbose
        )
        new_speakers = run(cv=cv)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # the report measures it
            return LeakageReport(run(cv=random_folds), new_speakers)
