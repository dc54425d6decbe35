"""SpeakerScoresDisplay: the score of each speaker, and that of all with its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._fonts import make_legible
from ._style import BLUE, VERMILION, ink, new_axes, quiet


class SpeakerScoresDisplay:
    """Unweighted average recall of each speaker, from the worst to the best.

    Parameters
    ----------
    scores : Series of shape (n_speakers,)
        UAR by speaker.
    pooled : float
        UAR over all clips.
    interval : (float, float)
        Bounds of its 95 % interval.
    chance : float
        UAR of guessing.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
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
    def from_evaluation(cls, evaluation: Any, *, ax: Any = None) -> SpeakerScoresDisplay:
        """Draw the speakers of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            As :func:`skser.evaluation.evaluate` returns it.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        display : SpeakerScoresDisplay
        """
        uar = evaluation.to_frame().loc["uar"]
        scores = evaluation.by("speaker")["uar"]
        interval = (float(uar["low"]), float(uar["high"]))
        display = cls(scores, float(uar["pooled"]), interval, 1 / len(evaluation.classes))
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> SpeakerScoresDisplay:
        """Draw a point for each speaker.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : SpeakerScoresDisplay
        """
        scores = self.scores.sort_values()
        self.ax_ = new_axes(ax, height=1.5 + 0.25 * len(scores))
        self.figure_ = self.ax_.figure
        rows = np.arange(len(scores))
        self.ax_.axvspan(*self.interval, color=BLUE, alpha=0.15, lw=0)
        self.ax_.axvline(self.pooled, color=BLUE, label=f"all clips {self.pooled:.3f}")
        self.ax_.axvline(self.chance, color=VERMILION, ls=":", label=f"chance {self.chance:.3f}")
        self.points_ = self.ax_.scatter(scores, rows, color=ink(), zorder=3, clip_on=False)
        self.ax_.set_yticks(rows, [str(name) for name in scores.index])
        quiet(self.ax_, grid="x").set(xlabel="unweighted average recall", xlim=(0, 1))
        self.ax_.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
        make_legible(self.figure_)
        return self
