"""Blocks on the shape of the spectrum and the level of the waveform."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from ..._utils._param_validation import Allowed, integer, number
from ...exceptions import ParameterError
from ..dsp._spectra import Spectra, power_to_db
from ._base import FeatureBlock, in_float32, numbered

_ZERO_THRESHOLD = 1e-10  # smaller samples count as 0
_MIN_POWER = 1e-10
_OPEN_SHARE = Allowed(
    "a number in (0, 1)", lambda value: isinstance(value, Real) and 0 < float(value) < 1
)


class ZeroCrossingRate(FeatureBlock):
    """Share of samples with a change of sign, as `librosa.feature.zero_crossing_rate`.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import Spectra, ZeroCrossingRate
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000, dtype="float32") / 16000 + 1)
    >>> rate = ZeroCrossingRate().compute(Spectra(tone, sr=16000))
    >>> print(f"{np.median(rate):.3f}")  # 2 crossings in 16 samples
    0.125
    """

    def compute(self, spectra: Spectra) -> np.ndarray:
        counts = spectra.loops.crossings(
            spectra.waveform, -_ZERO_THRESHOLD, spectra.n_fft, spectra.hop_length, spectra.n_frames
        )
        return in_float32(counts / spectra.n_fft)[np.newaxis]


class RMS(FeatureBlock):
    """Root mean square of the samples of a frame, as `librosa.feature.rms`.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import RMS, Spectra
    >>> print(np.median(RMS().compute(Spectra(np.full(16000, 0.5, dtype="float32"), sr=16000))))
    0.5
    """

    def compute(self, spectra: Spectra) -> np.ndarray:
        means = spectra.loops.mean_squares(
            spectra.waveform, spectra.n_fft, spectra.hop_length, spectra.n_frames
        )
        return np.sqrt(means)[np.newaxis]


@dataclass(kw_only=True, repr=False, eq=False)
class SpectralRolloff(FeatureBlock):
    """Frequency in Hz below which most of the magnitude lies: `librosa.feature.spectral_rolloff`.

    Parameters
    ----------
    roll_percent : float, default=0.85
        Share of the magnitude below the frequency.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import Spectra, SpectralRolloff
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000, dtype="float32") / 16000)
    >>> print(np.median(SpectralRolloff().compute(Spectra(tone, sr=16000))))
    1015.625
    """

    roll_percent: float = 0.85

    _allowed = {"roll_percent": [_OPEN_SHARE]}

    def compute(self, spectra: Spectra) -> np.ndarray:
        bins = spectra.loops.rolloff_bins(spectra.magnitude.T, self.roll_percent)
        return in_float32(spectra.frequencies[bins][np.newaxis])


class SpectralCentroid(FeatureBlock):
    """Mean frequency in Hz, weighted by magnitude, as `librosa.feature.spectral_centroid`.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import SpectralCentroid, Spectra
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16000, dtype="float32") / 16000)
    >>> centroid = SpectralCentroid().compute(Spectra(tone, sr=16000))
    >>> bool(abs(np.median(centroid) - 1000) < 5)
    True
    """

    def compute(self, spectra: Spectra) -> np.ndarray:
        return in_float32(spectra.centroid[np.newaxis])


@dataclass(kw_only=True, repr=False, eq=False)
class SpectralBandwidth(FeatureBlock):
    """Spread of the spectrum around its centroid in Hz: `librosa.feature.spectral_bandwidth`.

    Parameters
    ----------
    p : float, default=2.0
        Power of the deviation from the centroid.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import SpectralBandwidth, Spectra
    >>> spectra = Spectra(np.ones(16000, dtype="float32"), sr=16000)
    >>> SpectralBandwidth().compute(spectra).shape
    (1, 63)
    """

    p: float = 2.0

    _allowed = {"p": [number(0, open_low=True)]}

    def compute(self, spectra: Spectra) -> np.ndarray:
        arguments = (spectra.magnitude.T, spectra.frequencies, spectra.centroid, float(self.p))
        return in_float32(spectra.loops.weighted_deviations(*arguments)[np.newaxis])


class SpectralFlatness(FeatureBlock):
    """Geometric over arithmetic mean of the power, as `librosa.feature.spectral_flatness`.

    It is 1 for white noise and near 0 for a tone.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import SpectralFlatness, Spectra
    >>> noise = np.random.default_rng(0).normal(size=16000).astype("float32")
    >>> bool(SpectralFlatness().compute(Spectra(noise, sr=16000)).mean() > 0.5)
    True
    """

    def compute(self, spectra: Spectra) -> np.ndarray:
        power = np.maximum(spectra.power.T, np.float32(_MIN_POWER))
        mean = np.mean(power, axis=1)
        geometric_mean = np.exp(np.mean(np.log(power, out=power), axis=1))
        return in_float32(geometric_mean / mean)[np.newaxis]


@dataclass(kw_only=True, repr=False, eq=False)
class SpectralContrast(FeatureBlock):
    """Level of peaks over valleys in octave bands in dB, as `librosa.feature.spectral_contrast`.

    Parameters
    ----------
    n_bands : int, default=6
        Number of octave bands above ``fmin``; with the band below there are ``n_bands + 1``.
    fmin : float, default=200.0
        Upper edge of the lowest band in Hz.
    quantile : float, default=0.02
        Share of a band's bins averaged for its peak and for its valley.

    References
    ----------
    .. [1] D.-N. Jiang et al., "Music type classification by spectral contrast feature", ICME,
       2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import SpectralContrast, Spectra
    >>> spectra = Spectra(np.ones(16000, dtype="float32"), sr=16000)
    >>> SpectralContrast().compute(spectra).shape
    (7, 63)
    """

    n_bands: int = 6
    fmin: float = 200.0
    quantile: float = 0.02

    _allowed = {
        "n_bands": [integer(1, 12)],
        "fmin": [number(0, open_low=True)],
        "quantile": [number(0, 0.5, open_low=True)],
    }
    # The valley of an empty band is the rounding error of the transform.
    fourier_dtype = np.float64

    def compute(self, spectra: Spectra) -> np.ndarray:
        bands = self._bands(spectra.sr, spectra.n_fft)
        valley, peak = spectra.loops.mean_of_extremes(spectra.magnitude.T, *bands)
        return in_float32(power_to_db(peak, top_db=80.0) - power_to_db(valley, top_db=80.0))

    def _bands(self, sr: int, n_fft: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First bin of each band, the bin after its last, and the number of bins of an extreme."""
        edges = np.append(0.0, self.fmin * 2.0 ** np.arange(self.n_bands + 1))
        frequencies = np.fft.rfftfreq(n_fft, 1 / sr)
        starts = np.searchsorted(frequencies, edges[:-1], side="left")
        stops = np.searchsorted(frequencies, edges[1:], side="right")
        starts[1:] -= 1
        stops[-1] = len(frequencies)
        counts = np.maximum(np.rint(self.quantile * (stops - starts)).astype(int), 1)
        stops[:-1] -= 1  # a bin on the edge belongs to the upper band, but is counted in both
        return starts, stops, counts

    def bin_names(self) -> list[str]:
        return numbered(self.n_bands + 1)

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        super().check(sr, n_fft, hop_length)
        if self.fmin < sr / n_fft:
            raise ParameterError(
                f"fmin must be at least sr / n_fft = {sr / n_fft:g} Hz, so that every band has two "
                f"bins, got {self.fmin!r}"
            )
        allowed = int(np.ceil(np.log2(sr / 2 / self.fmin)))
        if self.n_bands > allowed:
            raise ParameterError(
                f"n_bands must be at most {allowed} with fmin={self.fmin:g} Hz at sr={sr} Hz, "
                f"got {self.n_bands!r}"
            )
