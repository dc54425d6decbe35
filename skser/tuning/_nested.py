"""Nested cross-validation: each fold tunes the parameters without the speakers that it tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Bunch

from .._utils._hashing import fingerprint
from .._utils._types import CV, PathLike, RandomState, Recordings
from ..evaluation import Evaluation, evaluate
from ..evaluation._corpus import Corpus, as_corpus
from ..evaluation._folds import signature, without_conveniences
from ..evaluation._groups_mixin import PredictsWithGroups
from ..recipes._labels import check_folds_needs
from ._folds import study_folds
from ._tune import tune
from .spaces import Space, search_space


class TunedClassifier(PredictsWithGroups, ClassifierMixin, BaseEstimator):
    """A pipeline that tunes its own parameters in ``fit``.

    It is to `tune` what `sklearn.model_selection.GridSearchCV` is to a grid: its score on clips
    that it was not fitted on, by `skser.evaluate` or `cross_val_score`, includes the tuning.

    Parameters
    ----------
    estimator : estimator
        A classifier of recordings, or of features.
    space, n_trials, timeout, cv, n_jobs : optional
        As in `tune`.
    checkpoint : str, path or None, default=None
        Folder of the studies, one for each set of clips, and of what their trials share. The same
        fit resumes its study there.
    random_state : int, RandomState instance or None, default=None
        As in `tune`.

    Attributes
    ----------
    tuning_ : Tuning
        The study.
    best_params_ : dict
        Parameters of its best trial.
    best_estimator_ : estimator
        The pipeline with these parameters, fitted on all clips.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> from skser.tuning import TunedClassifier
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> tuned = TunedClassifier(pipeline, n_trials=2, random_state=0)
    >>> tuned = tuned.fit(speech.waveforms, speech.target, groups=speech.groups)
    >>> tuned.predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    """

    _fitted_name = "best_estimator_"

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        space: Space | None = None,
        n_trials: int = 20,
        timeout: float | None = None,
        cv: CV = None,
        n_jobs: int | None = None,
        checkpoint: PathLike | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.timeout = timeout
        self.cv = cv
        self.n_jobs = n_jobs
        self.checkpoint = checkpoint
        self.random_state = random_state

    def fit(
        self, X: Recordings | ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> TunedClassifier:
        """Tune on folds of the clips, and fit the best pipeline on all of them.

        Parameters
        ----------
        X : array-like of length n_clips
            Recordings, waveforms, or features.
        y : array of shape (n_clips,)
            Labels.
        groups : array of shape (n_clips,) or None, default=None
            Speakers.

        Returns
        -------
        self : TunedClassifier

        Raises
        ------
        ParameterError, DataError, StudyError
            As in `tune`.
        """
        params = self.get_params(deep=False)
        pipeline, checkpoint = clone(params.pop("estimator")), params.pop("checkpoint")
        corpus, storage = as_corpus(X, y, groups, pipeline=pipeline), None
        if checkpoint is not None:
            parts = {
                "estimator": without_conveniences(self),
                "clips": _signatures(corpus),
                "labels": [np.asarray(y), groups],
            }
            Path(checkpoint).mkdir(parents=True, exist_ok=True)
            storage = Path(checkpoint, f"{fingerprint(parts, parameter='checkpoint')}.journal")
        self.tuning_ = tune(pipeline, corpus, storage=storage, memory=checkpoint, **params)
        self.best_params_ = self.tuning_.best_params
        self.best_estimator_ = self.tuning_.best_pipeline()
        self.classes_ = self.best_estimator_.classes_
        return self

    def _check_needs(self, labels: np.ndarray, groups: np.ndarray | None) -> None:
        """Raise DataError if a fold has too few clips for the pipeline."""
        numbers = np.arange(len(labels))
        corpus = Corpus(numbers, labels, groups, pd.DataFrame({"path": numbers}))
        splits = study_folds(corpus, self.cv)[1]
        check_folds_needs(self.estimator, labels, groups, splits)

    @property
    def tuning_protocol(self) -> str:
        """End of the protocol of its scores."""
        return (
            f"; parameters are tuned anew in each fold, by {self.n_trials} trials on the speakers "
            "that are trained on"
        )


def nested_evaluate(
    pipeline: BaseEstimator,
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    space: Space | None = None,
    n_trials: int = 20,
    timeout: float | None = None,
    cv: CV = None,
    inner_cv: CV = None,
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    random_state: RandomState = None,
    verbose: int = 0,
) -> Evaluation:
    """Score a pipeline whose parameters are tuned, on speakers that the tuning does not use.

    Each fold runs a study on its training speakers, fits the best pipeline on them, and labels the
    test speakers. The best score of a single study is optimistic instead, because the clips that
    it is scored on chose it [1]_.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features; it is cloned, not changed.
    X, y, groups, space, n_trials, timeout : optional
        As in `tune`.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds that are scored, as in `skser.evaluate`.
    inner_cv : splitter or None, default=None
        Folds of each study. None leaves out five groups of the training speakers in turn.
    n_jobs : int or None, default=None
        Number of studies at a time.
    checkpoint : str, path or None, default=None
        Folder of finished folds, studies and features; the same call resumes there.
    random_state : int, RandomState instance or None, default=None
        As in `tune`.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    ParameterError, DataError, StudyError
        As in `tune`.

    References
    ----------
    .. [1] G. C. Cawley and N. L. C. Talbot, "On over-fitting in model selection and subsequent
       selection bias in performance evaluation", Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> from skser.tuning import nested_evaluate
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> nested_evaluate(pipeline, speech, n_trials=2, random_state=0).protocol.partition("; ")[2]
    'parameters are tuned anew in each fold, by 2 trials on the speakers that are trained on'
    """
    tuned = TunedClassifier(
        pipeline,
        space=search_space(pipeline) if space is None else space,
        n_trials=n_trials,
        timeout=timeout,
        cv=inner_cv,
        checkpoint=None if checkpoint is None else Path(checkpoint) / "studies",
        random_state=random_state,
    )
    return evaluate(
        tuned, X, y, groups=groups, cv=cv, n_jobs=n_jobs, checkpoint=checkpoint, verbose=verbose
    )


def _signatures(corpus: Bunch) -> object:
    """What identifies the clips of a corpus that `as_corpus` has made."""
    if "data" in corpus:
        return np.asarray(corpus["data"])
    return [signature(clip) for clip in corpus.get("paths", corpus.get("waveforms"))]
