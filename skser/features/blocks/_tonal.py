"""Blocks on pitch and harmony: Chroma, ChromaCQT, Tonnetz, Pitch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..._utils._param_validation import even_integer, integer, number, one_of
from ...exceptions import ParameterError
from ..dsp._cqt import BINS_PER_OCTAVE, C1_HZ
from ..dsp._pyin import pyin
from ..dsp._spectra import Spectra, normalize_frames
from ._base import FeatureBlock, in_float32, numbered
from ._cepstral import check_band

_SEMITONES_PER_SECOND = 35.92 * 12  # largest change of pitch, as in librosa

# Pairs of rows are the coordinates of the pitch classes on three circles: of fifths, of minor and
# of major thirds. The last circle has half the radius.
_TONAL_CENTROIDS = np.repeat([1.0, 1.0, 0.5], 2)[:, np.newaxis] * np.cos(
    np.pi
    * (
        np.outer(np.repeat([7 / 6, 3 / 2, 2 / 3], 2), np.arange(12))
        - np.tile([0.5, 0.0], 3)[:, np.newaxis]
    )
)


def check_octaves(n_octaves: int, sr: int) -> None:
    """Raise ParameterError if the constant-Q transform would pass ``sr / 2``."""
    # librosa's highest filter reaches one bandwidth above its centre.
    allowed = int(np.log2(sr / 2 / C1_HZ / 2 ** (1 / BINS_PER_OCTAVE)))
    if n_octaves > allowed:
        raise ParameterError(
            f"n_octaves must be at most {allowed} at sr={sr} Hz (they start at C1, 32.7 Hz), "
            f"got {n_octaves!r}"
        )


def max_semitones(sr: int, hop_length: int) -> int:
    """Largest change of pitch from frame to frame in semitones, up and down together."""
    return round(_SEMITONES_PER_SECOND * hop_length / sr)


@dataclass(kw_only=True, repr=False, eq=False)
class Chroma(FeatureBlock):
    """Energy of the pitch classes from the STFT, as `librosa.feature.chroma_stft`.

    The maximum of each frame is 1; the tuning of each clip is estimated.

    Parameters
    ----------
    n_chroma : int, default=12
        Number of pitch classes in an octave.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import Chroma, Spectra
    >>> a4 = np.sin(2 * np.pi * 440 * np.arange(16000, dtype="float32") / 16000)
    >>> chroma = Chroma().compute(Spectra(a4, sr=16000))
    >>> "C C# D D# E F F# G G# A A# B".split()[chroma.mean(axis=1).argmax()]
    'A'
    """

    n_chroma: int = 12

    _allowed = {"n_chroma": [integer(1, 120)]}
    fourier_dtype = np.float64  # the last digits can decide between two tunings

    def compute(self, spectra: Spectra) -> np.ndarray:
        return in_float32(spectra.chroma_stft(self.n_chroma))

    def bin_names(self) -> list[str]:
        return numbered(self.n_chroma)


@dataclass(kw_only=True, repr=False, eq=False)
class ChromaCQT(FeatureBlock):
    """Energy of the pitch classes from a constant-Q transform, as `librosa.feature.chroma_cqt`.

    The maximum of each frame is 1; the tuning of each clip is estimated.

    Parameters
    ----------
    n_chroma : {12, 18, 36}, default=12
        Number of pitch classes in an octave.
    n_octaves : int, default=7
        Number of octaves from C1 (32.7 Hz) on; low sampling rates have fewer.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import ChromaCQT, Spectra
    >>> ChromaCQT().compute(Spectra(np.ones(16000, dtype="float32"), sr=16000)).shape
    (12, 63)
    """

    n_chroma: Literal[12, 18, 36] = 12
    n_octaves: int = 7

    _allowed = {"n_chroma": [one_of(12, 18, 36)], "n_octaves": [integer(1, 10)]}
    fourier_dtype = np.float64  # the last digits can decide between two tunings

    def compute(self, spectra: Spectra) -> np.ndarray:
        return in_float32(spectra.chroma_cqt(self.n_chroma, self.n_octaves))

    def bin_names(self) -> list[str]:
        return numbered(self.n_chroma)

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        check_octaves(self.n_octaves, sr)


@dataclass(kw_only=True, repr=False, eq=False)
class Tonnetz(FeatureBlock):
    """Tonal centroids on circles of fifths, minor and major thirds: `librosa.feature.tonnetz`.

    Parameters
    ----------
    chroma : {"cqt", "stft"}, default="cqt"
        Chromagram to start from; ``"stft"`` is many times faster.
    n_octaves : int, default=7
        Number of octaves of the constant-Q transform from C1 (32.7 Hz) on; unused by ``"stft"``.

    References
    ----------
    .. [1] C. Harte, M. Sandler and M. Gasser, "Detecting harmonic change in musical audio",
       Workshop on Audio and Music Computing Multimedia, ACM, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import Spectra, Tonnetz
    >>> spectra = Spectra(np.ones(16000, dtype="float32"), sr=16000)
    >>> Tonnetz(chroma="stft").compute(spectra).shape
    (6, 63)
    """

    chroma: Literal["cqt", "stft"] = "cqt"
    n_octaves: int = 7

    _allowed = {"chroma": [one_of("cqt", "stft")], "n_octaves": [integer(1, 10)]}
    fourier_dtype = np.float64  # the last digits can decide between two tunings

    def compute(self, spectra: Spectra) -> np.ndarray:
        if self.chroma == "cqt":
            chroma = spectra.chroma_cqt(12, self.n_octaves)
        else:
            chroma = spectra.chroma_stft(12)
        return in_float32(_TONAL_CENTROIDS @ normalize_frames(chroma, 1))

    def bin_names(self) -> list[str]:
        return ["fifth_x", "fifth_y", "minor_x", "minor_y", "major_x", "major_y"]

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        if self.chroma == "cqt":
            check_octaves(self.n_octaves, sr)


@dataclass(kw_only=True, repr=False, eq=False)
class Pitch(FeatureBlock):
    """Fundamental frequency in Hz and probability of voicing (probabilistic YIN): `librosa.pyin`.

    The frequency of an unvoiced frame is NaN. Statistics ignore it; sequences have 0 instead.

    Parameters
    ----------
    fmin : float, default=65.0
        Lowest fundamental frequency in Hz.
    fmax : float, default=500.0
        Highest fundamental frequency in Hz.
    frame_length : int, default=2048
        Length of a frame in samples: at least two periods of ``fmin``.

    References
    ----------
    .. [1] M. Mauch and S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic
       threshold distributions", ICASSP, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import Pitch, Spectra
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16000, dtype="float32") / 16000)
    >>> f0, voicing = Pitch().compute(Spectra(tone, sr=16000))
    >>> round(float(np.nanmedian(f0)))
    200
    """

    fmin: float = 65.0
    fmax: float = 500.0
    frame_length: int = 2048

    _allowed = {
        "fmin": [number(20, 2000)],
        "fmax": [number(20, 4000)],
        "frame_length": [even_integer(64, 65536)],
    }

    def compute(self, spectra: Spectra) -> np.ndarray:
        sr, hop_length = spectra.sr, spectra.hop_length
        grid = (self.fmin, self.fmax, self.frame_length, hop_length, max_semitones(sr, hop_length))
        return in_float32(pyin(spectra.waveform, sr, *grid))

    def bin_names(self) -> list[str]:
        return ["f0", "voicing"]

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        check_band(self.fmin, self.fmax, sr)
        widest = max_semitones(sr, hop_length)
        lowest = self.fmin * 2 ** (widest / 12)
        if self.fmax < lowest:
            raise ParameterError(
                f"fmax must be at least {lowest:.1f} Hz with fmin={self.fmin:g} Hz and "
                f"hop_length={hop_length} at sr={sr} Hz (pitch may move by {widest} semitones "
                f"from frame to frame), got {self.fmax!r}"
            )
        shortest = int(np.ceil(2 * sr / self.fmin))
        if self.frame_length < shortest:
            raise ParameterError(
                f"frame_length must be at least {shortest} to hold two periods of "
                f"fmin={self.fmin:g} Hz at sr={sr} Hz, got {self.frame_length!r}"
            )
