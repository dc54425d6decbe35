"""Spectra: everything that feature blocks share about one waveform, each computed once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal

__all__ = ["Spectra"]


class Spectra:
    """Short-time spectra of one waveform, computed when first asked for and then kept.

    Frames are centred, padded and counted as in librosa: there are ``1 + n_samples //
    hop_length`` of them, and arrays are of shape (n_bins, n_frames).

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

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import MFCC, Spectra
    >>> spectra = Spectra(np.zeros(16000, dtype="float32"), sr=16000)
    >>> spectra.power.shape, MFCC(n_mfcc=13).compute(spectra).shape
    ((513, 63), (13, 63))
    """

    def __init__(
        self, waveform: np.ndarray, sr: int, n_fft: int = 1024, hop_length: int = 256
    ) -> None:
        self.waveform = waveform
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self._shared: dict[Any, np.ndarray] = {}

    def once(self, key: tuple, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """The intermediate named ``key``, computed if this is the first time."""
        if key not in self._shared:
            self._shared[key] = compute()
        return self._shared[key]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return 1 + len(self.waveform) // self.hop_length

    def frames(self, mode: str) -> np.ndarray:
        """Frames of the waveform padded by `numpy.pad` ``mode``, (n_fft, n_frames), a view."""
        padded = self.once(("padded", mode), lambda: self._padded(mode))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)
        return windows[:: self.hop_length].T

    def _padded(self, mode: Any) -> np.ndarray:
        return np.pad(self.waveform, (self.n_fft // 2, self.n_fft - self.n_fft // 2), mode=mode)[
            : (self.n_frames - 1) * self.hop_length + self.n_fft
        ]

    @cached_property
    def stft(self) -> np.ndarray:
        """Complex spectrum, complex64 of shape (1 + n_fft // 2, n_frames)."""
        window = hann(self.n_fft)
        return scipy.fft.rfft(self.frames("constant").T * window, axis=1).T

    @cached_property
    def power(self) -> np.ndarray:
        """Squared magnitude."""
        return self.stft.real**2 + self.stft.imag**2

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Magnitude."""
        return np.sqrt(self.power)

    def mel(self, n_mels: int, fmin: float, fmax: float | None) -> np.ndarray:
        """Mel spectrogram of power (Slaney's filters)."""
        filters = mel_filters(self.sr, self.n_fft, n_mels, fmin, fmax)
        return self.once(("mel", n_mels, fmin, fmax), lambda: filters @ self.power)

    def log_mel(
        self, n_mels: int, fmin: float, fmax: float | None, top_db: float | None
    ) -> np.ndarray:
        """Mel spectrogram in dB, at most ``top_db`` below its loudest value."""
        return self.once(
            ("log_mel", n_mels, fmin, fmax, top_db),
            lambda: power_to_db(self.mel(n_mels, fmin, fmax), top_db),
        )

    def chroma_stft(self, n_chroma: int) -> np.ndarray:
        """Chromagram from the STFT, each frame's maximum being 1."""
        from librosa.feature import chroma_stft

        def compute() -> np.ndarray:
            with quiet_librosa():
                return chroma_stft(S=self.power, sr=self.sr, n_fft=self.n_fft, n_chroma=n_chroma)

        return self.once(("chroma_stft", n_chroma), compute)

    def chroma_cqt(self, n_chroma: int, n_octaves: int) -> np.ndarray:
        """Chromagram from a constant-Q transform, each frame's maximum being 1."""
        from librosa.feature import chroma_cqt

        # librosa cannot halve the rate of a few samples; zeros after them are silence.
        missing = max(0, self.hop_length - len(self.waveform))

        def compute() -> np.ndarray:
            with quiet_librosa():
                chroma = chroma_cqt(
                    y=np.pad(self.waveform, (0, missing)),
                    sr=self.sr,
                    hop_length=self.hop_length,
                    n_chroma=n_chroma,
                    n_octaves=n_octaves,
                )
            return chroma[:, : self.n_frames]

        return self.once(("chroma_cqt", n_chroma, n_octaves), compute)


def power_to_db(power: np.ndarray, top_db: float | None, amin: float = 1e-10) -> np.ndarray:
    """``10 log10(max(power, amin))``, floored at ``top_db`` below the maximum."""
    db = 10.0 * np.log10(np.maximum(power, np.float32(amin)))
    return db if top_db is None else np.maximum(db, db.max() - np.float32(top_db))


@lru_cache(maxsize=8)
def hann(n_fft: int) -> np.ndarray:
    return scipy.signal.get_window("hann", n_fft).astype(np.float32)


@lru_cache(maxsize=32)
def mel_filters(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float | None) -> np.ndarray:
    from librosa.filters import mel

    return mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)


@contextmanager
def quiet_librosa() -> Iterator[None]:
    """Leave out what librosa says of clips that are silent or short; the values are right."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty")
        warnings.filterwarnings("ignore", message="n_fft=.* is too large for input signal")
        yield
