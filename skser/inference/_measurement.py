"""Sampling rate, level, length, bandwidth and spectral features of a recording."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..audio._clip_reader import ClipReader
from ..audio._recordings import AnyRecording, ClipSource, check_length, inspect_recording
from ..audio._sampled import Waveform
from ..audio._streaming import frame_levels
from ..features import MelSpectrogram, Spectra

_SPEECH_DB = 40.0  # frames further below the loudest are silence
_BAND_DB = 60.0  # frequencies further below the strongest are inaudible
_MEL = MelSpectrogram(n_mels=26, fmin=20.0, scale="db")


class Measurement(NamedTuple):
    """Sampling rate, level, length, bandwidth and spectral features of a recording."""

    rate: int
    level: float
    length: float
    bandwidth: float
    features: np.ndarray


def measure(recording: AnyRecording, reader: ClipReader) -> Measurement:
    source: ClipSource
    if isinstance(recording, Waveform):
        rate, n_samples = recording.sr, len(recording.samples)
        check_length("waveform", n_samples, rate, reader.offset)
        source, length = recording, n_samples / rate
    elif isinstance(recording, np.ndarray):
        check_length("waveform", len(recording), reader.sr, reader.offset)
        source, rate, length = recording, reader.sr, len(recording) / reader.sr
    else:
        source = inspect_recording(recording, offset=reader.offset, channel=reader.channel)
        rate, length = source.info.sr, source.duration
    return measure_clip(reader(source), reader.sr, rate, length)


def measure_clip(clip: np.ndarray, sr: int, rate: int, length: float) -> Measurement:
    spectra = Spectra(clip, sr, dtype=np.float32)
    # Without the ends of the clip, which are clicks with all frequencies.
    inside = slice(2, -2) if spectra.n_frames > 4 else slice(None)
    power = spectra.power[:, inside].mean(axis=1)
    audible = np.flatnonzero(power >= power.max() * 10 ** (-_BAND_DB / 10))
    levels = frame_levels([clip], sr)[0]
    speech = levels[levels >= levels.max() - _SPEECH_DB].astype(np.float64)
    bands = _MEL.compute(spectra)
    means = bands.mean(axis=1)
    return Measurement(
        rate=rate,
        level=float(10 * np.log10(np.mean(10 ** (speech / 10)))),
        length=length,
        bandwidth=float(spectra.frequencies[audible[-1]]),
        features=np.concatenate([means - means.mean(), bands.std(axis=1)]),
    )
