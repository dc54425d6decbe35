"""Blocks on the mel scale: MelSpectrogram and MFCC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..._utils._param_validation import BOOLEAN, NONE, integer, number, one_of
from ...exceptions import ParameterError
from ..dsp._filters import cosine_basis, names_with_deltas, with_deltas
from ..dsp._spectra import Spectra
from ._base import FeatureBlock, numbered

_MEL_ALLOWED = {
    "n_mels": [integer(1, 1024)],
    "fmin": [number(0)],
    "fmax": [number(0, open_low=True), NONE],
    "top_db": [number(0, open_low=True), NONE],
}


def check_band(fmin: float, fmax: float | None, sr: int) -> None:
    """Raise ParameterError unless ``fmin < fmax <= sr / 2``."""
    if fmax is not None and fmax > sr / 2:
        raise ParameterError(f"fmax must be at most sr / 2 = {sr / 2:g} Hz, got {fmax!r}")
    upper = sr / 2 if fmax is None else fmax
    if fmin >= upper:
        raise ParameterError(f"fmin must be below fmax = {upper:g} Hz, got {fmin!r}")


@dataclass(kw_only=True, repr=False, eq=False)
class MelSpectrogram(FeatureBlock):
    """Power in bands of equal width on Slaney's mel scale, as `librosa.feature.melspectrogram`.

    Parameters
    ----------
    n_mels : int, default=128
        Number of bands.
    fmin : float, default=0.0
        Lowest frequency in Hz.
    fmax : float or None, default=None
        Highest frequency in Hz; None means ``sr / 2``.
    scale : {"power", "db"}, default="power"
        Power, or its level in dB (``10 log10``).
    top_db : float or None, default=80.0
        Floor of the levels in dB below the clip's loudest; None sets no floor.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox, version 2", Interval Research Corporation, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import MelSpectrogram, Spectra
    >>> spectra = Spectra(np.ones(16000, dtype="float32"), sr=16000)
    >>> MelSpectrogram(n_mels=64, scale="db").compute(spectra).shape
    (64, 63)
    """

    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    scale: Literal["power", "db"] = "power"
    top_db: float | None = 80.0

    _allowed = {**_MEL_ALLOWED, "scale": [one_of("power", "db")]}

    def compute(self, spectra: Spectra) -> np.ndarray:
        if self.scale == "db":
            return spectra.log_mel(self.n_mels, self.fmin, self.fmax, self.top_db)
        return spectra.mel(self.n_mels, self.fmin, self.fmax)

    def bin_names(self) -> list[str]:
        return numbered(self.n_mels)

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        check_band(self.fmin, self.fmax, sr)


@dataclass(kw_only=True, repr=False, eq=False)
class MFCC(FeatureBlock):
    """Cosine transform of the log-mel spectrum, as `librosa.feature.mfcc`.

    Parameters
    ----------
    n_mfcc : int, default=40
        Number of coefficients, from the 0th on.
    deltas : {0, 1, 2}, default=0
        Add the first, or the first and second, derivatives over time (`librosa.feature.delta`).
    n_mels : int, default=128
        Number of mel bands, at least ``n_mfcc``.
    fmin : float, default=0.0
        Lowest frequency in Hz.
    fmax : float or None, default=None
        Highest frequency in Hz; None means ``sr / 2``.
    top_db : float or None, default=80.0
        Floor of the levels in dB below the clip's loudest; None sets no floor.
    skip_first : bool, default=False
        Leave out the 0th coefficient, which follows the level of the recording.

    References
    ----------
    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic
       word recognition in continuously spoken sentences", IEEE Trans. ASSP, 28(4), 1980.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import MFCC, Spectra
    >>> spectra = Spectra(np.ones(16000, dtype="float32"), sr=16000)
    >>> MFCC(n_mfcc=13, deltas=2).compute(spectra).shape
    (39, 63)
    """

    n_mfcc: int = 40
    deltas: Literal[0, 1, 2] = 0
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None
    top_db: float | None = 80.0
    skip_first: bool = False

    _allowed = {
        **_MEL_ALLOWED,
        "n_mfcc": [integer(1, 1024)],
        "deltas": [one_of(0, 1, 2)],
        "skip_first": [BOOLEAN],
    }

    def compute(self, spectra: Spectra) -> np.ndarray:
        log_mel = spectra.log_mel(self.n_mels, self.fmin, self.fmax, self.top_db)
        mfcc = cosine_basis(self.n_mels, self.n_mfcc) @ log_mel
        return with_deltas(mfcc[int(self.skip_first) :], self.deltas)

    def bin_names(self) -> list[str]:
        return names_with_deltas(numbered(self.n_mfcc)[int(self.skip_first) :], self.deltas)

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        check_band(self.fmin, self.fmax, sr)
        if self.n_mfcc > self.n_mels:
            raise ParameterError(
                f"n_mfcc must be at most n_mels = {self.n_mels}, got {self.n_mfcc!r}"
            )
        if self.skip_first and self.n_mfcc == 1:
            raise ParameterError("n_mfcc must be at least 2 if skip_first, got 1")
