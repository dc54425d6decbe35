"""Calibrated probabilities: one temperature, from answers about speakers not trained on."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils.validation import _check_method_params, _num_samples

from ._checks import check_labels, check_speakers
from ._evaluation import Evaluation
from ._fitted_fold import FittedFold, asks
from ._nested import check_gives_probabilities
from ._protocol import is_speaker_independent
from ._temperature import at_temperature, log_probabilities
from ._validation import check_is_fitted
from .exceptions import DataError, ParameterError

__all__ = ["TemperatureScaledClassifier", "calibrate", "fit_temperature"]

# What is found beyond would say that all answers, or none, are certain.
_LOWEST, _HIGHEST = 0.05, 20.0
_N_FOLDS = 5


def fit_temperature(y_true: Any, y_prob: Any, classes: Any) -> float:
    """Temperature that makes probabilities say how often they are right.

    It is the T that minimises the log loss of ``softmax(log(p) / T)`` [1]_. Above 1 it makes
    answers less sure, below 1 surer; which emotion is the most probable stays as it is.

    Parameters
    ----------
    y_true : array of shape (n_clips,)
        True labels.
    y_prob : array of shape (n_clips, n_classes)
        Probabilities, given by a pipeline that was not trained on these clips.
    classes : array of shape (n_classes,)
        The labels, in the order of the probabilities.

    Returns
    -------
    temperature : float
        From 0.05 to 20.

    Raises
    ------
    DataError
        There are no clips, not one row of probabilities for each, not one column for each class, or
        a label that is none of the classes.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.calibration import fit_temperature
    >>> truth = ["calm"] * 8 + ["sad"] * 2
    >>> round(fit_temperature(truth, np.tile([0.9, 0.1], (10, 1)), ["calm", "sad"]), 3)
    1.585
    """
    from scipy.optimize import minimize_scalar

    from .metrics import index_labels

    truth, probabilities = index_labels(y_true, y_prob, classes)
    scores = log_probabilities(probabilities)
    rows = np.arange(len(truth))

    def log_loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        highest = scaled.max(axis=1)
        total = highest + np.log(np.exp(scaled - highest[:, np.newaxis]).sum(axis=1))
        return float(np.mean(total - scaled[rows, truth]))

    # Convex in 1 / T, so there is one minimum.
    bounds = (np.log(_LOWEST), np.log(_HIGHEST))
    found = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


class TemperatureScaledClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A pipeline whose probabilities say how often it is right.

    In `fit`, clones of the pipeline label clips of speakers whom they were not trained on. From
    these answers one number is taken, the temperature (see :func:`fit_temperature`), and the
    pipeline is then fitted on all clips. The labels are those of the pipeline alone.

    Parameters
    ----------
    estimator : estimator
        From recordings to emotions, with ``predict_proba``.
    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds that the temperature is from; an integer is a number of folds. They are of whole
        speakers where `fit` is given ``groups``. None makes five, or as many as speakers or clips
        allow.

    Attributes
    ----------
    estimator_ : estimator
        The pipeline, fitted on all clips.
    temperature_ : float
        The temperature.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    See Also
    --------
    calibrate : The same from an evaluation, without training anything.

    Notes
    -----
    Without ``groups``, folds are of clips: a pipeline is surer of speakers whom it knows, so the
    temperature is then too low for new ones. Clips of a class that their fold was not trained on do
    not count.

    Examples
    --------
    >>> from skser.calibration import TemperatureScaledClassifier
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=3, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> scaled = TemperatureScaledClassifier(pipeline)
    >>> scaled = scaled.fit(speech.waveforms, speech.target, groups=speech.groups)
    >>> scaled.predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    >>> 0 < scaled.temperature_ < 20
    True
    """

    # scikit-learn then routes `groups` here without being asked.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__predict: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__predict_proba: ClassVar[dict[str, Any]] = {"groups": True}

    def __init__(self, estimator: Any, *, cv: Any = None) -> None:
        self.estimator = estimator
        self.cv = cv

    @classmethod
    def of(cls, pipeline: Any, temperature: float) -> TemperatureScaledClassifier:
        """A fitted pipeline at a temperature that is known; it holds the pipeline itself."""
        return cls(pipeline)._keep(pipeline, temperature)

    def fit(
        self, X: Any, y: Any, groups: Any = None, **fit_params: Any
    ) -> TemperatureScaledClassifier:
        """Take the temperature from folds, and fit the pipeline on all clips.

        Parameters
        ----------
        X : sequence of recordings or array of shape (n_clips, ...)
            What the pipeline takes.
        y : array of shape (n_clips,)
            Labels.
        groups : array of shape (n_clips,) or None, default=None
            Speakers.
        **fit_params : dict
            Further arguments of the pipeline's ``fit``; those with a row for each clip are divided
            as the clips are.

        Returns
        -------
        self : TemperatureScaledClassifier

        Raises
        ------
        ParameterError
            ``estimator`` is no classifier with ``predict_proba``.
        DataError
            Labels or speakers are not what is needed, or cannot be divided.
        """
        if not is_classifier(self.estimator) or not hasattr(self.estimator, "predict_proba"):
            raise ParameterError(
                f"estimator must be a classifier with predict_proba, got {self.estimator!r:.200}"
            )
        labels = check_labels(y, _num_samples(X))
        (X,) = indexable(X)
        speakers = None if groups is None else check_speakers(groups, len(labels))
        classes = np.unique(labels)
        truth, probabilities = [], []
        for train, test in self._parts(labels, speakers):
            fold = _fit(self.estimator, X, labels, speakers, fit_params, train)
            known = test[np.isin(labels[test], labels[train])]
            if len(known):
                truth.append(labels[known])
                asked = _safe_indexing(X, known)
                whose = None if speakers is None else speakers[known]
                found = FittedFold(fold.pipeline, whose).probabilities(asked, slice(None), classes)
                probabilities.append(found)
        if not truth:
            raise DataError("cv must test clips of classes that it trains on, got none")
        everything = np.arange(len(labels))
        temperature = fit_temperature(np.concatenate(truth), np.concatenate(probabilities), classes)
        fitted = _fit(self.estimator, X, labels, speakers, fit_params, everything).pipeline
        return self._keep(fitted, temperature)

    def predict_proba(self, X: Any, groups: Any = None) -> np.ndarray:
        """Calibrated probabilities of the labels.

        Parameters
        ----------
        X : sequence of recordings or array of shape (n_clips, ...)
            What the pipeline takes.
        groups : array of shape (n_clips,) or None, default=None
            Speakers, for a pipeline that asks for them.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        return at_temperature(self._ask("predict_proba", X, groups), self.temperature_)

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Labels, which are those of the pipeline alone; parameters as of `predict_proba`."""
        return self._ask("predict", X, groups)

    def _parts(self, labels: np.ndarray, speakers: np.ndarray | None) -> list[Any]:
        """Train and test indices of each fold."""
        cv = self.cv
        n_most = np.unique(labels, return_counts=True)[1].max()
        if speakers is not None and len(np.unique(speakers)) < 2:
            raise DataError("groups must have two speakers at least, got one")
        if cv is None:
            n_speakers = n_most if speakers is None else len(np.unique(speakers))
            cv = int(min(_N_FOLDS, n_most, n_speakers))
        try:
            if isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
                cv = (StratifiedKFold if speakers is None else StratifiedGroupKFold)(cv)
            with warnings.catch_warnings():
                # A class of fewer clips than folds is in some of them only, which is no harm.
                warnings.filterwarnings("ignore", "The least populated class", UserWarning)
                split = check_cv(cv, labels, classifier=True).split(labels, labels, speakers)
                everything = np.arange(len(labels))
                return [(everything[train], everything[test]) for train, test in split]
        except ValueError as error:
            raise DataError(f"cv cannot divide these clips: {error}") from error

    def _keep(self, fitted: Any, temperature: float) -> TemperatureScaledClassifier:
        self.estimator_ = fitted
        self.temperature_ = temperature
        self.classes_ = fitted.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
        return self

    def _ask(self, method: str, X: Any, groups: Any) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        fold = FittedFold(self.estimator_, None if groups is None else np.asarray(groups))
        with fold.routing():
            return getattr(self.estimator_, method)(X, **fold.params_of(slice(None)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags = inner.classifier_tags
        return tags


def calibrate(pipeline: Any, evaluation: Evaluation) -> TemperatureScaledClassifier:
    """Scale the probabilities of a fitted pipeline by what an evaluation says of its recipe.

    The evaluation has what a temperature is made of: answers about speakers who were not trained
    on. So nothing is trained.

    Parameters
    ----------
    pipeline : estimator
        Fitted, with ``predict_proba``.
    evaluation : Evaluation
        Of the same recipe, as :func:`skser.evaluate` makes it with speakers left out.

    Returns
    -------
    scaled : TemperatureScaledClassifier
        Fitted; it holds the pipeline itself, not a copy.

    Raises
    ------
    NotFittedError
        The pipeline is not fitted.
    ParameterError
        The pipeline has no ``predict_proba``, or ``evaluation`` is none.
    DataError
        The evaluation has no probabilities, is of other classes, or was not speaker-independent.

    Examples
    --------
    >>> from skser import evaluate
    >>> from skser.calibration import calibrate
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=3, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> evaluation = evaluate(pipeline, speech)
    >>> scaled = calibrate(pipeline.fit(speech.waveforms, speech.target), evaluation)
    >>> scaled.predict_proba(speech.waveforms[:1]).shape
    (1, 2)
    """
    check_gives_probabilities(pipeline)
    if not isinstance(evaluation, Evaluation):
        raise ParameterError(f"evaluation must be an Evaluation, got {evaluation!r:.80}")
    evaluation.check_probabilities()
    if not np.array_equal(pipeline.classes_, evaluation.classes):
        raise DataError(
            "pipeline and evaluation must have the same classes, got "
            f"{pipeline.classes_.tolist()} and {evaluation.classes.tolist()}"
        )
    if not is_speaker_independent(evaluation.protocol):
        raise DataError(
            f"evaluation must be of speakers who were not trained on, got {evaluation.protocol!r}"
        )
    temperature = fit_temperature(
        evaluation.predictions["emotion"], evaluation.probabilities, evaluation.classes
    )
    return TemperatureScaledClassifier.of(pipeline, temperature)


def _fit(
    estimator: Any, X: Any, y: np.ndarray, speakers: Any, fit_params: Any, part: np.ndarray
) -> FittedFold:
    """Fit a clone on some clips, with their speakers if a step asks for them."""
    member = clone(estimator)
    whose = speakers[part] if speakers is not None and asks(member, "fit") else None
    params = _check_method_params(X, fit_params, indices=part)
    if whose is not None:
        params["groups"] = whose
    fold = FittedFold(member, whose)
    with fold.routing():
        member.fit(_safe_indexing(X, part), y[part], **params)
    return fold
