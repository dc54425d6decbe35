"""evaluate: label every clip of a corpus by a pipeline that was not trained on it, and score it."""

from __future__ import annotations

import time
import warnings
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from .._utils._param_validation import check_is_fitted
from .._utils._types import CV, PathLike, Recordings
from .._utils._versions import versions
from ..audio._silence import warn_of_silence
from ..exceptions import DataError, ParameterError, SkserWarning
from ..features import SpeakerNormalizer
from ..recipes._steps import loader_of, pretrained_encoders, steps_of
from ._corpus import Corpus, known_speakers, read_corpus
from ._docstrings import documented
from ._fitted_fold import FittedFold
from ._folds import Fold, history_of, run_folds
from ._leakage_checks import warn_of_tuning
from ._protocol import describe_cv, describe_fitted, describe_pipeline, describe_protocol
from ._result import COLUMNS, KEPT, Evaluation
from ._splits import Splits, split_corpus


@documented
def evaluate(
    pipeline: BaseEstimator,
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    cv: CV | Literal["prefit"] = None,
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    verbose: int = 0,
) -> Evaluation:
    """Label every clip of a corpus with a pipeline that was not trained on it, and score that.

    If speakers are known, no tested speaker is trained on, unless ``cv`` or the corpus' own split
    says otherwise. The predicted label is the most probable class; without ``predict_proba``, it is
    the label of ``predict``, and log loss and calibration error are NaN.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features (see Notes); it is cloned, not changed. Steps
        that consume ``groups`` get the speakers; those that consume ``domains`` get the corpora,
        from the column ``corpus`` of ``frame``, and those that request ``sample_weight`` get
        weights that make several corpora count alike
        (:func:`skser.recipes.standardize_by_corpus`).
    {corpus}
    cv : int, splitter, iterable of (train, test), "prefit" or None, default=None
        Folds in which each clip is tested once. None leaves out one speaker at a time, up to ten,
        or ten groups of speakers; without speakers, five stratified folds, of whole recordings if
        some clips are segments. If ``frame`` has a
        column ``split`` of "train", "test" and "val", as :func:`skser.datasets.load_folder` finds
        it, None tests "test" alone (or "val", if there is no "test"), and trains on the rest.
        "prefit" scores a fitted pipeline, which should have been fitted on other speakers; the
        parameters below are then ignored.
    {folds}

    Returns
    -------
    evaluation : Evaluation
        Predictions, from which all scores follow.

    Raises
    ------
    DataError
        ``X``, ``y`` and ``groups`` do not belong together; ``cv`` cannot divide them, does not test
        each clip once, trains on a clip that it tests, or tests a class that it does not train on;
        a label has the name of a column of the predictions; the pipeline returns negative or
        infinite probabilities.
    ParameterError
        A parameter has an invalid value, or the pipeline cannot be hashed for ``checkpoint``.

    Warns
    -----
    AudioWarning
        Recordings are silent or constant.
    LeakageWarning
        Speakers, or recordings that are equal byte for byte, are both trained on and tested; or
        :func:`skser.tuning.tune` chose the parameters of the pipeline on these clips.
    SkserWarning
        The clips that a :class:`skser.SpeakerNormalizer` is calibrated on lack most emotions, or
        every clip has a speaker of its own.

    Notes
    -----
    A classifier of features, without a step of skser that reads recordings, is evaluated on an
    array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), on a DataFrame, or on a
    Bunch that has them as ``data``.

    Examples
    --------
    >>> from skser import evaluate
    {example}
    >>> evaluation = evaluate(pipeline, speech.waveforms, speech.target, groups=speech.groups)
    >>> evaluation.protocol
    '4 folds (leave one speaker out), speaker-independent: nobody tested is trained on'
    >>> evaluation.to_frame().index.tolist()
    ['uar', 'accuracy', 'macro_f1', 'log_loss', 'calibration_error']
    """
    corpus = read_corpus(X, y, groups, pipeline=pipeline)
    warn_of_tuning(pipeline, corpus.items)
    classes = np.unique(corpus.target)
    if isinstance(cv, str):
        if cv != "prefit":
            raise ParameterError(
                f"cv must be an integer, a splitter, splits, 'prefit' or None, got {cv!r}"
            )
        check_is_fitted(pipeline, "classes_")
        classes = np.unique(pipeline.classes_)
    for name in classes.tolist():
        if name in COLUMNS:
            raise DataError(
                f"target must have no label named as a column of the predictions "
                f"({', '.join(COLUMNS)}), got {name!r}"
            )
    if not corpus.has_features:
        warn_of_silence(corpus.clips, loader_of(pipeline), stacklevel=2)
    if isinstance(cv, str):
        splits, folds = _evaluate_fitted(pipeline, corpus, classes)
        protocol = describe_fitted(pipeline)
    else:
        cv, splits = split_corpus(corpus, cv)
        _warn_of_calibration(pipeline, corpus, splits)
        folds = run_folds(
            pipeline,
            corpus,
            splits,
            name=f"folds ({describe_cv(cv)})",
            n_jobs=n_jobs,
            checkpoint=checkpoint,
            verbose=verbose,
        )
        protocol = describe_protocol(pipeline, cv, splits, corpus.groups)
    return Evaluation(
        _predictions(corpus, classes, splits, folds),
        classes,
        folds,
        protocol,
        describe_pipeline(pipeline),
        versions(),
        hasattr(pipeline, "predict_proba"),
        pretrained_encoders(pipeline),
    )


