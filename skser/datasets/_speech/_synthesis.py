"""A source-filter speech synthesiser: from articulation and pitch over time to a waveform.

A train of Rosenberg pulses with jitter and shimmer, plus aspiration noise, passes a cascade of
Klatt's resonators; frication noise passes a band-pass filter. The filters change every 8 ms and
are applied in the frequency domain, with overlap-add, which avoids a loop over samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

CONTROL_RATE = 250  # control values per second
_FRAME_SECONDS = 0.008
_BANDWIDTHS = (90.0, 110.0, 160.0)  # Hz, of F1 to F3; within the ranges of Klatt (1980), table I
_HIGHER_FORMANTS = 3500.0 + 1000.0 * np.arange(24)  # Hz, of a male vocal tract of 17 cm
_PEAK_SHARE = 0.65  # of the open phase in which the glottis opens


class Tracks(NamedTuple):
    """Articulation and pitch, one value per 4 ms (see ``CONTROL_RATE``)."""

    pitch: np.ndarray  # fundamental frequency in Hz
    formants: np.ndarray  # the first three resonances of the vocal tract in Hz, (n_values, 3)
    damping: np.ndarray  # factor of the formants' bandwidths
    voicing: np.ndarray  # amplitude
    aspiration: np.ndarray  # amplitude
    frication: np.ndarray  # amplitude
    frication_centre: np.ndarray  # peak of the frication's spectrum in Hz
    frication_width: np.ndarray  # its standard deviation in Hz


class Timbre(NamedTuple):
    """Properties of a voice and its microphone, constant during an utterance."""

    tract_scale: float  # factor of the formants of a male vocal tract
    open_quotient: float  # share of a glottal cycle in which the glottis is open
    brightness: float  # level at 3 kHz relative to 500 Hz in dB, on top of the pulse's own
    jitter: float  # standard deviation of the cycles' lengths relative to their mean
    shimmer: float  # standard deviation of the cycles' amplitudes relative to their mean
    microphone_tilt: float  # slope of the microphone's response in dB per octave


def synthesise(
    tracks: Tracks, timbre: Timbre, n_samples: int, sr: int, rng: np.random.Generator
) -> np.ndarray:
    """The waveform as float32, with a root mean square of 1."""
    seconds = np.arange(n_samples) / sr
    times = np.arange(len(tracks.pitch)) / CONTROL_RATE

    def per_sample(track: np.ndarray) -> np.ndarray:
        return np.interp(seconds, times, track)

    flow, pulses = glottal_source(per_sample(tracks.pitch), timbre, sr, rng)
    # Breath is turbulent mostly while the glottis is open (Klatt 1980).
    breath = rng.standard_normal(n_samples) * (0.4 + flow) * per_sample(tracks.aspiration)
    voice = lfilter(*_brightness_shelf(timbre.brightness, sr), pulses * per_sample(tracks.voicing))
    hiss = rng.standard_normal(n_samples) * per_sample(tracks.frication)

    hop = round(_FRAME_SECONDS * sr)
    centres = np.arange(n_samples // hop + 2) * hop / sr
    frames = Tracks(*(_at(centres, times, track) for track in tracks))
    frequencies = np.arange(2 * hop + 1, dtype=np.float32) * np.float32(sr / (4 * hop))
    spectra = _spectra(voice + breath, hop) * tract_response(frames, timbre, frequencies, sr)
    spectra += _spectra(hiss, hop) * _frication_response(frames, frequencies)
    spectra *= _microphone_response(timbre.microphone_tilt, frequencies)
    waveform = _overlap_add(spectra, hop)[:n_samples]
    return waveform / np.sqrt(np.mean(waveform**2) + 1e-12)


def glottal_source(
    pitch: np.ndarray, timbre: Timbre, sr: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Flow through the glottis and its derivative per cycle: Rosenberg's pulse (his type B)."""
    phase = np.cumsum(pitch) / sr
    n_cycles = int(phase[-1]) + 3
    # A cycle's length varies with the shifts of both its ends; below 0.5 the phase still rises.
    shifts = np.clip(rng.normal(0.0, timbre.jitter / np.sqrt(2.0), n_cycles), -0.3, 0.3)
    phase += 1.0 + np.interp(phase, np.arange(n_cycles), shifts)
    amplitudes = np.clip(rng.normal(1.0, timbre.shimmer, n_cycles + 1), 0.2, 1.8)

    cycle = phase.astype(np.intp)
    position = (phase - cycle) / timbre.open_quotient
    opening = position / _PEAK_SHARE
    closing = (position - _PEAK_SHARE) / (1.0 - _PEAK_SHARE)
    flow = np.where(opening < 1.0, opening**2 * (3.0 - 2.0 * opening), 1.0 - closing**2)
    flow = np.maximum(flow, 0.0) * amplitudes[cycle]
    # The difference of the flow averages its derivative over a sample, which softens aliasing.
    derivative = np.diff(flow, prepend=flow[0]) * (sr / pitch)
    return flow, derivative


