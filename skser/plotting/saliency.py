"""SaliencyDisplay: where in a recording a pipeline finds an emotion."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..explanation import Saliency, saliency
from ._fonts import make_legible
from ._style import DIVERGING, new_axes


class SaliencyDisplay:
    """Places in time and frequency that speak for an emotion (red) or against it (blue).

    Parameters
    ----------
    saliency : Saliency
        As :func:`skser.explanation.saliency` returns it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    image_ : matplotlib AxesImage
        The colours.
    """

    def __init__(self, saliency: Saliency) -> None:
        self.saliency = saliency

    @classmethod
    def from_estimator(
        cls, estimator: Any, recording: Any, *, ax: Any = None, **params: Any
    ) -> SaliencyDisplay:
        """Find the places in a recording, and draw them.

        Parameters
        ----------
        estimator : Pipeline
            Fitted, with sequences of features.
        recording : str, path or ndarray of shape (n_samples,)
            The recording.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.
        **params : dict
            As in :func:`skser.explanation.saliency`.

        Returns
        -------
        display : SaliencyDisplay
        """
        return cls(saliency(estimator, recording, **params)).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> SaliencyDisplay:
        """Draw the places.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        self : SaliencyDisplay
        """
        found = self.saliency
        self.ax_ = new_axes(ax, 8.0, 3.2)
        self.figure_ = self.ax_.figure
        most = np.abs(found.values).max() or 1.0
        n_frames, n_features = found.values.shape
        end = found.times[-1] * n_frames / max(n_frames - 1, 1) or 1.0
        self.image_ = self.ax_.imshow(
            found.values.T,
            origin="lower",
            aspect="auto",
            cmap=DIVERGING,
            vmin=-most,
            vmax=most,
            extent=(0, end, -0.5, n_features - 0.5),
        )
        places = np.unique(np.linspace(0, n_features - 1, 8).round().astype(int))
        self.ax_.set_yticks(places, found.feature_names[places])
        self.ax_.set_xlabel("time (s), from where silence is trimmed")
        self.ax_.set_title(f"{found.emotion} {found.probability:.2f}", fontsize="medium")
        self.figure_.colorbar(self.image_, ax=self.ax_, label="speaks for it")
        make_legible(self.figure_)
        return self
