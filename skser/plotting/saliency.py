"""SaliencyDisplay: evidence for an emotion in time and frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..inspection import Saliency, saliency
from ._style import DIVERGING, AxesDisplay, draw_over_time

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from sklearn.pipeline import Pipeline


class SaliencyDisplay(AxesDisplay):
    """Evidence for an emotion (red) or against it (blue), by time and feature.

    Parameters
    ----------
    saliency : Saliency
        Result of :func:`skser.inspection.saliency`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes, matplotlib Figure
        The axes and their figure.
    image_ : matplotlib AxesImage
        The coloured map.
    """

    def __init__(self, saliency: Saliency) -> None:
        self.saliency = saliency

    @classmethod
    def from_estimator(
        cls,
        estimator: Pipeline,
        recording: str | PathLike[str] | np.ndarray,
        *,
        ax: Axes | None = None,
        **params: Any,
    ) -> SaliencyDisplay:
        """Compute the saliency of a recording and draw it.

        Parameters
        ----------
        estimator : Pipeline
            Fitted pipeline, whose features are sequences.
        recording : str, path or ndarray of shape (n_samples,)
            Path of the recording, or its waveform.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a new figure.
        **params : dict
            Further parameters of :func:`skser.inspection.saliency`.

        Returns
        -------
        display : SaliencyDisplay
            The drawn display.
        """
        return cls(saliency(estimator, recording, **params)).plot(ax=ax)

    def _figure_size(self) -> tuple[float, float]:
        return 8.0, 3.2

    def _draw(self, ax: Axes) -> None:
        values, times = self.saliency.values, self.saliency.times
        n_frames, n_features = values.shape
        end = times[-1] * n_frames / max(n_frames - 1, 1) or 1.0
        extent = (0, end, -0.5, n_features - 0.5)
        self.image_ = draw_over_time(ax, values.T, extent, DIVERGING)
        rows = np.unique(np.linspace(0, n_features - 1, 8).round().astype(int))
        ax.set_yticks(rows, self.saliency.feature_names[rows])
        ax.set_xlabel("time (s) after the trimmed silence")
        title = f"{self.saliency.emotion} {self.saliency.probability:.2f}"
        ax.set_title(title, fontsize="medium")
        self.figure_.colorbar(self.image_, ax=ax, label="evidence for it")
