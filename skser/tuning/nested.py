"""Nested cross-validation: parameters are tuned anew, without the speakers that are then tested."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples

from .._checks import check_labels
from .._evaluation import Evaluation
from .._fitted_fold import FittedFold
from .._folds import signature, without_conveniences
from .._identity import identify, own_code
from .._validation import check_is_fitted
from .._versions import versions
from ..evaluation import evaluate
from .spaces import Space, search_space
from .tune import tune

__all__ = ["TunedClassifier", "nested_evaluate"]


class TunedClassifier(ClassifierMixin, BaseEstimator):
    """A pipeline that tunes its own parameters when it is fitted.

    What `sklearn.model_selection.GridSearchCV` is for a grid, this is for a study: whoever scores
    it on clips that it was not fitted on, by `skser.evaluate` or `cross_val_score`, scores the
    tuning as well.

    Parameters
    ----------
    estimator : estimator
        From recordings to emotions.
    space : callable or None, default=None
        ``space(trial) -> params``; None takes `search_space`.
    n_trials : int, default=20
        Trials of a study.
    timeout : float or None, default=None
        Seconds after which no further trial begins.
    cv : splitter or None, default=None
        Folds of the clips that it is fitted on. None leaves out five groups of speakers in turn.
    n_jobs : int or None, default=None
        Folds at a time.
    folder : str, path or None, default=None
        Keeps studies, one for each set of clips that it was fitted on, features, and fits that
        trials share; a fit that was killed goes on where it was.
    random_state : int, RandomState instance or None, default=None
        Seed of what is suggested.

    Attributes
    ----------
    tuning_ : Tuning
        The study.
    best_params_ : dict
        What it chose.
    best_estimator_ : estimator
        The pipeline with these, fitted on all clips.
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

    # scikit-learn then routes `groups` here without being asked.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__predict: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, Any]] = {"groups": True}

    def __init__(
        self,
        estimator: Any,
        space: Space | None = None,
        *,
        n_trials: int = 20,
        timeout: float | None = None,
        cv: Any = None,
        n_jobs: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.timeout = timeout
        self.cv = cv
        self.n_jobs = n_jobs
        self.folder = folder
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> TunedClassifier:
        """Tune on folds of the clips, and fit what was best on all of them.

        Parameters
        ----------
        X : array of shape (n_clips,)
            Recordings, or waveforms.
        y : array of shape (n_clips,)
            Labels.
        groups : array of shape (n_clips,) or None, default=None
            Speakers.

        Returns
        -------
        self : TunedClassifier
        """
        check_labels(y, _num_samples(X))
        clips = list(X)
        kind = "waveforms" if isinstance(clips[0], np.ndarray) else "paths"
        storage = None
        if self.folder is not None:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
            what = (identify(without_conveniences(self)), own_code(), versions())
            of_clips = [signature(clip) for clip in clips]
            key = joblib.hash((what, of_clips, np.asarray(y), groups))
            storage = Path(self.folder) / f"{key}.journal"
        self.tuning_ = tune(
            clone(self.estimator),
            Bunch(**{kind: clips}, target=y, groups=groups),
            search_space(self.estimator) if self.space is None else self.space,
            n_trials=self.n_trials,
            timeout=self.timeout,
            cv=self.cv,
            n_jobs=self.n_jobs,
            storage=storage,
            folder=self.folder,
            random_state=self.random_state,
        )
        self.best_params_ = self.tuning_.best_params
        self.best_estimator_ = self.tuning_.best_pipeline()
        self.classes_ = self.best_estimator_.classes_
        return self

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))
    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Probabilities of the labels by the best pipeline.

        Parameters
        ----------
        X : array of shape (n_clips,)
            Recordings, or waveforms.
        groups : array of shape (n_clips,) or None, default=None
            Speakers, for a pipeline that asks for them.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        return self._ask("predict_proba", X, groups)

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Labels by the best pipeline; parameters as of `predict_proba`."""
        return self._ask("predict", X, groups)

    @property
    def tuning_protocol(self) -> str:
        """What belongs into the protocol of a score of this."""
        return (
            f"; parameters are tuned anew in each fold, by {self.n_trials} trials on the speakers "
            "that are trained on"
        )

    def _ask(self, method: str, X: Any, groups: Any) -> np.ndarray:
        check_is_fitted(self, "best_estimator_")
        fold = FittedFold(self.best_estimator_, None if groups is None else np.asarray(groups))
        with fold.routing():
            return getattr(self.best_estimator_, method)(X, **fold.group_params())


def nested_evaluate(
    pipeline: Any,
    corpus: Bunch,
    space: Space | None = None,
    *,
    n_trials: int = 20,
    timeout: float | None = None,
    cv: Any = None,
    inner_cv: Any = None,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> Evaluation:
    """Score a pipeline whose parameters are tuned, on speakers that nothing was tuned on.

    For each fold a study of its own is run on the speakers that are trained on, the best of it is
    fitted on them, and labels the others. The best score of a single study, by contrast, was chosen
    on the very clips that it is of [1]_.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpus : Bunch
        As a loader gives it.
    space : callable or None, default=None
        ``space(trial) -> params``; None takes `search_space`.
    n_trials : int, default=20
        Trials of each study.
    timeout : float or None, default=None
        Seconds after which no further trial of a study begins.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds that are scored, as in `skser.evaluate`.
    inner_cv : splitter or None, default=None
        Folds of each study. None leaves out five groups of the remaining speakers in turn.
    n_jobs : int or None, default=None
        Studies at a time.
    folder : str, path or None, default=None
        Keeps finished folds, trials, features and fits; the same call goes on where it was.
    random_state : int, RandomState instance or None, default=None
        Seed of what is suggested.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    evaluation : Evaluation

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
    >>> evaluation = nested_evaluate(pipeline, speech, n_trials=2, random_state=0)
    >>> evaluation.protocol.partition("; ")[2]
    'parameters are tuned anew in each fold, by 2 trials on the speakers that are trained on'
    """
    tuned = TunedClassifier(
        pipeline,
        search_space(pipeline) if space is None else space,
        n_trials=n_trials,
        timeout=timeout,
        cv=inner_cv,
        folder=None if folder is None else Path(folder) / "studies",
        random_state=random_state,
    )
    return evaluate(tuned, corpus, cv=cv, n_jobs=n_jobs, checkpoint=folder, verbose=verbose)