def tract_response(frames: Tracks, timbre: Timbre, frequencies: np.ndarray, sr: int) -> np.ndarray:
    """Frequency response of the vocal tract per frame: Klatt's resonators in cascade."""
    delay = np.exp(-2j * np.pi * frequencies / sr).astype(np.complex64)
    higher = _HIGHER_FORMANTS * timbre.tract_scale
    higher = higher[higher < 0.45 * sr]
    constant = np.prod([_resonator(f, 0.05 * f, delay, sr) for f in higher], axis=0)
    response = np.broadcast_to(constant, (len(frames.pitch), len(delay))).astype(np.complex64)
    for formant, bandwidth in zip(frames.formants.T, _BANDWIDTHS, strict=True):
        centre = np.minimum(formant, 0.47 * sr)
        response *= _resonator(centre, bandwidth * frames.damping, delay, sr)
    return response


def _resonator(
    centre: np.ndarray | float, bandwidth: np.ndarray | float, delay: np.ndarray, sr: int
) -> np.ndarray:
    """Response of Klatt's (1980) second-order resonator, with unit gain at 0 Hz."""
    radius = np.exp(-np.pi * np.atleast_1d(bandwidth) / sr)[:, None]
    b = (2.0 * radius * np.cos(2.0 * np.pi * np.atleast_1d(centre)[:, None] / sr)).astype("f4")
    c = (-(radius**2)).astype("f4")
    return (1.0 - b - c) / (1.0 - delay * (b + c * delay))


def _frication_response(frames: Tracks, frequencies: np.ndarray) -> np.ndarray:
    distance = frequencies - frames.frication_centre[:, None].astype("f4")
    distance /= frames.frication_width[:, None].astype("f4")
    return np.exp(-0.5 * distance**2)


def _brightness_shelf(brightness: float, sr: int) -> tuple[list[float], list[float]]:
    """A first-order shelf whose gain at 3 kHz over that at 500 Hz is about ``brightness`` dB."""
    gain = 10.0 ** (1.25 * brightness / 20.0)
    warped = np.tan(np.pi * 1200.0 / sr)
    root = np.sqrt(gain)
    norm = 1.0 + warped * root
    numerator = [(gain + warped * root) / norm, (warped * root - gain) / norm]
    return numerator, [1.0, (warped * root - 1.0) / norm]


def _microphone_response(tilt: float, frequencies: np.ndarray) -> np.ndarray:
    octaves = np.log2(np.maximum(frequencies, 125.0) / 1000.0)
    low_cut = 1.0 / (1.0 + (70.0 / np.maximum(frequencies, 1.0)) ** 4)
    return (10.0 ** (tilt * octaves / 20.0) * low_cut).astype("f4")


def _at(centres: np.ndarray, times: np.ndarray, track: np.ndarray) -> np.ndarray:
    if track.ndim == 2:
        return np.stack([np.interp(centres, times, column) for column in track.T], axis=1)
    return np.interp(centres, times, track)


def _spectra(signal: np.ndarray, hop: int) -> np.ndarray:
    """Spectra of Hann-windowed frames of two hops, zero-padded for the filter's tail."""
    n_frames = len(signal) // hop + 2
    padded = np.zeros((n_frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + len(signal)] = signal
    blocks = padded.reshape(-1, hop)
    window = np.hanning(2 * hop + 1)[:-1].astype("f4")
    return rfft(np.hstack([blocks[:-1], blocks[1:]]) * window, n=4 * hop, axis=1)


def _overlap_add(spectra: np.ndarray, hop: int) -> np.ndarray:
    """Waveform of the frames' spectra, without the hop that ``_spectra`` prepends."""
    blocks = irfft(spectra, n=4 * hop, axis=1).reshape(len(spectra), 4, hop)
    total = np.zeros((len(spectra) + 3, hop), dtype=np.float32)
    for i in range(4):
        total[i : i + len(spectra)] += blocks[:, i]
    return total.ravel()[hop:]
