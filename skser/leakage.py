"""leakage_report: how much random folds, with the same speakers on both sides, flatter a score."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from ._corpus_parts import divide, splitter_of, take_apart
from ._evaluation import Evaluation, compare
from ._fitted_fold import features_kept
from .evaluation import evaluate
from .exceptions import DataError, LeakageWarning

__all__ = ["LeakageReport", "leakage_report"]


@dataclass(frozen=True, eq=False, repr=False)
class LeakageReport:
    """What a pipeline scores on speakers who are trained on, and on new ones.

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
            ``high``, which hold 95 % of its bootstrap over speakers.
        """
        table = compare(self.new_speakers, self.random)
        names = {"a": "new_speakers", "b": "random", "difference": "gap"}
        return table.rename(columns=names)[["random", "new_speakers", "gap", "low", "high"]]

    def __repr__(self) -> str:
        uar = self.to_frame().loc["uar"]
        return (
            f"<UAR {uar['random']:.3f} with random folds, {uar['new_speakers']:.3f} for new "
            f"speakers: a gap of {uar['gap']:.3f} (95 % {uar['low']:.3f} to {uar['high']:.3f})>"
        )


def leakage_report(
    pipeline: Any,
    corpus: Bunch,
    *,
    cv: Any = None,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> LeakageReport:
    """Score a pipeline on random clips and on new speakers.

    Clips of a speaker are alike, so with random folds a pipeline is asked what it has heard
    already. The gap is how far such a score misleads about new speakers.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpus : Bunch
        As a loader gives it, with speakers as ``groups``.
    cv : splitter or None, default=None
        Folds of new speakers, in which all others are trained on; None as in
        :func:`skser.evaluate`.
    n_jobs, folder, verbose
        As in :func:`skser.evaluate`.

    Returns
    -------
    report : LeakageReport
        Both evaluations have as many folds.

    Raises
    ------
    DataError
        The speakers are not known, or ``cv`` leaves clips out.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.leakage import leakage_report
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(
    ...     n_speakers=4, emotions=["angry", "sad"], n_takes=1, random_state=0
    ... )
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> leakage_report(pipeline, speech).to_frame().shape
    (5, 5)
    """
    _, target, groups, frame = take_apart(corpus, pipeline)
    if groups is None:
        raise DataError("corpus must have groups, the speakers, got None")
    cv = splitter_of(cv, target, groups)
    for number, parts in enumerate(divide(cv, frame, target, groups)):
        if sum(map(len, parts)) < len(target):
            raise DataError(
                "cv must train on all whom it does not test, as random folds do, but fold "
                f"{number} leaves clips out"
            )
    with features_kept(pipeline, folder) as kept:
        run = partial(evaluate, kept, corpus, n_jobs=n_jobs, folder=folder, verbose=verbose)
        new_speakers = run(cv=cv)
        folds = StratifiedKFold(len(new_speakers.folds), shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeakageWarning)  # which is what is measured
            random = run(cv=folds)
    return LeakageReport(random, new_speakers)
