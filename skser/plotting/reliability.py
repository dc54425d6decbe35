"""ReliabilityDisplay: how often a pipeline is right when it says how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._checks import index_labels
from ..metrics import N_BINS, SpeakerSums
from ._style import BLUE, VERMILION, new_axes, quiet


class ReliabilityDisplay:
    """Share of right answers against confidence, the probability of the most probable class.

    Parameters
    ----------
    confidence, accuracy : ndarray of shape (n_bins,)
        Mean confidence and share of right answers of each bin; NaN where it is empty.
    n_clips : ndarray of shape (n_bins,)
        Clips in each bin.
    calibration_error : float
        The mean distance of the two, over clips.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : matplotlib BarContainer
        The share of right answers of each bin.
    line_ : matplotlib Line2D
        Where confidence and accuracy are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.plotting import ReliabilityDisplay
    >>> probabilities = [[0.8, 0.2], [0.6, 0.4]]
    >>> display = ReliabilityDisplay.from_predictions(["a", "b"], probabilities, ["a", "b"])
    >>> round(display.calibration_error, 6)
    0.4
    """

    def __init__(
        self,
        confidence: np.ndarray,
        accuracy: np.ndarray,
        n_clips: np.ndarray,
        calibration_error: float,
    ) -> None:
        self.confidence = confidence
        self.accuracy = accuracy
        self.n_clips = n_clips
        self.calibration_error = calibration_error

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_prob: Any, classes: Any, *, ax: Any = None
    ) -> ReliabilityDisplay:
        """Count how often probabilities are right, and draw that.

        Parameters
        ----------
        y_true : array of shape (n_clips,)
            True labels.
        y_prob : array of shape (n_clips, n_classes)
            Probabilities.
        classes : array of shape (n_classes,)
            The labels, in the order of the probabilities.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        DataError
            There are no clips, not one row of probabilities for each, not one column for each
            class, or a label that is none of the classes.
        """
        truth, probabilities = index_labels(y_true, y_prob, classes)
        sums = SpeakerSums.of(truth, probabilities, np.zeros(len(truth), int))
        n_clips = sums.n_in_bins[0]
        with np.errstate(invalid="ignore"):
            confidence, accuracy = (sums.bins[0] / n_clips[:, None]).T
        error = float(sums.scores()["calibration_error"][0])
        return cls(confidence, accuracy, n_clips, error).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> ReliabilityDisplay:
        """Draw the bins.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : ReliabilityDisplay
        """
        self.ax_ = new_axes(ax, 5.0, 5.0)
        self.figure_ = self.ax_.figure
        width = 1 / N_BINS
        middle = (np.arange(N_BINS) + 0.5) * width
        # The share of clips in a bin is how dark it is: a pale bar is of few.
        alpha = 0.25 + 0.75 * self.n_clips / max(self.n_clips.max(), 1)
        self.bars_ = self.ax_.bar(middle, np.nan_to_num(self.accuracy), 0.9 * width, color=BLUE)
        for bar, a in zip(self.bars_, alpha, strict=True):
            bar.set_alpha(a)
        (self.line_,) = self.ax_.plot([0, 1], [0, 1], color=VERMILION, label="as often as it says")
        quiet(self.ax_, grid="y").set(
            xlabel="confidence", ylabel="share of right answers", xlim=(0, 1), ylim=(0, 1)
        )
        self.ax_.set_title(f"calibration error {self.calibration_error:.3f}", fontsize="medium")
        self.ax_.legend(frameon=False, loc="upper left")
        return self
