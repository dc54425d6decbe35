"""TrainingCurvesDisplay: loss and accuracy after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..exceptions import DataError
from ._style import BLUE, VERMILION, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from sklearn.base import BaseEstimator


class TrainingCurvesDisplay:
    """Loss and accuracy after each epoch of training.

    Parameters
    ----------
    history : mapping of {str : sequence of float}
        ``loss`` and ``accuracy`` after each epoch; with a validation part, ``val_loss`` and
        ``val_accuracy`` as well.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes of loss and of accuracy.
    figure_ : matplotlib Figure
        The figure.
    lines_ : list of matplotlib Line2D
        The curves.

    Examples
    --------
    >>> from skser.plotting import TrainingCurvesDisplay
    >>> display = TrainingCurvesDisplay({"loss": [2.0, 1.0], "accuracy": [0.2, 0.7]})
    >>> display.plot().axes_[0].get_ylabel()
    'loss'
    """

    def __init__(self, history: Mapping[str, Sequence[float]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, *, axes: Sequence[Axes] | None = None
    ) -> TrainingCurvesDisplay:
        """Draw the training of a network.

        Parameters
        ----------
        estimator : CNNEmotionClassifier, Pipeline or VotingClassifier
            Fitted network, or a pipeline or vote that contains one.
        axes : sequence of two matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : TrainingCurvesDisplay
            The drawn display.

        Raises
        ------
        DataError
            ``estimator`` is not fitted or contains no network.
        """
        from ..evaluation._folds import history_of

        history = history_of(estimator)
        if history is None:
            raise DataError(f"estimator must be fitted and have history_, got {estimator!r}")
        return cls(history).plot(axes=axes)

    def plot(self, *, axes: Sequence[Axes] | None = None) -> TrainingCurvesDisplay:
        """Draw the curves.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes or None, default=None
            Axes to draw into, for loss and accuracy; None makes a new figure.

        Returns
        -------
        self : TrainingCurvesDisplay
            The display itself, with the artists as attributes.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
        self.axes_ = axes
        self.figure_ = axes[0].figure
        self.lines_ = []
        epochs = range(1, len(self.history["loss"]) + 1)
        for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
            for key, label, colour in (
                (name, "training", BLUE),
                (f"val_{name}", "validation", VERMILION),
            ):
                if key in self.history:
                    self.lines_ += ax.plot(epochs, self.history[key], color=colour, label=label)
            ax.set(xlabel="epoch", ylabel=name)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            quiet(ax, grid="both").legend(frameon=False)
        axes[0].set_ylim(bottom=0)
        axes[1].set_ylim(0, 1)
        return self
