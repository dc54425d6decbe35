"""saliency: the times and features of a recording that an emotion depends on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .._utils._param_validation import check_is_fitted, check_value, integer, number
from .._utils._temperature import at_temperature
from ..exceptions import DataError, ParameterError
from ..features import FeatureScaler
from ._members import members_of, vote, without_temperature


@dataclass(frozen=True, eq=False, repr=False)
class Saliency:
    """How much the probability of an emotion depends on each place in a recording.

    Attributes
    ----------
    values : ndarray of shape (n_frames, n_features)
        Mean loss of probability if a patch around the place is hidden.
    times : ndarray of shape (n_frames,)
        Middle of the frames in s, from where silence is trimmed.
    feature_names : ndarray of shape (n_features,)
        Names of the features.
    emotion : label
        The emotion.
    probability : float
        Its probability.
    """

    values: np.ndarray
    times: np.ndarray
    feature_names: np.ndarray
    emotion: Any
    probability: float

    def __repr__(self) -> str:
        frame, feature = np.unravel_index(self.values.argmax(), self.values.shape)
        return (
            f"<{self.emotion} {self.probability:.2f}, most of all from "
            f"{self.feature_names[feature]} at {self.times[frame]:.2f} s>"
        )


def saliency(
    pipeline: Any,
    recording: Any,
    *,
    emotion: Any = None,
    seconds: float = 0.2,
    n_features: int = 8,
) -> Saliency:
    """How much the probability of an emotion depends on each time and feature of a recording.

    Half-overlapping patches of the sequence of features are replaced by the mean of the training
    clips, one at a time; the saliency of a patch is the loss of probability [1]_. It works with any
    classifier, and needs no gradients.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, with sequences of features (``statistics=None``), or a vote with such a member. Of a
        calibrated pipeline, it is the loss of calibrated probability.
    recording : str, path or ndarray of shape (n_samples,)
        The recording.
    emotion : label or None, default=None
        The emotion; None takes the most probable.
    seconds : float, default=0.2
        Length of a patch.
    n_features : int, default=8
        Height of a patch, in features (mel bands, coefficients).

    Returns
    -------
    saliency : Saliency

    Raises
    ------
    ParameterError
        ``emotion`` is not one of the classes, or another parameter has a value not allowed.
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
    answer = vote([member.probabilities(member.features) for member in members], members)[0]
    probabilities = at_temperature(answer, temperature)
    index = int(probabilities.argmax() if emotion is None else (classes == emotion).argmax())
    sequences = [member for member in members if member.features.ndim == 3]
    if not sequences:
        raise DataError("pipeline must have sequences of features (statistics=None), not vectors")
    member = sequences[0]
    if not any(isinstance(step, FeatureScaler) for _, step in member.tail.steps[:-1]):
        raise DataError("pipeline must have a FeatureScaler between features and classifier")
    # After scaling, 0 is the mean of the training clips.
    scaled = member.tail[:-1].transform(member.features)[0]
    length = max(2, round(seconds / member.hop_seconds))
    n_frames, n_bins = scaled.shape
    patches = list(product(_halves(n_frames, length), _halves(n_bins, n_features)))
    hidden = np.repeat(scaled[np.newaxis], len(patches), axis=0)
    for row, patch in zip(hidden, patches, strict=True):
        row[patch] = 0.0
    kept = member.tail[-1].predict_proba(scaled[np.newaxis])
    answers = answer + member.share * (member.tail[-1].predict_proba(hidden) - kept)
    losses = probabilities[index] - at_temperature(answers, temperature)[:, index]
    total, count = np.zeros(scaled.shape), np.zeros(scaled.shape)
    for loss, patch in zip(losses, patches, strict=True):
        total[patch] += loss
        count[patch] += 1
    return Saliency(
        total / count,
        np.arange(len(scaled)) * member.hop_seconds,
        member.extractor.get_feature_names_out(),
        classes[index],
        float(probabilities[index]),
    )


def _halves(n: int, width: int) -> list[slice]:
    """Slices of a width that overlap by half."""
    starts = range(-(width // 2), n, -(-width // 2))
    return [slice(max(start, 0), start + width) for start in starts]
