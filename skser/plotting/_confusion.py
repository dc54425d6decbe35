"""The display of a confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.utils.multiclass import unique_labels

from .._utils._param_validation import NONE, check_value, one_of
from ._docstrings import documented
from ._style import AxesDisplay, draw_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
    from sklearn.base import ClassifierMixin

    from ..evaluation import Evaluation

    Normalize: TypeAlias = Literal["true"] | None


@documented
class ConfusionDisplay(AxesDisplay):
    """Confusion matrix: true emotions (rows) by predicted emotions (columns).

    Parameters
    ----------
    counts : DataFrame of shape (n_classes, n_classes)
        Number of clips.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    image_ : matplotlib AxesImage
        The coloured matrix.

    Examples
    --------
    >>> from skser.plotting import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(["calm", "sad", "sad"], ["calm", "calm", "sad"])
    >>> display.counts.loc["sad", "calm"]
    np.int64(1)

    {evaluation}
    >>> ConfusionDisplay.from_evaluation(evaluation).counts.equals(evaluation.confusion())
    True
    """

    def __init__(self, counts: pd.DataFrame) -> None:
        self.counts = counts

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        normalize: Normalize = "true",
        ax: Axes | None = None,
    ) -> ConfusionDisplay:
        """Count predicted labels and draw the matrix.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_clips,)
            True and predicted labels.
        normalize : {"true", None}, default="true"
            "true" draws shares of each row, None numbers of clips.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ConfusionDisplay
            The drawn display.
        """
        labels = unique_labels(y_true, y_pred)
        counts = confusion_matrix(y_true, y_pred, labels=labels)
        return cls(pd.DataFrame(counts, labels, labels)).plot(normalize=normalize, ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: ClassifierMixin,
        X: ArrayLike,
        y: ArrayLike,
        *,
        normalize: Normalize = "true",
        ax: Axes | None = None,
    ) -> ConfusionDisplay:
        """Predict labels with a fitted estimator and draw the matrix.

        Parameters
        ----------
        estimator : classifier or Pipeline
            Fitted estimator.
        X : array-like of shape (n_clips, ...)
            Clips that the estimator was not fitted on.
        y : array-like of shape (n_clips,)
            True labels.
        normalize : {"true", None}, default="true"
            "true" draws shares of each row, None numbers of clips.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ConfusionDisplay
            The drawn display.
        """
        return cls.from_predictions(y, estimator.predict(X), normalize=normalize, ax=ax)

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, *, normalize: Normalize = "true", ax: Axes | None = None
    ) -> ConfusionDisplay:
        """Draw the confusion matrix of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate`.
        normalize : {"true", None}, default="true"
            "true" draws shares of each row, None numbers of clips.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ConfusionDisplay
            The drawn display.
        """
        return cls(evaluation.confusion()).plot(normalize=normalize, ax=ax)

    def plot(self, *, normalize: Normalize = "true", ax: Axes | None = None) -> ConfusionDisplay:
        """Draw the matrix.

        Parameters
        ----------
        normalize : {"true", None}, default="true"
            "true" draws shares of each row, None numbers of clips.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : ConfusionDisplay
            The display itself, with the artists as attributes.

        Raises
        ------
        ParameterError
            ``normalize`` is not one of these.
        """
        check_value("normalize", normalize, one_of("true"), NONE)
        self._normalize = normalize
        return super().plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        size = 2.0 + 0.55 * len(self.counts)
        return size + 0.8, size

    def _draw(self, ax: Axes) -> None:
        if self._normalize is None:
            unit = "clips"
            self.image_ = draw_table(ax, self.counts, ".0f")
        else:
            unit = "share of each emotion's clips"
            shares = self.counts.div(self.counts.sum(axis=1).clip(lower=1), axis=0)
            self.image_ = draw_table(ax, shares, ".2f", high=1.0)
        ax.set(xlabel=f"predicted ({unit})", ylabel="true")
