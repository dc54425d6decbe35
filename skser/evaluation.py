"""evaluate: label every clip of a corpus by a pipeline that was not trained on it, and score it."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from ._both_sides import warn_of_leakage, warn_of_tuning
from ._corpus_parts import Parts, divide, splitter_of, take_apart
from ._evaluation import KEPT, Evaluation, compare
from ._fitted_fold import FittedFold
from ._folds import Fold, history_of, run_folds, without_conveniences
from ._nested import steps_of
from ._protocol import describe_fitted, describe_protocol
from ._validation import N_JOBS, VERBOSE, check_is_fitted, check_value, one_of
from ._versions import versions
from .exceptions import DataError, SkserWarning
from .features import SpeakerNormalizer

__all__ = ["Evaluation", "compare", "evaluate"]


def evaluate(
    pipeline: Any,
    corpus: Bunch,
    *,
    cv: Any = None,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> Evaluation:
    """Label every clip of a corpus with a pipeline that was not trained on it, and score that.

    Where speakers are known, nobody who is tested is trained on, unless ``cv`` says otherwise;
    then there is a warning, as there is of recordings that are the same, byte for byte. What a clip
    is taken for is its most probable class, or what ``predict`` says where there are no
    probabilities; log loss and calibration error are NaN then.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed. Steps that ask for ``groups`` get
        the speakers.
    corpus : Bunch
        As a loader gives it: ``paths`` (or ``waveforms``), ``target``, and where they are known
        ``groups``, the speakers, and ``frame``.
    cv : splitter, iterable of (train, test), "prefit" or None, default=None
        Folds in which each clip is tested once. None leaves out one speaker at a time, up to ten,
        or ten groups of speakers; without speakers, five stratified folds. "prefit" takes a fitted
        pipeline as it is; then it is for you to know that it was fitted on others, and the other
        parameters do nothing.
    n_jobs : int or None, default=None
        Folds at a time.
    folder : str, path or None, default=None
        Keeps finished folds. The same call goes on with those that are missing; it may hold folds
        of many evaluations.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    DataError
        ``cv`` does not test each clip once, trains on what it tests, tests a class that it does not
        train on, or cannot divide these speakers; a label has the name of a column of the
        predictions; the pipeline gives what are no probabilities.

    Warns
    -----
    LeakageWarning
        Speakers, or recordings that are the same, are both trained on and tested; or the parameters
        of the pipeline were chosen on these clips, by :func:`skser.tuning.tune`.
    SkserWarning
        The clips that a :class:`skser.SpeakerNormalizer` is calibrated on lack most emotions.

    Examples
    --------
    >>> from skser import evaluate
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(
    ...     n_speakers=4, emotions=["angry", "sad"], n_takes=1, random_state=0
    ... )
    >>> pipeline = functionals(features__blocks=["rms"], augment__n_views=1)
    >>> evaluation = evaluate(pipeline, speech)
    >>> evaluation.protocol
    '4 folds (leave one speaker out), speaker-independent: nobody tested is trained on'
    >>> evaluation.to_frame().round(2).loc["uar", ["pooled", "low", "high"]].to_list()
    [0.96, 0.88, 1.0]
    """
    check_value("n_jobs", n_jobs, N_JOBS)
    check_value("verbose", verbose, VERBOSE)
    clips, target, groups, frame = take_apart(corpus, pipeline)
    warn_of_tuning(pipeline, clips)
    if isinstance(cv, str):
        check_value("cv", cv, one_of("prefit"))
        return _evaluate_fitted(pipeline, clips, target, groups, frame)
    _check_names(np.unique(target))
    cv = splitter_of(cv, target, groups)
    parts = divide(cv, frame, target, groups)
    warn_of_leakage(clips, groups, parts)
    _warn_of_calibration(pipeline, target, groups, parts)
    folds = run_folds(
        pipeline,
        clips,
        target,
        groups,
        parts,
        n_jobs=n_jobs,
        folder=folder,
        verbose=verbose,
    )
    classes = np.unique(target)
    probabilities = np.empty((len(clips), len(classes)))
    fold_of = np.empty(len(clips), int)
    for number, ((_, test), fold) in enumerate(zip(parts, folds, strict=True)):
        probabilities[test], fold_of[test] = fold.measured, number
    protocol = describe_protocol(pipeline, cv, parts, groups)
    table = _predictions(frame.assign(fold=fold_of), target, classes, probabilities)
    return _evaluation(pipeline, table, classes, folds, protocol)


def _evaluate_fitted(
    pipeline: Any,
    clips: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray | None,
    frame: pd.DataFrame,
) -> Evaluation:
    """Label all clips with a pipeline as it is."""
    check_is_fitted(pipeline, "classes_")
    classes = np.unique(pipeline.classes_)
    _check_names(classes)
    unseen = np.setdiff1d(target, classes)
    if len(unseen):
        raise DataError(
            f"target must have labels that the pipeline knows ({', '.join(map(str, classes))}), "
            f"got {unseen.tolist()[0]!r}"
        )
    start = time.perf_counter()
    probabilities = FittedFold(pipeline, groups).probabilities(
        clips, np.arange(len(clips)), classes
    )
    seconds = round(time.perf_counter() - start, 3)
    folds = [Fold(probabilities.tolist(), 0.0, seconds, history_of(pipeline))]
    table = _predictions(frame.assign(fold=0), target, classes, probabilities)
    return _evaluation(pipeline, table, classes, folds, describe_fitted(pipeline))


def _check_names(classes: np.ndarray) -> None:
    """Raise DataError for labels that would be taken for another column of the predictions."""
    columns = ("path", *KEPT, "fold", "emotion", "predicted", "confidence", "of_truth")
    for name in classes.tolist():
        if name in columns:
            raise DataError(
                f"target must have no label named as a column of the predictions is "
                f"({', '.join(columns)}), got {name!r}"
            )


def _warn_of_calibration(pipeline: Any, target: np.ndarray, groups: Any, parts: Parts) -> None:
    """Warn if the first clips of a new speaker are of fewer than half of their emotions."""
    numbers = [s.n_calibration for s in steps_of(pipeline) if isinstance(s, SpeakerNormalizer)]
    for n_calibration in {number for number in numbers if number is not None}:
        for train, test in parts:
            for speaker in np.setdiff1d(groups[test], groups[train]):
                own = target[test[groups[test] == speaker]]
                n_heard, n_all = (len(np.unique(part)) for part in (own[:n_calibration], own))
                if 2 * n_heard < n_all:
                    warnings.warn(
                        f"n_calibration={n_calibration}: the first clips of {speaker!s} are of "
                        f"{n_heard} of {n_all} emotions, which is what their voice is then taken "
                        "for; shuffle the clips of the corpus",
                        SkserWarning,
                        stacklevel=3,
                    )
                    return


def _predictions(
    frame: pd.DataFrame, target: np.ndarray, classes: np.ndarray, probabilities: np.ndarray
) -> pd.DataFrame:
    kept = frame[["path", *(name for name in KEPT if name in frame), "fold"]]
    for name in ("corpus", "gender"):  # of a part of the clips only, where corpora were merged
        if name in kept:
            kept = kept.assign(**{name: kept[name].astype(object).where(kept[name].notna(), "?")})
    labelled = kept.assign(emotion=target, predicted=classes[probabilities.argmax(axis=1)])
    return pd.concat([labelled, pd.DataFrame(probabilities, columns=classes)], axis=1)


def _evaluation(
    pipeline: Any,
    predictions: pd.DataFrame,
    classes: np.ndarray,
    folds: list[Fold],
    protocol: str,
) -> Evaluation:
    text = describe_pipeline(pipeline)
    has_probabilities = hasattr(pipeline, "predict_proba")
    return Evaluation(predictions, classes, folds, protocol, text, versions(), has_probabilities)


def describe_pipeline(pipeline: Any) -> str:
    """A pipeline with those parameters that are not its defaults and that change scores."""
    plain = without_conveniences(pipeline)
    is_usual = type(plain).__repr__ is BaseEstimator.__repr__
    return plain.__repr__(N_CHAR_MAX=10**6) if is_usual else repr(plain)  # which is shortened
