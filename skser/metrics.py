"""Scores of labels and probabilities, with intervals that resample speakers.

All scores follow from sums over clips: of the confusion matrix, of the log loss, and of the bins of
the calibration error. Sums per speaker give the scores of any sample of speakers, however often it
is drawn, without the clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ._utils._labels import index_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCORES", "coverage_accuracy", "expected_calibration_error"]

SCORES = ("uar", "accuracy", "macro_f1", "log_loss", "calibration_error")

N_BINS = 15
# Number of bootstrap draws; percentiles of the scores are then stable to their third digit.
N_DRAWS = 2000
# Weights in a chunk of draws, so that memory does not grow with the number of units.
_CHUNK = 2_000_000


@dataclass(frozen=True)
class SpeakerSums:
    """Sums over the clips of each speaker, from which all scores follow."""

    confusion: np.ndarray  # (n_speakers, n_classes, n_classes): clips by true and predicted class
    log_loss: np.ndarray  # (n_speakers,)
    bins: np.ndarray  # (n_speakers, n_bins, 2): confidence and right labels, by confidence
    n_in_bins: np.ndarray  # (n_speakers, n_bins): clips

    @property
    def n_units(self) -> int:
        """Number of speakers."""
        return len(self.log_loss)

    @classmethod
    def of(cls, truth: np.ndarray, probabilities: np.ndarray, speakers: np.ndarray) -> SpeakerSums:
        """Sums over clips, by index of the true class, probabilities and speaker of each clip."""
        names, of_clip = np.unique(speakers, return_inverse=True)
        n_speakers, n_classes = len(names), probabilities.shape[1]
        predicted = probabilities.argmax(axis=1)
        confidence = probabilities.max(axis=1)
        confusion = np.zeros((n_speakers, n_classes, n_classes))
        np.add.at(confusion, (of_clip, truth, predicted), 1)
        # A probability of 0 would make one clip outweigh all others.
        smallest = np.finfo(probabilities.dtype).eps
        losses = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], smallest))
        bin_of = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
        bins, n_in_bins = np.zeros((n_speakers, N_BINS, 2)), np.zeros((n_speakers, N_BINS))
        np.add.at(bins[..., 0], (of_clip, bin_of), confidence)
        np.add.at(bins[..., 1], (of_clip, bin_of), predicted == truth)
        np.add.at(n_in_bins, (of_clip, bin_of), 1)
        return cls(confusion, np.bincount(of_clip, losses), bins, n_in_bins)

    def scores(self, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The ``SCORES`` for each row of weights of the speakers, by default of 1, by name."""
        if weights is None:
            weights = np.ones((1, self.n_units))
        confusion = np.tensordot(weights, self.confusion, axes=1)
        n_clips = confusion.sum(axis=(1, 2))
        right = np.diagonal(confusion, axis1=1, axis2=2)
        true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
        bins = np.tensordot(weights, self.bins, axes=1)
        return {
            "uar": _mean_of_classes(right, true),
            "accuracy": right.sum(axis=1) / n_clips,
            "macro_f1": _mean_of_classes(2 * right, true + predicted),
            "log_loss": weights @ self.log_loss / n_clips,
            "calibration_error": np.abs(bins[..., 0] - bins[..., 1]).sum(axis=1) / n_clips,
        }

    def draws(self) -> Iterator[np.ndarray]:
        """Weights of the speakers in bootstrap draws: (n_draws, n_speakers), in chunks."""
        n = self.n_units
        rng = np.random.default_rng(0)
        size = max(1, _CHUNK // n)
        for start in range(0, N_DRAWS, size):
            yield rng.multinomial(n, np.full(n, 1 / n), min(size, N_DRAWS - start))

    def bootstrap(self) -> dict[str, np.ndarray]:
        """Scores of all draws, each of shape (n_draws,)."""
        return joined(self.scores(weights) for weights in self.draws())


def unweighted_average_recall(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Mean of the recalls of the true classes."""
    index = np.unique(y_true, return_inverse=True)[1]
    return float(_mean_of_classes(np.bincount(index, y_true == y_pred), np.bincount(index)))


def _mean_of_classes(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Mean of ``part / total`` over the classes, the last axis, that have clips."""
    with np.errstate(invalid="ignore"):
        return np.nanmean(part / total, axis=-1)


def joined(chunks: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Scores of several chunks of draws, concatenated."""
    chunks = list(chunks)
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in SCORES}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bounds of the middle 95 % of the values; NaN if any is NaN."""
    if np.isnan(values).any():
        return np.nan, np.nan
    low, high = np.percentile(values, [2.5, 97.5])
    return low, high


def expected_calibration_error(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Mean distance between confidence and accuracy.

    Clips are put into 15 bins by confidence, the probability of the most probable class. In each
    bin, the mean confidence is compared with the accuracy [1]_.

    Parameters
    ----------
    y_true : array of int of shape (n_clips,)
        Index of the true class.
    y_prob : array of shape (n_clips, n_classes)
        Probabilities.

    Returns
    -------
    error : float
        From 0 (confidence equals accuracy) to 1.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> from skser.metrics import expected_calibration_error
    >>> round(expected_calibration_error([0, 0, 1, 1], [[0.75, 0.25]] * 4), 6)
    0.25
    """
    truth, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=float)
    sums = SpeakerSums.of(truth, probabilities, np.zeros(len(truth), int))
    return float(sums.scores()["calibration_error"][0])


def coverage_accuracy(y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike) -> pd.DataFrame:
    """Accuracy and coverage of selective prediction, by the threshold of confidence.

    A clip gets a label if the probability of its most probable class is at least the threshold;
    clips without a label count as neither right nor wrong [1]_.

    Parameters
    ----------
    y_true : array of shape (n_clips,)
        True labels.
    y_prob : array of shape (n_clips, n_classes)
        Probabilities.
    classes : array of shape (n_classes,)
        The labels, in the order of the probabilities.

    Returns
    -------
    table : DataFrame
        A row for each confidence that occurs, from low to high: ``threshold``, this confidence;
        ``coverage``, the share of clips with a label; their ``accuracy``; and their ``uar``, over
        the classes among them.

    Raises
    ------
    DataError
        There are no clips, ``y_prob`` has another shape, or a label is not one of the classes.

    References
    ----------
    .. [1] R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
       Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> from skser.metrics import coverage_accuracy
    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> coverage_accuracy(["calm", "sad", "sad"], probabilities, ["calm", "sad"]).round(3)
       threshold  coverage  accuracy   uar
    0        0.6     1.000     0.667  0.75
    1        0.8     0.667     1.000  1.00
    2        0.9     0.333     1.000  1.00
    """
    import pandas as pd

    truth, probabilities = index_labels(y_true, y_prob, classes)
    confidence = probabilities.max(axis=1)
    surest = np.argsort(-confidence, kind="stable")
    of_class = np.eye(probabilities.shape[1])[truth[surest]]
    is_right = (probabilities.argmax(axis=1) == truth)[surest]
    n_labelled = np.arange(1, len(truth) + 1)
    n_of_class = of_class.cumsum(axis=0)
    right = (of_class * is_right[:, np.newaxis]).cumsum(axis=0)
    table = pd.DataFrame(
        {
            "threshold": confidence[surest],
            "coverage": n_labelled / len(truth),
            "accuracy": right.sum(axis=1) / n_labelled,
            "uar": _mean_of_classes(right, n_of_class),
        }
    )
    # Clips of equal confidence get a label at the same threshold.
    table = table.drop_duplicates("threshold", keep="last")
    return table.iloc[::-1].reset_index(drop=True)
