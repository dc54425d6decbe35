"""ConfusionDisplay: what the clips of each emotion were taken for."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.utils.multiclass import unique_labels

from .._validation import NONE, check_value, one_of
from ._fonts import make_legible
from ._style import draw_table, new_axes


class ConfusionDisplay:
    """Clips of each emotion (rows) by what they were taken for (columns).

    Parameters
    ----------
    counts : DataFrame of shape (n_classes, n_classes)
        Numbers of clips.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    image_ : matplotlib AxesImage
        The colours.

    Examples
    --------
    >>> from skser.plotting import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(["calm", "sad", "sad"], ["calm", "calm", "sad"])
    >>> display.counts.loc["sad", "calm"]
    np.int64(1)
    """

    def __init__(self, counts: pd.DataFrame) -> None:
        self.counts = counts

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_pred: Any, *, normalize: str | None = "true", ax: Any = None
    ) -> ConfusionDisplay:
        """Count, and draw that.

        Parameters
        ----------
        y_true, y_pred : array of shape (n_clips,)
            True and predicted labels.
        normalize, ax
            As in `plot`.

        Returns
        -------
        display : ConfusionDisplay
        """
        labels = unique_labels(y_true, y_pred)
        counts = confusion_matrix(y_true, y_pred, labels=labels)
        return cls(pd.DataFrame(counts, labels, labels)).plot(normalize=normalize, ax=ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, normalize: str | None = "true", ax: Any = None
    ) -> ConfusionDisplay:
        """Let a fitted estimator label clips, and draw how it did.

        Parameters
        ----------
        estimator : classifier or Pipeline
            Fitted.
        X : array of shape (n_clips, ...)
            Clips that it was not fitted on.
        y : array of shape (n_clips,)
            True labels.
        normalize, ax
            As in `plot`.

        Returns
        -------
        display : ConfusionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), normalize=normalize, ax=ax)

    def plot(self, *, normalize: str | None = "true", ax: Any = None) -> ConfusionDisplay:
        """Draw the table.

        Parameters
        ----------
        normalize : {"true", None}, default="true"
            Shares of the clips of each emotion, or numbers of clips.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : ConfusionDisplay
        """
        check_value("normalize", normalize, one_of("true"), NONE)
        size = 2.0 + 0.55 * len(self.counts)
        self.ax_ = new_axes(ax, size + 0.8, size)
        self.figure_ = self.ax_.figure
        if normalize is None:
            self.image_ = draw_table(self.ax_, self.counts, ".0f")
        else:
            shares = self.counts.div(self.counts.sum(axis=1).clip(lower=1), axis=0)
            self.image_ = draw_table(self.ax_, shares, ".2f", high=1.0)
        what = "clips" if normalize is None else "share of each emotion's clips"
        self.ax_.set(xlabel=f"predicted ({what})", ylabel="true")
        make_legible(self.figure_)
        return self
