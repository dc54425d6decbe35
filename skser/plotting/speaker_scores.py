"""SpeakerScoresDisplay: the score of each speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ._style import BLUE, VERMILION, AxesDisplay, ink, legend_above, quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..evaluation import Evaluation


class SpeakerScoresDisplay(AxesDisplay):
    """Unweighted average recall (UAR) of each speaker, the highest on top.

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
        """
        uar = evaluation.to_frame().loc["uar"].astype(float)
        scores = evaluation.by("speaker")["uar"]
        interval = (uar["low"], uar["high"])
        return cls(scores, uar["pooled"], interval, 1 / len(evaluation.classes)).plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 6.0, 1.5 + 0.25 * len(self.scores)

    def _draw(self, ax: Axes) -> None:
        scores = self.scores.sort_values()
        rows = range(len(scores))
        ax.axvspan(*self.interval, color=BLUE, alpha=0.15, lw=0)
        ax.axvline(self.pooled, color=BLUE, label=f"all clips {self.pooled:.3f}")
        ax.axvline(self.chance, color=VERMILION, ls=":", label=f"chance {self.chance:.3f}")
        self.points_ = ax.scatter(scores, rows, color=ink(), zorder=3, clip_on=False)
        ax.set_yticks(rows, [str(name) for name in scores.index])
        quiet(ax, grid="x").set(xlabel="unweighted average recall", xlim=(0, 1))
        legend_above(ax)
