"""Displays of predicted probabilities: calibration and selective prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .._utils._labels import index_labels
from ..metrics import N_BINS, SpeakerSums, coverage_accuracy
from ._docstrings import documented
from ._style import BLUE, VERMILION, AxesDisplay, legend_above, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from typing_extensions import Self

    from ..evaluation import Evaluation

_MIN_COVERAGE = 0.3  # below it single clips decide the recall of a class
_TITLE_COVERAGES = (0.8, 0.5)


class ProbabilitiesDisplay(AxesDisplay):
    """A display of predicted probabilities; subclasses define ``_compute``."""

    @classmethod
    def _compute(cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike) -> Self:
        raise NotImplementedError

    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike, *, ax: Axes | None = None
    ) -> Self:
        """Draw true labels and predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            True labels.
        y_prob : array-like of shape (n_clips, n_classes)
            Predicted probabilities.
        classes : array-like of shape (n_classes,)
            Class labels, in the order of the columns of ``y_prob``.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : Display
            The drawn display.

        Raises
        ------
        DataError
            There are no clips, the shapes do not agree, or a label is not in ``classes``.
        """
        return cls._compute(y_true, y_prob, classes).plot(ax=ax)

    @classmethod
    def from_evaluation(cls, evaluation: Evaluation, *, ax: Axes | None = None) -> Self:
        """Draw the predictions of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate`.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : Display
            The drawn display.

        Raises
        ------
        DataError
            The evaluation has no probabilities.
        """
        evaluation.check_probabilities()
        truth = evaluation.predictions["emotion"]
        return cls.from_predictions(truth, evaluation.probabilities, evaluation.classes, ax=ax)


@documented
class ReliabilityDisplay(ProbabilitiesDisplay):
    """Reliability diagram: accuracy by confidence, the probability of the predicted class.

    Parameters
    ----------
    confidence, accuracy : ndarray of shape (n_bins,)
        Mean confidence and accuracy in each bin; NaN in an empty one.
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
    >>> from skser.plotting import ReliabilityDisplay
    >>> probabilities = [[0.8, 0.2], [0.6, 0.4]]
    >>> display = ReliabilityDisplay.from_predictions(["a", "b"], probabilities, ["a", "b"])
    >>> round(display.calibration_error, 6)
    0.4

    {evaluation}
    >>> ReliabilityDisplay.from_evaluation(evaluation).n_clips.sum()
    np.float64(24.0)
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
    def _compute(cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike) -> Self:
        truth, probabilities = index_labels(y_true, y_prob, classes)
        sums = SpeakerSums.of(truth, probabilities, np.zeros(len(truth), int))
        n_clips = sums.n_in_bins[0]
        with np.errstate(invalid="ignore"):
            confidence, accuracy = (sums.bins[0] / n_clips[:, None]).T
        return cls(confidence, accuracy, n_clips, float(sums.scores()["calibration_error"][0]))

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
        # Bars may be anywhere in the axes.
        ax.set_title(f"calibration error {self.calibration_error:.3f}", fontsize="medium", pad=28)
        legend_above(ax)


@documented
class CoverageDisplay(ProbabilitiesDisplay):
    """Selective prediction: scores of the most confident predictions, by their share (coverage).

    Parameters
    ----------
    table : DataFrame of shape (n_clips, n_columns)
        Result of :func:`skser.metrics.coverage_accuracy`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    lines_ : list of matplotlib Line2D
        Accuracy and unweighted average recall (UAR), for coverages of 0.3 and more.

    Examples
    --------
    >>> from skser.plotting import CoverageDisplay
    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    >>> truth = ["calm", "sad", "sad"]
    >>> display = CoverageDisplay.from_predictions(truth, probabilities, ["calm", "sad"])
    >>> display.table["coverage"].round(2).to_list()
    [1.0, 0.67, 0.33]

    {evaluation}
    >>> display = CoverageDisplay.from_evaluation(evaluation)
    >>> len(display.lines_)
    2
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    @classmethod
    def _compute(cls, y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike) -> Self:
        return cls(coverage_accuracy(y_true, y_prob, classes))

    def _draw(self, ax: Axes) -> None:
        drawn = self.table[self.table["coverage"] >= _MIN_COVERAGE]
        x = drawn["coverage"]
        self.lines_ = [
            *ax.plot(x, drawn["accuracy"], color=BLUE, label="accuracy"),
            *ax.plot(x, drawn["uar"], color=VERMILION, label="unweighted average recall"),
        ]
        quiet(ax, grid="both").set(
            xlabel="coverage: share of clips with a prediction",
            ylabel="score of these predictions",
            xlim=(_MIN_COVERAGE, 1),
        )
        parts = (f"{self._accuracy_at(c):.2f} at {100 * c:.0f} %" for c in _TITLE_COVERAGES)
        title = f"accuracy {self._accuracy_at(1.0):.2f} of all clips, {', '.join(parts)}"
        ax.set_title(title, fontsize="medium")
        ax.legend(frameon=False, loc="best")

    def _accuracy_at(self, coverage: float) -> float:
        """Accuracy of the fewest predictions that reach this coverage."""
        is_enough = self.table["coverage"] >= coverage - 1e-9
        return float(self.table.loc[is_enough, "accuracy"].iloc[-1])
