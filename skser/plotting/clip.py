"""ClipDisplay: one recording, from its waveform to the probabilities of its emotions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..audio import read_audio
from ..features import MFCC, Spectra
from ..features.spectra import power_to_db
from ._fonts import make_legible
from ._style import BLUE, COLOURS, quiet

_HOP_SECONDS = 0.01
_N_MFCC = 20
# A frame of 32 ms tells pitch harmonics apart.
_FRAME_SECONDS = 0.032


class ClipDisplay:
    """Waveform, spectrogram and MFCC of a recording, and the probabilities of its emotions.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        The waveform.
    sr : int
        Its sampling rate in Hz.
    probabilities : Series of shape (n_classes,) or None, default=None
        Probability of each emotion; None leaves them out.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        The axes of waveform, spectrogram, MFCC and, if there are any, probabilities.
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
    def from_recording(cls, recording: Any, *, sr: int = 16000, figure: Any = None) -> ClipDisplay:
        """Draw a recording.

        Parameters
        ----------
        recording : str, path or bytes
            The recording.
        sr : int, default=16000
            Sampling rate in Hz; frequencies up to half of it are drawn.
        figure : matplotlib Figure or None, default=None
            Where to draw; None makes a new one.

        Returns
        -------
        display : ClipDisplay
        """
        return cls(*read_audio(recording, sr)).plot(figure=figure)

    @classmethod
    def from_estimator(
        cls, estimator: Any, recording: Any, *, sr: int = 16000, figure: Any = None
    ) -> ClipDisplay:
        """Draw a recording with the probabilities that a fitted pipeline gives it.

        Parameters
        ----------
        estimator : Pipeline
            Fitted.
        recording : str or path
            The recording.
        sr, figure
            As in `from_recording`.

        Returns
        -------
        display : ClipDisplay
        """
        found = pd.Series(estimator.predict_proba([recording])[0], index=estimator.classes_)
        return cls(*read_audio(recording, sr), found).plot(figure=figure)

    def plot(self, *, figure: Any = None) -> ClipDisplay:
        """Draw one above the other.

        Parameters
        ----------
        figure : matplotlib Figure or None, default=None
            Where to draw; None makes a new one.

        Returns
        -------
        self : ClipDisplay
        """
        n_classes = 0 if self.probabilities is None else len(self.probabilities)
        heights = [1.0, 1.6, 1.2] + ([0.35 + 0.18 * n_classes] if n_classes else [])
        if figure is None:
            import matplotlib.pyplot as plt

            figure = plt.figure(figsize=(8, 2 * sum(heights)), layout="constrained")
        self.figure_ = figure
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        wave = figure.add_subplot(grid[0])
        others = [figure.add_subplot(grid[i], sharex=wave) for i in (1, 2)]
        self.axes_ = [wave, *others]
        self._plot_sound()
        if self.probabilities is not None:
            self.axes_.append(figure.add_subplot(grid[3]))
            self._plot_probabilities()
        make_legible(figure)
        return self

    def _plot_sound(self) -> None:
        wave, spectrogram, cepstrum = self.axes_[:3]
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
        image = spectrogram.imshow(
            level,
            origin="lower",
            aspect="auto",
            cmap="magma",
            extent=(0, seconds, 0, self.sr / 2),
        )
        spectrogram.set_ylabel("frequency (Hz)")
        self.figure_.colorbar(image, ax=spectrogram, label="dB", pad=0.01)
        mfcc = MFCC(n_mfcc=_N_MFCC, n_mels=64, skip_first=True).compute(spectra)
        image = cepstrum.imshow(
            mfcc,
            origin="lower",
            aspect="auto",
            cmap="RdBu_r",
            vmin=-np.abs(mfcc).max(),
            vmax=np.abs(mfcc).max(),
            extent=(0, seconds, 0.5, len(mfcc) + 0.5),
        )
        cepstrum.set(ylabel="MFCC", xlabel="time (s)")
        self.figure_.colorbar(image, ax=cepstrum, pad=0.01)
        for ax in (wave, spectrogram):
            ax.tick_params(labelbottom=False)

    def _plot_probabilities(self) -> None:
        ax, found = self.axes_[3], self.probabilities
        assert found is not None
        rows = np.arange(len(found))
        colours = [COLOURS[1] if p == found.max() else COLOURS[0] for p in found]
        bars = ax.barh(rows, found, color=colours)
        ax.bar_label(bars, fmt="{:.2f}", padding=3)
        ax.set_yticks(rows, [str(name) for name in found.index])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        quiet(ax, grid="x").set(xlabel="probability", xlim=(0, 1.08))
