"""ReliabilityDisplay: accuracy by confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._utils._labels import index_labels
from ..metrics import N_BINS, SpeakerSums
from ._style import BLUE, VERMILION, ProbabilitiesDisplay, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


class ReliabilityDisplay(ProbabilitiesDisplay):
    """Reliability diagram: accuracy by confidence, the probability of the predicted class.

    Parameters
    ----------
    confidence : ndarray of shape (n_bins,)
        Mean confidence in each bin; NaN in an empty one.
    accuracy : ndarray of shape (n_bins,)
        Accuracy in each bin; NaN in an empty one.
    n_clips : ndarray of shape (n_bins,)
        Number of clips in each bin.
    calibration_error : float
        Expected calibration error, the mean distance of confidence and accuracy over clips.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    bars_ : matplotlib BarContainer
        The accuracy in each bin, paler the fewer clips it has.
    line_ : matplotlib Line2D
        The diagonal of perfect calibration.

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
    def _of_predictions(
        cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike
    ) -> ReliabilityDisplay:
        truth, probabilities = index_labels(y_true, y_prob, classes)
        sums = SpeakerSums.of(truth, probabilities, np.zeros(len(truth), int))
        n_clips = sums.n_in_bins[0]
        with np.errstate(invalid="ignore"):
            confidence, accuracy = (sums.bins[0] / n_clips[:, None]).T
        error = float(sums.scores()["calibration_error"][0])
        return cls(confidence, accuracy, n_clips, error)

    def _figure_size(self) -> tuple[float, float]:
        return 5.0, 5.0

    def _draw(self, ax: Axes) -> None:
        width = 1 / N_BINS
        middle = (np.arange(N_BINS) + 0.5) * width
        alphas = 0.25 + 0.75 * self.n_clips / max(self.n_clips.max(), 1)
        self.bars_ = ax.bar(middle, np.nan_to_num(self.accuracy), 0.9 * width, color=BLUE)
        for bar, alpha in zip(self.bars_, alphas, strict=True):
            bar.set_alpha(alpha)
        (self.line_,) = ax.plot([0, 1], [0, 1], color=VERMILION, label="perfect calibration")
        quiet(ax, grid="y").set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
        ax.set_title(f"calibration error {self.calibration_error:.3f}", fontsize="medium")
        ax.legend(frameon=False, loc="upper left")
