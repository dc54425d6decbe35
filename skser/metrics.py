"""Scores of labels and probabilities, with intervals that resample speakers.

All scores follow from sums over clips: of the confusion matrix, of the log loss, and of the bins of
the calibration error. Kept for each speaker, they give the scores of any resampling of speakers
without going over the clips again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._utils._labels import index_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCORES", "SpeakerSums", "coverage_accuracy", "expected_calibration_error"]

SCORES = ("uar", "accuracy", "macro_f1", "log_loss", "calibration_error")

N_BINS = 15
# Speakers are drawn this often; percentiles of the scores are then steady to their third digit.
_N_DRAWS = 2000
# Numbers in the weights of a chunk of draws, so that memory does not grow with the units drawn.
_CHUNK = 2_000_000


@dataclass(frozen=True)
class SpeakerSums:
    """Sums over clips that all scores follow from, for each speaker.

    Attributes
    ----------
    confusion : ndarray of shape (n_speakers, n_classes, n_classes)
        Clips by true and by predicted class.
    log_loss : ndarray of shape (n_speakers,)
        Sum over clips.
    bins : ndarray of shape (n_speakers, n_bins, 2)
        Sum of confidence and number of right answers among clips of like confidence.
    n_in_bins : ndarray of shape (n_speakers, n_bins)
        Number of these clips.
    """

    confusion: np.ndarray
    log_loss: np.ndarray
    bins: np.ndarray
    n_in_bins: np.ndarray

    @property
    def n_units(self) -> int:
        """Number of speakers."""
        return len(self.log_loss)

    @classmethod
    def of(cls, truth: np.ndarray, probabilities: np.ndarray, speakers: np.ndarray) -> SpeakerSums:
        """Sums of clips.

        Parameters
        ----------
        truth : ndarray of int of shape (n_clips,)
            True classes.
        probabilities : ndarray of shape (n_clips, n_classes)
            Probabilities.
        speakers : ndarray of shape (n_clips,)
            Whose sums each clip goes to.
        """
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
        bins = np.zeros((n_speakers, N_BINS, 2))
        np.add.at(bins[..., 0], (of_clip, bin_of), confidence)
        np.add.at(bins[..., 1], (of_clip, bin_of), predicted == truth)
        n_in_bins = np.zeros((n_speakers, N_BINS))
        np.add.at(n_in_bins, (of_clip, bin_of), 1)
        return cls(confusion, np.bincount(of_clip, losses), bins, n_in_bins)

    def scores(self, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Pooled scores, once for each row of weights of the speakers.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n_speakers) or None, default=None
            How often each speaker counts; None counts each once.

        Returns
        -------
        scores : dict of ndarray of shape (n_draws,)
            Of each of ``SCORES``.
        """
        if weights is None:
            weights = np.ones((1, self.n_units))
        confusion = np.tensordot(weights, self.confusion, axes=1)
        n_clips = confusion.sum(axis=(1, 2))
        right = np.diagonal(confusion, axis1=1, axis2=2)
        true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
        f1 = _mean_of_classes(2 * right, true + predicted)
        bins = np.tensordot(weights, self.bins, axes=1)
        return {
            "uar": _mean_of_classes(right, true),
            "accuracy": right.sum(axis=1) / n_clips,
            "macro_f1": f1,
            "log_loss": weights @ self.log_loss / n_clips,
            "calibration_error": np.abs(bins[..., 0] - bins[..., 1]).sum(axis=1) / n_clips,
        }

    def draws(self) -> Iterator[np.ndarray]:
        """Weights of the speakers in bootstrap draws: (n_draws, n_speakers), in chunks."""
        n_speakers = self.n_units
        rng = np.random.default_rng(0)
        share = np.full(n_speakers, 1 / n_speakers)
        size = max(1, _CHUNK // n_speakers)
        for start in range(0, _N_DRAWS, size):
            yield rng.multinomial(n_speakers, share, min(size, _N_DRAWS - start))

    def bootstrap(self) -> dict[str, np.ndarray]:
        """Scores of all draws, each of shape (n_draws,)."""
        return joined(self.scores(weights) for weights in self.draws())


def unweighted_average_recall(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Mean over the true classes of the share of their clips that is recognised."""
    index = np.unique(y_true, return_inverse=True)[1]
    return float(_mean_of_classes(np.bincount(index, y_true == y_pred), np.bincount(index)))


def _mean_of_classes(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Mean of ``part / whole`` over the classes, the last axis, that have clips."""
    with np.errstate(invalid="ignore"):
        return np.nanmean(part / whole, axis=-1)


def joined(chunks: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Scores of several chunks of draws as those of one."""
    chunks = list(chunks)
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in SCORES}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bounds of the middle 95 % of the values; NaN if any is NaN."""
    if np.isnan(values).any():
        return np.nan, np.nan
    low, high = np.percentile(values, [2.5, 97.5])
    return low, high


def expected_calibration_error(y_true: Any, y_prob: Any) -> float:
    """Mean distance between confidence and accuracy.

    Clips are put into 15 bins by the probability of their most probable class. In each bin this is
    compared to the share of right answers [1]_.

    Parameters
    ----------
    y_true : array of int of shape (n_clips,)
        Index of the true class.
    y_prob : array of shape (n_clips, n_classes)
        Probabilities.

    Returns
    -------
    error : float
        From 0 (accuracy equals confidence) to 1.

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


def coverage_accuracy(y_true: Any, y_prob: Any, classes: Any) -> pd.DataFrame:
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
        There are no clips, not one row of probabilities for each, not one column for each class, or
        a label that is none of the classes.

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
    answered = of_class.cumsum(axis=0)
    right = (of_class * is_right[:, np.newaxis]).cumsum(axis=0)
    n_answered = np.arange(1, len(truth) + 1)
    table = pd.DataFrame(
        {
            "threshold": confidence[surest],
            "coverage": n_answered / len(truth),
            "accuracy": right.sum(axis=1) / n_answered,
            "uar": _mean_of_classes(right, answered),
        }
    )
    # Clips of equal confidence get a label at the same threshold.
    table = table.drop_duplicates("threshold", keep="last")
    return table.iloc[::-1].reset_index(drop=True)
