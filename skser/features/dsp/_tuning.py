"""Tuning: how far the partials of a clip lie off the bins of a scale on A = 440 Hz."""

from __future__ import annotations

import numpy as np

_FMIN, _FMAX = 150.0, 4000.0  # Hz, as librosa.piptrack has them
_THRESHOLD = 0.1  # of the loudest bin of a frame
_EDGES = np.linspace(-0.5, 0.5, 101)
_A0_HZ = 440.0 / 16


def estimate_tuning(spectrum: np.ndarray, sr: int, bins_per_octave: int) -> float:
    """Deviation in bins, in steps of 0.01 from -0.5 on, as `librosa.estimate_tuning` finds it.

    Parameters
    ----------
    spectrum : ndarray of shape (n_frames, 1 + n_fft // 2), float32
        Magnitude or power.
    sr : int
        Sampling rate in Hz.
    bins_per_octave : int
        Bins of the scale.
    """
    from ._kernels import spectral_peaks

    hz_per_bin = sr / 2 / (spectrum.shape[1] - 1)
    first = int(np.ceil(_FMIN / hz_per_bin))
    last = int(np.ceil(min(_FMAX, sr / 2) / hz_per_bin))
    floors = np.float32(_THRESHOLD) * spectrum.max(axis=1)
    places, heights = spectral_peaks(spectrum, floors, first, last)
    if len(places) == 0:
        return 0.0
    loud = places[heights >= np.median(heights)]
    octaves = np.log2((loud * hz_per_bin).astype(np.float32) / np.float32(_A0_HZ))
    deviation = np.mod(bins_per_octave * octaves, 1.0)
    deviation[deviation >= 0.5] -= 1.0
    counts, _ = np.histogram(deviation, _EDGES)
    return float(_EDGES[counts.argmax()])
