"""saliency: the times and features of a recording that an emotion depends on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from sklearn.base import BaseEstimator

from .._utils._functional import soft_vote
from .._utils._param_validation import check_is_fitted, check_value, integer, number
from .._utils._temperature import at_temperature
from .._utils._types import Recording
from ..exceptions import DataError, ParameterError
from ..features import FeatureScaler, FeatureUnionExtractor
from ._members import members_of, without_temperature


@dataclass(frozen=True, eq=False, repr=False)
class Saliency:
    """How much the probability of an emotion depends on each time and feature of a recording.

    Parameters
    ----------
    values : ndarray of shape (n_frames, n_features)
        Mean loss of probability over the hidden patches that cover a frame and feature.
    times : ndarray of shape (n_frames,)
        Middle of the frames in s, from the end of trimmed silence.
    feature_names : ndarray of shape (n_features,)
        Names of the features.
    emotion : label
        The emotion.
    probability : float
        Its probability in the whole recording.
    """

    values: np.ndarray
    times: np.ndarray
    feature_names: np.ndarray
    emotion: object
    probability: float

    def __repr__(self) -> str:
        frame, feature = np.unravel_index(self.values.argmax(), self.values.shape)
        return (
            f"<{self.emotion} {self.probability:.2f}, most of all from "
            f"{self.feature_names[feature]} at {self.times[frame]:.2f} s>"
        )


def saliency(
    pipeline: BaseEstimator,
    recording: Recording,
    *,
    emotion: object = None,
    seconds: float = 0.2,
    n_features: int = 8,
) -> Saliency:
    """How much the probability of an emotion depends on each time and feature of a recording.

    Patches of the sequence of features that overlap by half are replaced by the mean of the
    training clips, one at a time; the saliency of a patch is the loss of probability [1]_. This
    works with any classifier and needs no gradients.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with sequences of features (``statistics=None``), or a vote with such a member. A
        calibrated pipeline gives the loss of calibrated probability.
    recording : recording or waveform
        Anything that the pipeline takes.
    emotion : label or None, default=None
        The emotion; None is the most probable one.
    seconds : float, default=0.2
        Length of a patch.
    n_features : int, default=8
        Height of a patch, in features (mel bands, coefficients).

    Returns
    -------
    saliency : Saliency
        Saliency of each frame and feature.

    Raises
    ------
    NotFittedError
        The pipeline is not fitted.
    ParameterError
        ``emotion`` is not one of the classes, or another parameter has an invalid value.
    DataError
        The pipeline has no sequences of features, or no :class:`skser.FeatureScaler` after them.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks",
       ECCV 2014.
    """
    check_value("seconds", seconds, number(0, open_low=True))
    check_value("n_features", n_features, integer(1))
    check_is_fitted(pipeline, "classes_")
    classes = pipeline.classes_
    if emotion is not None and emotion not in classes:
        raise ParameterError(
            f"emotion must be one of {', '.join(map(str, classes))}, got {emotion!r}"
        )
    pipeline, temperature = without_temperature(pipeline)
    members = list(members_of(pipeline, [recording]))
    votes = [member.tail.predict_proba(member.features) for member in members]
    vote = soft_vote(votes, np.array([member.share for member in members]))[0]
    probabilities = at_temperature(vote, temperature)
    index = int(probabilities.argmax() if emotion is None else (classes == emotion).argmax())
    sequences = [
        member
        for member in members
        if isinstance(member.extractor, FeatureUnionExtractor)
        and isinstance(member.features, np.ndarray)
        and member.features.ndim == 3
    ]
    if not sequences:
        raise DataError(
            "pipeline must have sequences of features of a FeatureUnionExtractor (statistics=None)"
        )
    member = sequences[0]
    if not any(isinstance(step, FeatureScaler) for _, step in member.tail.steps[:-1]):
        raise DataError("pipeline must have a FeatureScaler between features and classifier")
    # After scaling, 0 is the mean of the training clips.
    scaled = member.tail[:-1].transform(member.features)[0]
    hop_seconds = member.extractor.hop_length / member.extractor.sr_
    length = max(2, round(seconds / hop_seconds))
    n_frames, n_bins = scaled.shape
    patches = list(product(_halves(n_frames, length), _halves(n_bins, n_features)))
    hidden = np.repeat(scaled[np.newaxis], len(patches), axis=0)
    for row, patch in zip(hidden, patches, strict=True):
        row[patch] = 0.0
    classifier = member.tail[-1]
    changes = classifier.predict_proba(hidden) - classifier.predict_proba(scaled[np.newaxis])
    votes_hidden = at_temperature(vote + member.share * changes, temperature)
    losses = probabilities[index] - votes_hidden[:, index]
    total, count = np.zeros(scaled.shape), np.zeros(scaled.shape)
    for loss, patch in zip(losses, patches, strict=True):
        total[patch] += loss
        count[patch] += 1
    return Saliency(
        total / count,
        np.arange(n_frames) * hop_seconds,
        member.extractor.get_feature_names_out(),
        classes[index],
        float(probabilities[index]),
    )


def _halves(n: int, width: int) -> list[slice]:
    """Slices of a width that overlap by half."""
    starts = range(-(width // 2), n, -(-width // 2))
    return [slice(max(start, 0), start + width) for start in starts]
