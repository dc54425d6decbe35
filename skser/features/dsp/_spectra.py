"""Spectra: the intermediate results that feature blocks share, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ._cqt import BINS_PER_OCTAVE, constant_q
from ._filters import chroma_filters, hann, mel_filters
from ._loops import spectral_loops

_SAMPLES_AT_ONCE = 2**15
# Settings of `librosa.piptrack`.
_TUNING_FMIN, _TUNING_FMAX = 150.0, 4000.0  # Hz
_PEAK_THRESHOLD = 0.1  # of the loudest bin of a frame
_TUNING_EDGES = np.linspace(-0.5, 0.5, 101)
_A0_HZ = 440.0 / 16


@dataclass(repr=False, eq=False)
class Spectra:
    """Short-time spectra of a waveform, computed on first use and cached.

    Frames are centred and padded as in librosa. There are ``1 + n_samples // hop_length`` frames,
    and arrays have the shape (n_bins, n_frames).

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,), float32
        The waveform.
    sr : int
        Sampling rate in Hz.
    n_fft : int, default=1024
        Length of a frame in samples (Hann window).
    hop_length : int, default=256
        Samples from frame to frame.
    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Precision of the Fourier transform; its result is complex64.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import MFCC, Spectra
    >>> spectra = Spectra(np.zeros(16000, dtype="float32"), sr=16000)
    >>> spectra.power.shape, MFCC(n_mfcc=13).compute(spectra).shape
    ((513, 63), (13, 63))
    """

    waveform: np.ndarray
    sr: int
    n_fft: int = 1024
    hop_length: int = 256
    dtype: type = np.float64
    _shared: dict[tuple, np.ndarray] = field(default_factory=dict, init=False)

    def once(self, key: tuple, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Compute an intermediate result once for all blocks.

        Parameters
        ----------
        key : tuple
            Name and parameters of the result.
        compute : callable
            Function without arguments that computes the result.

        Returns
        -------
        result : ndarray
            The result, computed now or before.
        """
        if key not in self._shared:
            self._shared[key] = compute()
        return self._shared[key]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return 1 + len(self.waveform) // self.hop_length

    @property
    def loops(self) -> Any:
        """Module of the loops over frames, compiled or in NumPy."""
        return spectral_loops(self.n_frames)

    def frames(self, mode: str) -> np.ndarray:
        """Frames of the waveform.

        Parameters
        ----------
        mode : {"constant", "edge", "reflect", ...}
            Padding of the ends, as in `numpy.pad`.

        Returns
        -------
        frames : ndarray of shape (n_fft, n_frames), float32
            A view of the padded waveform.
        """
        margins = (self.n_fft // 2, self.n_fft - self.n_fft // 2)
        padded = self.once(
            ("padded", mode),
            lambda: np.pad(self.waveform, margins, mode=mode),  # type: ignore[call-overload]
        )
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)
        return windows[:: self.hop_length][: self.n_frames].T

    # Most work is done frame by frame, so frames are contiguous in memory; blocks see the
    # transpose, as in librosa.

    def _transformed(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Complex spectra of a few frames at a time, to fit into the processor's cache."""
        window = hann(self.n_fft, self.dtype)
        n_at_once = max(1, _SAMPLES_AT_ONCE // self.n_fft)
        for first in range(0, self.n_frames, n_at_once):
            n = min(n_at_once, self.n_frames - first)
            frames = self.loops.windowed_frames(self.waveform, window, self.hop_length, first, n)
            spectrum = self.loops.rfft(frames)
            yield slice(first, first + n), spectrum.astype(np.complex64, copy=False)

    def _empty(self, dtype: type) -> np.ndarray:
        return np.empty((self.n_frames, 1 + self.n_fft // 2), dtype)

    @cached_property
    def stft(self) -> np.ndarray:
        """Complex spectrum, ndarray of shape (1 + n_fft // 2, n_frames), complex64."""
        stft = self._empty(np.complex64)
        for part, spectrum in self._transformed():
            stft[part] = spectrum
        return stft.T

    # Blocks need magnitude and power only, so the complex spectrum is not stored for them. With a
    # float64 transform both equal librosa's to the last digit.

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitude, ndarray of shape (1 + n_fft // 2, n_frames), float32."""
        if self.dtype == np.float32:
            return np.sqrt(self.power)
        magnitude = self._empty(np.float32)
        for part, spectrum in self._transformed():
            np.abs(spectrum, out=magnitude[part])
        return magnitude.T

    @cached_property
    def power(self) -> np.ndarray:
        """Squared magnitude, ndarray of shape (1 + n_fft // 2, n_frames), float32."""
        if self.dtype != np.float32:
            return self.magnitude**2
        power = self._empty(np.float32)
        for part, spectrum in self._transformed():
            self.loops.square_magnitudes(spectrum, power[part])
        return power.T

    @property
    def frequencies(self) -> np.ndarray:
        """Frequencies of the bins in Hz, ndarray of shape (1 + n_fft // 2,)."""
        return np.fft.rfftfreq(self.n_fft, 1 / self.sr)

    @cached_property
    def centroid(self) -> np.ndarray:
        """Mean frequency in Hz, weighted by magnitude, ndarray of shape (n_frames,)."""
        return self.loops.weighted_means(self.magnitude.T, self.frequencies)

    def mel(self, n_mels: int, fmin: float, fmax: float | None) -> np.ndarray:
        """Mel spectrogram of power, with Slaney's filters.

        Parameters
        ----------
        n_mels : int
            Number of bands.
        fmin, fmax : float
            Lowest and highest frequency in Hz; ``fmax=None`` means ``sr / 2``.

        Returns
        -------
        mel : ndarray of shape (n_mels, n_frames), float32
        """

        def compute() -> np.ndarray:
            power = self.power.T
            filters = mel_filters(self.sr, self.n_fft, n_mels, fmin, fmax)
            return np.concatenate([power[:, bins] @ weights for bins, weights in filters], axis=1).T

        return self.once(("mel", n_mels, fmin, fmax), compute)

    def log_mel(
        self, n_mels: int, fmin: float, fmax: float | None, top_db: float | None
    ) -> np.ndarray:
        """Mel spectrogram in dB.

        Parameters
        ----------
        n_mels : int
            Number of bands.
        fmin, fmax : float
            Lowest and highest frequency in Hz; ``fmax=None`` means ``sr / 2``.
        top_db : float or None
            Floor in dB below the maximum; None sets no floor.

        Returns
        -------
        log_mel : ndarray of shape (n_mels, n_frames), float32
        """
        return self.once(
            ("log_mel", n_mels, fmin, fmax, top_db),
            lambda: power_to_db(self.mel(n_mels, fmin, fmax), top_db),
        )

    def chroma_stft(self, n_chroma: int) -> np.ndarray:
        """Chromagram from the STFT; the tuning is estimated.

        Parameters
        ----------
        n_chroma : int
            Number of pitch classes in an octave.

        Returns
        -------
        chroma : ndarray of shape (n_chroma, n_frames)
            The maximum of each frame is 1.
        """

        def compute() -> np.ndarray:
            tuning = estimate_tuning(self.power.T, self.sr, n_chroma)
            filters = chroma_filters(self.sr, self.n_fft, n_chroma, tuning)
            return normalize_frames(filters @ self.power, np.inf)

        return self.once(("chroma_stft", n_chroma), compute)

    def chroma_cqt(self, n_chroma: int, n_octaves: int) -> np.ndarray:
        """Chromagram from a constant-Q transform; the tuning is estimated.

        Parameters
        ----------
        n_chroma : {12, 18, 36}
            Number of pitch classes in an octave.
        n_octaves : int
            Number of octaves from C1 (32.7 Hz) on.

        Returns
        -------
        chroma : ndarray of shape (n_chroma, n_frames)
            The maximum of each frame is 1.
        """

        def compute() -> np.ndarray:
            tuning = estimate_tuning(self._for_tuning().magnitude.T, self.sr, BINS_PER_OCTAVE)
            bins = constant_q(self.waveform, self.sr, self.hop_length, n_octaves, tuning)
            # A class merges the bins around it, so the first class starts in the octave below.
            merged = BINS_PER_OCTAVE // n_chroma
            bins = np.roll(bins.sum(axis=0), merged // 2, axis=0)
            return normalize_frames(bins.reshape(n_chroma, merged, -1).sum(axis=1), np.inf)

        return self.once(("chroma_cqt", n_chroma, n_octaves), compute)

    def _for_tuning(self) -> Spectra:
        """Spectra with the frames from which librosa estimates the tuning of a CQT."""
        frames = (2048, 512)
        if (self.n_fft, self.hop_length) == frames:
            return self
        return Spectra(self.waveform, self.sr, *frames)


def normalize_frames(features: np.ndarray, order: float) -> np.ndarray:
    """Divide each frame by its norm of the given order; silence is unchanged."""
    norm = np.linalg.norm(features, order, axis=0)
    return features / np.where(norm < np.finfo(np.float32).tiny, np.float32(1), norm)


def power_to_db(power: np.ndarray, top_db: float | None, amin: float = 1e-10) -> np.ndarray:
    """``10 log10(max(power, amin))``, floored at ``top_db`` below the maximum."""
    db = 10.0 * np.log10(np.maximum(power, np.float32(amin)))
    return db if top_db is None else np.maximum(db, db.max() - np.float32(top_db))


def estimate_tuning(spectrum: np.ndarray, sr: int, bins_per_octave: int) -> float:
    """Deviation from A = 440 Hz in bins, in [-0.5, 0.5), as `librosa.estimate_tuning`."""
    hz_per_bin = sr / 2 / (spectrum.shape[1] - 1)
    first = int(np.ceil(_TUNING_FMIN / hz_per_bin))
    last = int(np.ceil(min(_TUNING_FMAX, sr / 2) / hz_per_bin))
    floors = np.float32(_PEAK_THRESHOLD) * spectrum.max(axis=1)
    positions, heights = spectral_loops(len(spectrum)).spectral_peaks(spectrum, floors, first, last)
    if len(positions) == 0:
        return 0.0
    loud = positions[heights >= np.median(heights)]
    octaves = np.log2((loud * hz_per_bin).astype(np.float32) / np.float32(_A0_HZ))
    deviation = np.mod(bins_per_octave * octaves, 1.0)
    deviation[deviation >= 0.5] -= 1.0
    counts, _ = np.histogram(deviation, _TUNING_EDGES)
    return float(_TUNING_EDGES[counts.argmax()])
