"""Displays of the training data and of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._utils._param_validation import check_value, one_of
from ..evaluation import Evaluation
from ..evaluation._folds import history_of
from ..exceptions import DataError, ParameterError
from ._docstrings import documented
from ._style import BLUE, COLOURS, VERMILION, AxesDisplay, draw_table, label_rows, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from sklearn.base import BaseEstimator

    Kind: TypeAlias = Literal["bars", "heatmap"]


@documented
class EmotionDistributionDisplay(AxesDisplay):
    """Number of recordings of each emotion, in total or by corpus, speaker or gender.

    Parameters
    ----------
    counts : DataFrame of shape (n_emotions, n_groups)
        Number of recordings by emotion (rows) and group (columns).

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    bars_ : list of matplotlib BarContainer
        The bars of each group, in the order of ``counts``; empty for a heat map.
    image_ : matplotlib AxesImage
        The heat map, with ``kind="heatmap"`` only.

    Examples
    --------
    >>> import pandas as pd
    >>> from skser.plotting import EmotionDistributionDisplay
    >>> counts = pd.DataFrame({"mine": [12, 8]}, index=["angry", "calm"])
    >>> EmotionDistributionDisplay(counts).plot().ax_.get_xlabel()
    'recordings'

    {evaluation}
    >>> display = EmotionDistributionDisplay.from_evaluation(evaluation, by="speaker")
    >>> display.counts.loc["calm"].to_list()
    [3, 3, 3, 3]
    """

    def __init__(self, counts: pd.DataFrame) -> None:
        self.counts = counts

    @classmethod
    def from_corpus(
        cls, corpus: Bunch, *, by: str | None = None, kind: Kind = "bars", ax: Axes | None = None
    ) -> EmotionDistributionDisplay:
        """Count the recordings of a corpus and draw the numbers.

        Parameters
        ----------
        corpus : Bunch
            Corpus with a table ``frame``, as the loaders in :mod:`skser.datasets` return it.
        by : str or None, default=None
            Column of ``corpus.frame`` to group by, such as ``"corpus"``, ``"speaker"`` or
            ``"gender"``. None counts all recordings together.
        kind : {"bars", "heatmap"}, default="bars"
            Stacked bars, or a heat map, which is easier to read with many groups.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : EmotionDistributionDisplay
            The drawn display.

        Raises
        ------
        ParameterError
            ``by`` is not a column of ``corpus.frame``.
        """
        if by is not None and by not in corpus.frame:
            names = ", ".join(corpus.frame.columns)
            raise ParameterError(f"by must be a column of corpus.frame ({names}), got {by!r}")
        return cls(_count(corpus.frame, by)).plot(kind=kind, ax=ax)

    @classmethod
    def from_evaluation(
        cls,
        evaluation: Evaluation,
        *,
        by: str | None = None,
        kind: Kind = "bars",
        ax: Axes | None = None,
    ) -> EmotionDistributionDisplay:
        """Count the clips of an evaluation and draw the numbers.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate`.
        by : {"speaker", "corpus", "gender", "fold"} or None, default=None
            What to group by, if it is known. None counts all clips together.
        kind : {"bars", "heatmap"}, default="bars"
            Stacked bars, or a heat map, which is easier to read with many groups.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : EmotionDistributionDisplay
            The drawn display.

        Raises
        ------
        ParameterError
            ``by`` is not known.
        """
        if by is not None and by not in evaluation.parts:
            names = ", ".join(evaluation.parts)
            raise ParameterError(f"by must be None or one of {names}, got {by!r}")
        return cls(_count(evaluation.predictions, by)).plot(kind=kind, ax=ax)

    def plot(self, *, kind: Kind = "bars", ax: Axes | None = None) -> EmotionDistributionDisplay:
        """Draw the numbers.

        Parameters
        ----------
        kind : {"bars", "heatmap"}, default="bars"
            Stacked bars, or a heat map, which is easier to read with many groups.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : EmotionDistributionDisplay
            The display itself, with the artists as attributes.

        Raises
        ------
        ParameterError
            ``kind`` is not one of these.
        """
        check_value("kind", kind, one_of("bars", "heatmap"))
        self._kind = kind
        return super().plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.2 + 0.4 * len(self.counts)

    def _draw(self, ax: Axes) -> None:
        self.bars_: list[BarContainer] = []
        if self._kind == "heatmap":
            self.image_ = draw_table(ax, self.counts, ".0f")
            return
        rows, left = range(len(self.counts)), np.zeros(len(self.counts))
        for i, (group, counts) in enumerate(self.counts.items()):
            colour = COLOURS[i % len(COLOURS)]
            self.bars_.append(ax.barh(rows, counts, left=left, color=colour, label=str(group)))
            left = left + counts.to_numpy()
        ax.bar_label(self.bars_[-1], labels=[f"{n:.0f}" for n in left], padding=3)
        label_rows(ax, self.counts.index).set_xlabel("recordings")
        ax.margins(x=0.1)
        if len(self.bars_) > 1:
            self.figure_.legend(handles=self.bars_, loc="outside right upper", frameon=False)


def _count(clips: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Number of clips by emotion (rows) and value of a column, or ``all``."""
    if by is None:
        return clips["emotion"].value_counts().to_frame("all").sort_index()
    return pd.crosstab(clips["emotion"], clips[by])


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
        history = history_of(estimator)
        if history is None:
            raise DataError(f"estimator must be fitted and have history_, got {estimator!r}")
        return cls(history).plot(axes=axes)

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, *, axes: Sequence[Axes] | None = None
    ) -> TrainingCurvesDisplay:
        """Draw the training of the networks of an evaluation, as means over the folds.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate` with a network. Epochs that a fold did not reach are
            means over the others.
        axes : sequence of two matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : TrainingCurvesDisplay
            The drawn display.

        Raises
        ------
        DataError
            The evaluation has no network.
        """
        history = evaluation.training_history
        if history.empty:
            raise DataError("evaluation must have a training history, which networks give")
        mean = history.drop(columns="fold").groupby("epoch").mean()
        return cls(mean.to_dict("list")).plot(axes=axes)

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
            curves = ((name, "training", BLUE), (f"val_{name}", "validation", VERMILION))
            for key, label, colour in curves:
                if key in self.history:
                    self.lines_ += ax.plot(epochs, self.history[key], color=colour, label=label)
            ax.set(xlabel="epoch", ylabel=name)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            quiet(ax, grid="both").legend(frameon=False)
        axes[0].set_ylim(bottom=0)
        axes[1].set_ylim(0, 1)
        return self
