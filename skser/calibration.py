"""Temperature scaling by cross-validation over speakers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples

from ._utils._labels import check_labels, check_speakers
from ._utils._temperature import at_temperature, fit_temperature
from ._utils._types import CV, Recordings
from .classifiers._augmented import WrapperMixin
from .evaluation import Evaluation
from .evaluation._fitted_fold import fit_fold
from .evaluation._groups_mixin import PredictsWithGroups
from .evaluation._protocol import is_speaker_independent
from .evaluation._splits import Splits, split_indices
from .exceptions import DataError, ParameterError
from .recipes._labels import check_folds_needs
from .recipes._steps import check_gives_probabilities

__all__ = ["TemperatureScaledClassifier", "calibrate", "fit_temperature"]

_N_FOLDS = 5


class TemperatureScaledClassifier(PredictsWithGroups, WrapperMixin, BaseEstimator):
    """A pipeline with calibrated probabilities.

    In `fit`, clones of the pipeline predict clips of speakers that they were not trained on. One
    temperature is fitted to these predictions (see :func:`fit_temperature`), and then the pipeline
    to all clips. The labels stay those of the pipeline.

    Unlike scikit-learn's ``CalibratedClassifierCV(method="temperature")``, it makes folds of whole
    speakers; it passes ``groups`` on in ``predict``, which a :class:`skser.SpeakerNormalizer`
    needs; and it predicts with one pipeline instead of one for each fold.

    Parameters
    ----------
    estimator : estimator
        Pipeline from recordings to emotions, with ``predict_proba``.
    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds that the temperature is fitted on; an integer is a number of folds. If `fit` gets
        ``groups``, they are folds of whole speakers. None makes five, or as many as speakers or
        clips allow.

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
    calibrate : The same from an evaluation, without training.

    Notes
    -----
    A pipeline is more confident about speakers of its training data: without ``groups``, the
    temperature is too low for new ones. Clips of a class that their fold was not trained on are
    left out.

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
    """

    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True, "domains": True}

    def __init__(self, estimator: BaseEstimator, *, cv: CV = None) -> None:
        self.estimator = estimator
        self.cv = cv

    @classmethod
    def of(cls, pipeline: BaseEstimator, temperature: float) -> TemperatureScaledClassifier:
        """Return a fitted pipeline at a given temperature.

        Parameters
        ----------
        pipeline : estimator
            Fitted, with ``predict_proba``.
        temperature : float
            The temperature.

        Returns
        -------
        scaled : TemperatureScaledClassifier
            Fitted; it holds the pipeline itself, not a copy.
        """
        scaled = cls(pipeline)
        scaled.temperature_ = temperature
        return scaled._keep(pipeline)

    def fit(
        self,
        X: Recordings,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        domains: ArrayLike | None = None,
        **fit_params: Any,
    ) -> TemperatureScaledClassifier:
        """Fit the temperature on folds, and the pipeline on all clips.

        Parameters
        ----------
        X : sequence of recordings or array of shape (n_clips, ...)
            What the pipeline takes.
        y : array of shape (n_clips,)
            Labels.
        groups : array of shape (n_clips,) or None, default=None
            Speakers.
        domains : array of shape (n_clips,) or None, default=None
            Corpora, for a pipeline that uses them.
        **fit_params : dict
            Further arguments of the pipeline's ``fit``; those with a row for each clip are split
            like the clips.

        Returns
        -------
        self : TemperatureScaledClassifier

        Raises
        ------
        ParameterError
            ``estimator`` is not a classifier with ``predict_proba``.
        DataError
            Labels or speakers are missing or of another number than the clips, or ``cv`` cannot
            divide them.
        """
        if not is_classifier(self.estimator) or not hasattr(self.estimator, "predict_proba"):
            raise ParameterError(
                f"estimator must be a classifier with predict_proba, got {self.estimator!r:.200}"
            )
        labels = check_labels(y, _num_samples(X))
        (X,) = indexable(X)
        speakers = None if groups is None else check_speakers(groups, len(labels))
        classes = np.unique(labels)
        metadata = {} if speakers is None else {"groups": speakers}
        if domains is not None:
            metadata["domains"] = np.asarray(domains)
        data = (X, labels, metadata)
        truth, probabilities = [], []
        splits = self._splits(labels, speakers)
        check_folds_needs(self.estimator, labels, speakers, splits)
        for train, test in splits:
            known = test[np.isin(labels[test], labels[train])]
            if len(known):
                fold = fit_fold(self.estimator, *data, train, **fit_params)
                truth.append(labels[known])
                probabilities.append(fold.probabilities(X, known, classes))
        if not truth:
            raise DataError("cv must test clips of classes that it trains on, got none")
        self.temperature_ = fit_temperature(
            np.concatenate(truth), np.concatenate(probabilities), classes
        )
        fold = fit_fold(self.estimator, *data, np.arange(len(labels)), **fit_params)
        return self._keep(fold.pipeline)

    def _check_needs(self, labels: np.ndarray, groups: np.ndarray | None) -> None:
        """Raise DataError if a fold has too few clips for the pipeline."""
        check_folds_needs(self.estimator, labels, groups, self._splits(labels, groups))

    def _splits(self, labels: np.ndarray, speakers: np.ndarray | None) -> Splits:
        """Train and test indices of each fold."""
        cv: Any = self.cv
        n_most = np.unique(labels, return_counts=True)[1].max()
        n_speakers = n_most if speakers is None else len(np.unique(speakers))
        if speakers is not None and n_speakers == 1:
            raise DataError("groups must have at least two speakers, got one")
        cv = int(min(_N_FOLDS, n_most, n_speakers)) if cv is None else cv
        if isinstance(cv, (int, np.integer)) and speakers is not None:
            try:
                cv = StratifiedGroupKFold(cv)
            except ValueError as error:
                raise DataError(f"cv cannot divide these clips: {error}") from error
        return split_indices(cv, labels, speakers)[1]

    def _predict(self, method: str, X: Recordings, *metadata: ArrayLike | None) -> np.ndarray:
        predicted = super()._predict(method, X, *metadata)
        is_labels = method == "predict"
        return predicted if is_labels else at_temperature(predicted, self.temperature_)


def calibrate(pipeline: BaseEstimator, evaluation: Evaluation) -> TemperatureScaledClassifier:
    """Calibrate a fitted pipeline with the temperature of an evaluation, without training.

    The evaluation already has predictions of speakers that were not trained on.

    Parameters
    ----------
    pipeline : estimator
        Fitted, with ``predict_proba``.
    evaluation : Evaluation
        Of the same recipe, by :func:`skser.evaluate` over new speakers.

    Returns
    -------
    scaled : TemperatureScaledClassifier
        Fitted; it holds the pipeline itself, not a copy.

    Raises
    ------
    NotFittedError
        The pipeline is not fitted.
    ParameterError
        The pipeline has no ``predict_proba``, or ``evaluation`` is not an Evaluation.
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
            f"evaluation must be of speakers that were not trained on, got {evaluation.protocol!r}"
        )
    temperature = fit_temperature(
        evaluation.predictions["emotion"], evaluation.probabilities, evaluation.classes
    )
    return TemperatureScaledClassifier.of(pipeline, temperature)
