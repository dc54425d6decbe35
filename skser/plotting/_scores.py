"""Displays of scores: by emotion and by speaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ..evaluation import Evaluation
from ..exceptions import ParameterError
from ._docstrings import documented
from ._style import (
    BLUE,
    COLOURS,
    VERMILION,
    AxesDisplay,
    ink,
    label_rows,
    legend_above,
    quiet,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    Scores: TypeAlias = Sequence[Literal["precision", "recall", "f1"]]

_SCORES: Scores = ("precision", "recall", "f1")
_MAX_NAMED = 60  # speakers; a page has no room for the names of more


@documented
class ClassScoresDisplay(AxesDisplay):
    """Precision, recall and F1 of each emotion, as bars.

    Parameters
    ----------
    scores : DataFrame of shape (n_classes, n_columns)
        Columns ``precision``, ``recall`` and ``f1``, a row for each emotion.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    bars_ : list of matplotlib BarContainer
        The bars of each score.

    Examples
    --------
    >>> from skser.plotting import ClassScoresDisplay
    >>> display = ClassScoresDisplay.from_predictions(["calm", "sad", "sad"], ["calm"] * 3)
    >>> display.scores.loc["calm", "recall"]
    np.float64(1.0)

    {evaluation}
    >>> display = ClassScoresDisplay.from_evaluation(evaluation, scores=["recall"])
    >>> display.ax_.get_xlabel()
    'accuracy of each emotion (recall)'
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self.scores = scores

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        scores: Scores = _SCORES,
        ax: Axes | None = None,
    ) -> ClassScoresDisplay:
        """Compute the scores of predicted labels and draw them.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_clips,)
            True and predicted labels.
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            Scores to draw.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ClassScoresDisplay
            The drawn display.
        """
        labels = unique_labels(y_true, y_pred)
        *values, _ = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, zero_division=0.0
        )
        table = pd.DataFrame(dict(zip(_SCORES, values, strict=True)), index=labels)
        return cls(table).plot(scores=scores, ax=ax)

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, *, scores: Scores = _SCORES, ax: Axes | None = None
    ) -> ClassScoresDisplay:
        """Draw the scores of the emotions of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate`.
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            Scores to draw.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : ClassScoresDisplay
            The drawn display.
        """
        return cls(evaluation.per_class()).plot(scores=scores, ax=ax)

    def plot(self, *, scores: Scores = _SCORES, ax: Axes | None = None) -> ClassScoresDisplay:
        """Draw the bars.

        Parameters
        ----------
        scores : sequence of {"precision", "recall", "f1"}, default=all three
            Scores to draw. A single score is also written beside each bar; ``["recall"]`` is the
            accuracy of each class.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        self : ClassScoresDisplay
            The display itself, with the artists as attributes.

        Raises
        ------
        ParameterError
            ``scores`` is empty or has an unknown score.
        """
        if not scores or not set(scores) <= set(_SCORES):
            raise ParameterError(f"scores must be some of {', '.join(_SCORES)}, got {scores!r}")
        self._drawn_scores = scores
        return super().plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.4 + (0.2 + 0.2 * len(self._drawn_scores)) * len(self.scores)

    def _draw(self, ax: Axes) -> None:
        names = self._drawn_scores
        height = 0.8 / len(names)
        offsets = (np.arange(len(names)) - (len(names) - 1) / 2) * height
        self.bars_ = [
            ax.barh(
                np.arange(len(self.scores)) + offset,
                self.scores[name],
                0.9 * height,
                color=COLOURS[_SCORES.index(name)],
                label={"f1": "F1"}.get(name, name),
            )
            for name, offset in zip(names, offsets, strict=True)
        ]
        label_rows(ax, self.scores.index).set_xlim(0, 1)
        if len(names) == 1:
            title = "accuracy of each emotion (recall)" if names[0] == "recall" else names[0]
            ax.bar_label(self.bars_[0], fmt="{:.2f}", padding=3)
            ax.set(xlim=(0, 1.08), xlabel=title)
        else:
            legend_above(ax)


@documented
class SpeakerScoresDisplay(AxesDisplay):
    """Unweighted average recall (UAR) of each speaker, the highest on top.

    Up to 60 speakers are named.

    Parameters
    ----------
    scores : Series of shape (n_speakers,)
        UAR by speaker.
    pooled : float
        UAR over all clips.
    interval : tuple of (float, float)
        Bounds of the 95 % interval of ``pooled``.
    chance : float
        UAR of guessing.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    points_ : matplotlib PathCollection
        A point for each speaker.

    Examples
    --------
    >>> from skser.plotting import SpeakerScoresDisplay
    {evaluation}
    >>> SpeakerScoresDisplay.from_evaluation(evaluation).chance
    0.5
    """

    def __init__(
        self, scores: pd.Series, pooled: float, interval: tuple[float, float], chance: float
    ) -> None:
        self.scores = scores
        self.pooled = pooled
        self.interval = interval
        self.chance = chance

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, *, ax: Axes | None = None
    ) -> SpeakerScoresDisplay:
        """Draw the speakers of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            Result of :func:`skser.evaluate` on a corpus with speakers.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.

        Returns
        -------
        display : SpeakerScoresDisplay
            The drawn display.

        Raises
        ------
        ParameterError
            The evaluation has no speakers.
        """
        uar = evaluation.to_frame().loc["uar"].astype(float)
        scores = evaluation.by("speaker")["uar"]
        interval = (uar["low"], uar["high"])
        return cls(scores, uar["pooled"], interval, 1 / len(evaluation.classes)).plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.5 + 0.25 * min(len(self.scores), _MAX_NAMED)

    def _draw(self, ax: Axes) -> None:
        scores = self.scores.sort_values()
        rows = range(len(scores))
        are_named = len(scores) <= _MAX_NAMED
        ax.axvspan(*self.interval, color=BLUE, alpha=0.15, lw=0)
        ax.axvline(self.pooled, color=BLUE, label=f"all clips {self.pooled:.3f}")
        ax.axvline(self.chance, color=VERMILION, ls=":", label=f"chance {self.chance:.3f}")
        size = None if are_named else 4.0
        self.points_ = ax.scatter(scores, rows, size, color=ink(), zorder=3, clip_on=False)
        if are_named:
            ax.set_yticks(rows, [str(name) for name in scores.index])
        else:
            ax.set(yticks=[], ylabel=f"{len(scores)} speakers", ylim=(-1, len(scores)))
        quiet(ax, grid="x").set(xlabel="unweighted average recall", xlim=(0, 1))
        legend_above(ax)
