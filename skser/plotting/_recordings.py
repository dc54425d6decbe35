"""Displays of one recording: its sound and probabilities, and the evidence for an emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd

from ..audio import read_audio
from ..audio._any_form import one_recording
from ..audio._sampled import Waveform
from ..features import MFCC, Spectra
from ..features.dsp._spectra import power_to_db
from ..inspection import Saliency, saliency
from ..recipes._steps import loader_of
from ._style import (
    BLUE,
    DIVERGING,
    VERMILION,
    AxesDisplay,
    draw_over_time,
    label_rows,
    make_legible,
    quiet,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from sklearn.pipeline import Pipeline

    from .._utils._types import Recording

_HOP_SECONDS = 0.01
_N_MFCC = 20
_FRAME_SECONDS = 0.032  # long enough to separate the harmonics of a voice


class ClipDisplay:
    """Waveform, spectrogram and MFCC of a recording, and the probabilities of its emotions.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        Waveform, between -1 and 1.
    sr : int
        Sampling rate in Hz.
    probabilities : Series of shape (n_classes,) or None, default=None
        Probability of each emotion; None leaves them out.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        The axes of waveform, spectrogram, MFCC and, if given, probabilities.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.plotting import ClipDisplay
    >>> waveform = np.sin(np.arange(16000) / 10)
    >>> [ax.get_ylabel() for ax in ClipDisplay(waveform, 16000).plot().axes_]
    ['amplitude', 'frequency (Hz)', 'MFCC']
    """

    def __init__(
        self, waveform: np.ndarray, sr: int, probabilities: pd.Series | None = None
    ) -> None:
        self.waveform = waveform
        self.sr = sr
        self.probabilities = probabilities

    @classmethod
    def from_recording(
        cls,
        recording: Recording,
        *,
        sr: int = 16000,
        channel: int | Literal["mean"] = "mean",
        figure: Figure | None = None,
    ) -> ClipDisplay:
        """Decode a recording and draw it.

        Parameters
        ----------
        recording : recording or waveform
            Anything that :func:`skser.read_audio` takes; a waveform without a rate is at ``sr``.
        sr : int, default=16000
            Sampling rate in Hz; the spectrogram ends at half of it.
        channel : "mean" or int, default="mean"
            The mean of the channels, or one of them, counted from 0.
        figure : matplotlib Figure or None, default=None
            Figure to draw into; None makes a new one.

        Returns
        -------
        display : ClipDisplay
            The drawn display.

        Raises
        ------
        AudioError
            The recording cannot be decoded.
        """
        return cls(*read_audio(recording, sr, channel=channel)).plot(figure=figure)

    @classmethod
    def from_estimator(
        cls,
        estimator: Pipeline,
        recording: Recording,
        *,
        sr: int = 16000,
        figure: Figure | None = None,
    ) -> ClipDisplay:
        """Draw a recording, in the pipeline's channel, with the probabilities of its emotions.

        Parameters
        ----------
        estimator : Pipeline
            Fitted pipeline.
        recording : recording or waveform
            Anything that the pipeline takes.
        sr : int, default=16000
            Sampling rate in Hz; the spectrogram ends at half of it.
        figure : matplotlib Figure or None, default=None
            Figure to draw into; None makes a new one.

        Returns
        -------
        display : ClipDisplay
            The drawn display.

        Raises
        ------
        AudioError
            The recording cannot be decoded.
        """
        opened = one_recording(recording, "recording")  # a stream can be read only once
        probabilities = pd.Series(estimator.predict_proba([opened])[0], index=estimator.classes_)
        if isinstance(opened, np.ndarray):
            opened = Waveform(opened, _loader_param(estimator, "sr", 16000))
        channel = _loader_param(estimator, "channel", "mean")
        sound = read_audio(cast("Recording", opened), sr, channel=channel)
        return cls(*sound, probabilities).plot(figure=figure)

    def plot(self, *, figure: Figure | None = None) -> ClipDisplay:
        """Draw waveform, spectrogram, MFCC and probabilities, one above the other.

        Parameters
        ----------
        figure : matplotlib Figure or None, default=None
            Figure to draw into; None makes a new one.

        Returns
        -------
        self : ClipDisplay
            The display itself, with the artists as attributes.
        """
        heights = [1.0, 1.6, 1.2]
        if self.probabilities is not None:
            heights.append(0.35 + 0.18 * len(self.probabilities))
        if figure is None:
            import matplotlib.pyplot as plt

            figure = plt.figure(figsize=(8, 2 * sum(heights)), layout="constrained")
        self.figure_ = figure
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        wave = figure.add_subplot(grid[0])
        self.axes_ = [wave, *(figure.add_subplot(grid[i], sharex=wave) for i in (1, 2))]
        self._draw_sound(*self.axes_)
        if self.probabilities is not None:
            self.axes_.append(figure.add_subplot(grid[3]))
            self._draw_probabilities(self.axes_[3], self.probabilities)
        make_legible(figure)
        return self

    def _draw_sound(self, wave: Axes, spectrogram: Axes, cepstrum: Axes) -> None:
        seconds = len(self.waveform) / self.sr
        times = np.arange(len(self.waveform)) / self.sr
        wave.plot(times, self.waveform, color=BLUE, lw=0.5)
        quiet(wave).set(ylabel="amplitude", xlim=(0, seconds))
        spectra = Spectra(
            np.asarray(self.waveform, dtype=np.float32),
            sr=self.sr,
            n_fft=2 ** int(np.ceil(np.log2(self.sr * _FRAME_SECONDS))),
            hop_length=max(1, round(self.sr * _HOP_SECONDS)),
        )
        level = power_to_db(spectra.power, top_db=80.0)
        image = draw_over_time(spectrogram, level, (0, seconds, 0, self.sr / 2), "magma")
        spectrogram.set_ylabel("frequency (Hz)")
        self.figure_.colorbar(image, ax=spectrogram, label="dB", pad=0.01)
        mfcc = MFCC(n_mfcc=_N_MFCC, n_mels=64, skip_first=True).compute(spectra)
        image = draw_over_time(cepstrum, mfcc, (0, seconds, 0.5, len(mfcc) + 0.5), DIVERGING)
        cepstrum.set(ylabel="MFCC", xlabel="time (s)")
        self.figure_.colorbar(image, ax=cepstrum, pad=0.01)
        for ax in (wave, spectrogram):
            ax.tick_params(labelbottom=False)

    def _draw_probabilities(self, ax: Axes, probabilities: pd.Series) -> None:
        colours = np.where(probabilities == probabilities.max(), VERMILION, BLUE)
        bars = ax.barh(range(len(probabilities)), probabilities, color=colours)
        ax.bar_label(bars, fmt="{:.2f}", padding=3)
        label_rows(ax, probabilities.index).set(xlabel="probability", xlim=(0, 1.08))


def _loader_param(pipeline: Pipeline, name: str, default: Any) -> Any:
    """A parameter of the loader of a pipeline."""
    return getattr(loader_of(pipeline), name, default)


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
        recording: Recording,
        *,
        ax: Axes | None = None,
        **params: Any,
    ) -> SaliencyDisplay:
        """Compute the saliency of a recording and draw it.

        Parameters
        ----------
        estimator : Pipeline
            Fitted pipeline, whose features are sequences.
        recording : recording or waveform
            Anything that the pipeline takes.
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
        self.image_ = draw_over_time(ax, values.T, (0, end, -0.5, n_features - 0.5), DIVERGING)
        rows = np.unique(np.linspace(0, n_features - 1, 8).round().astype(int))
        ax.set_yticks(rows, self.saliency.feature_names[rows])
        ax.set_xlabel("time (s) after the trimmed silence")
        title = f"{self.saliency.emotion} {self.saliency.probability:.2f}"
        ax.set_title(title, fontsize="medium")
        self.figure_.colorbar(self.image_, ax=ax, label="evidence for it")