def _evaluate_fitted(
    pipeline: BaseEstimator, corpus: Corpus, classes: np.ndarray
) -> tuple[Splits, list[Fold]]:
    """Label all clips with a fitted pipeline, as a single fold."""
    if len(unknown := np.setdiff1d(corpus.target, classes)):
        raise DataError(
            f"target must have labels that the pipeline knows ({', '.join(map(str, classes))}), "
            f"got {unknown.tolist()[0]!r}"
        )
    test = np.arange(len(corpus.clips))
    start = time.perf_counter()
    # As in use, where recordings have no corpus that the pipeline knows.
    known = {name: values for name, values in corpus.metadata.items() if name != "domains"}
    fold = FittedFold(pipeline, known)
    probabilities = fold.probabilities(corpus.clips, test, classes)
    seconds = round(time.perf_counter() - start, 3)
    return [(test[:0], test)], [Fold(probabilities.tolist(), 0.0, seconds, history_of(pipeline))]


def _warn_of_calibration(pipeline: BaseEstimator, corpus: Corpus, splits: Splits) -> None:
    """Warn if the first clips of a new speaker have fewer than half of their emotions."""
    steps = [step for step in steps_of(pipeline) if isinstance(step, SpeakerNormalizer)]
    for n_calibration in {step.n_calibration for step in steps} - {None}:
        groups = known_speakers(corpus)
        for train, test in splits:
            for speaker in np.setdiff1d(groups[test], groups[train]):
                labels = corpus.target[test[groups[test] == speaker]]
                n_first, n_all = len(np.unique(labels[:n_calibration])), len(np.unique(labels))
                if 2 * n_first < n_all:
                    warnings.warn(
                        f"n_calibration={n_calibration}: the first clips of {speaker!s} have only "
                        f"{n_first} of {n_all} emotions, so they do not represent the voice; "
                        "shuffle the clips of the corpus",
                        SkserWarning,
                        stacklevel=3,
                    )
                    return


def _predictions(
    corpus: Corpus, classes: np.ndarray, splits: Splits, folds: list[Fold]
) -> pd.DataFrame:
    """The table of predictions of all folds."""
    probabilities = np.zeros((len(corpus.clips), len(classes)))
    fold_of = np.full(len(corpus.clips), -1)
    for number, ((_, test), fold) in enumerate(zip(splits, folds, strict=True)):
        probabilities[test], fold_of[test] = fold.measured, number
    table = corpus.frame.filter(["path", *KEPT])
    for name in table.columns.intersection(["corpus", "gender"]):
        # They are known for some clips only if corpora were merged.
        table[name] = table[name].astype(object).where(table[name].notna(), "?")
    table = table.assign(
        fold=fold_of, emotion=corpus.target, predicted=classes[probabilities.argmax(axis=1)]
    )
    table = pd.concat([table, pd.DataFrame(probabilities, columns=classes)], axis=1)
    return table[fold_of >= 0]  # the index is the number of the clip in the corpus
