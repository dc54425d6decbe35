"""Utterances: from a sentence, a voice and an emotion to a recording."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve1d
from scipy.signal import lfilter

from ._phones import SILENCE, Sound, Syllable
from ._synthesis import CONTROL_RATE, Tracks, synthesise
from ._voices import PROFILES, UTTERANCE_SPREAD, Expression, Voice

_PAUSE_PROBABILITY = 0.07  # after a word
_MIN_FORMANT_GAP = 270.0  # Hz between F1 and F2, as of "ɔ" in Peterson & Barney (1952)
_DECLINATION = 3.0  # fall of the pitch during an utterance in semitones
_VOICED_BREATH = 0.10  # amplitude of aspiration in voiced sounds
_FRICATION = 1.8  # amplitude of frication relative to voicing
_LEVEL = -28.0  # dB relative to full scale
_SNR = (20.0, 40.0)  # dB


def say(
    sentence: tuple[Syllable, ...],
    voice: Voice,
    emotion: str,
    habit: Expression,
    duration: tuple[float, float],
    sr: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """A recording of a sentence, within ``duration`` seconds, as float32 samples in [-1, 1]."""
    strength = voice.expressiveness * np.exp(rng.normal(0.0, 0.2))
    variation = rng.standard_normal(len(UTTERANCE_SPREAD)) * UTTERANCE_SPREAD
    style = Expression(*(strength * np.array(PROFILES[emotion]) + habit + variation))

    sounds, heights = _pronounce(sentence, voice, style, rng)
    sounds = _fit(sounds, duration, rng)
    tracks = _tracks(sounds, [0.0, *heights, 0.0], voice, style, rng)
    n_samples = round(sum(sound.seconds for sound in sounds) * sr)
    factor = np.exp(style.roughness)
    timbre = voice.timbre._replace(
        tract_scale=voice.timbre.tract_scale * np.exp(style.formants),
        brightness=voice.timbre.brightness + style.brightness,
        jitter=voice.timbre.jitter * factor,
        shimmer=voice.timbre.shimmer * factor,
        open_quotient=float(np.clip(voice.timbre.open_quotient + 0.01 * style.breath, 0.4, 0.85)),
    )
    waveform = synthesise(tracks, timbre, n_samples, sr, rng)
    return _record(waveform, voice.gain + style.level, sr, rng)


def _pronounce(
    sentence: tuple[Syllable, ...], voice: Voice, style: Expression, rng: np.random.Generator
) -> tuple[list[Sound], list[float]]:
    """Sounds with their lengths, and the height in semitones of the pitch accent on each."""
    tempo = np.exp(-voice.rate - style.rate)
    precision = np.exp(style.precision)
    accent = voice.accent * np.exp(style.pitch_range)
    sounds: list[Sound] = []
    heights: list[float] = []
    for i, syllable in enumerate(sentence):
        is_last = i == len(sentence) - 1
        # The last syllable of an utterance is lengthened.
        local = tempo * np.exp(rng.normal(0.0, 0.10)) * (1.3 if is_last else 1)
        loudness = np.exp(rng.normal(0.0, 0.15))
        for j, sound in enumerate(syllable.sounds):
            is_vowel = j == syllable.vowel
            if is_vowel:
                f1 = 500 + precision * (sound.f1 - 500)
                f2 = max(1500 + precision * (sound.f2 - 1500), f1 + _MIN_FORMANT_GAP)
                sound = sound._replace(f1=f1, f2=f2, voicing=sound.voicing * loudness)
            sounds.append(sound._replace(seconds=sound.seconds * local))
            stress = is_vowel and syllable.stressed
            heights.append(accent * rng.normal(1.0, 0.35) if stress else 0.0)
        if syllable.ends_word and not is_last and rng.random() < _PAUSE_PROBABILITY + style.pauses:
            sounds.append(SILENCE._replace(seconds=rng.uniform(0.08, 0.22) * tempo))
            heights.append(0.0)
    return sounds, heights


def _fit(
    sounds: list[Sound], duration: tuple[float, float], rng: np.random.Generator
) -> list[Sound]:
    """Add silence around the speech, and shorten speech that is too long for the recording."""
    speech = sum(sound.seconds for sound in sounds)
    around = rng.uniform((0.06, 0.10), (0.20, 0.30)) * min(1.0, duration[1] / 2.0)
    room = duration[1] - around.sum()
    if speech > room:
        sounds = [sound._replace(seconds=sound.seconds * room / speech) for sound in sounds]
    missing = max(0.0, duration[0] - around.sum() - speech)
    around += missing * np.array([0.3, 0.7])
    start, end = (SILENCE._replace(seconds=float(seconds)) for seconds in around)
    return [start, *sounds, end]


def _tracks(
    sounds: list[Sound],
    heights: list[float],
    voice: Voice,
    style: Expression,
    rng: np.random.Generator,
) -> Tracks:
    """Articulation and pitch over time, gliding from target to target."""
    ends = np.cumsum([sound.seconds for sound in sounds])
    counts = np.diff(np.round(ends * CONTROL_RATE).astype(int), prepend=0)
    targets = np.repeat(np.array([sound[1:] for sound in sounds]), counts, axis=0)
    formants = _smooth(targets[:, :3], 17) * voice.timbre.tract_scale * np.exp(style.formants)
    voicing, aspiration, frication = _smooth(targets[:, 3:6], 7).T
    # Speech gets softer towards the end, and fades out in the last tenth of a second.
    fading = 10.0 ** (-4.0 / 20.0 * np.linspace(0.0, 1.0, len(targets)))
    remaining = ends[-2] - np.arange(len(targets)) / CONTROL_RATE
    fading *= np.clip(remaining / 0.1, 0.1, 1.0)
    effort = _FRICATION * 10.0 ** (0.5 * style.brightness / 20.0)  # louder voices also hiss more
    breath = _VOICED_BREATH * 10.0 ** ((voice.breath + style.breath) / 20.0)
    return Tracks(
        pitch=_pitch(ends, heights, len(targets), voice, style, rng),
        formants=formants,
        damping=_smooth(targets[:, 8], 9) * 10.0 ** (0.02 * style.breath),
        voicing=voicing * fading,
        aspiration=(aspiration + breath * voicing) * fading,
        frication=frication * effort * fading,
        frication_centre=_smooth(targets[:, 6], 5) * voice.timbre.tract_scale**0.5,
        frication_width=targets[:, 7],
    )


def _pitch(
    ends: np.ndarray,
    heights: list[float],
    n_values: int,
    voice: Voice,
    style: Expression,
    rng: np.random.Generator,
) -> np.ndarray:
    """Fundamental frequency: declination, accents, final rise or fall, drift and tremor."""
    times = np.arange(n_values) / CONTROL_RATE
    start, stop = ends[0], ends[-2]  # of speech, between the silences
    progress = np.clip((times - start) / (stop - start), 0.0, 1.0)
    centres = (ends - np.diff(ends, prepend=0.0) / 2)[np.array(heights) != 0.0]
    accents = np.array([height for height in heights if height != 0.0])
    bumps = np.exp(-0.5 * ((times[:, None] - centres) / 0.08) ** 2) @ accents
    slope = -_DECLINATION * np.exp(0.5 * style.pitch_range) * progress
    final = style.pitch_end * np.clip((progress - 0.65) / 0.35, 0.0, 1.0)
    drift = lfilter([0.03], [1.0, -0.97], rng.standard_normal(n_values)) * 2.0
    tremor = abs(style.tremor) * np.sin(2 * np.pi * (rng.uniform(5, 8) * times + rng.random()))
    contour = bumps + slope + final
    spoken = (times >= start) & (times <= stop)
    semitones = style.pitch + contour - contour[spoken].mean() + drift + tremor
    return np.clip(voice.pitch * 2.0 ** (semitones / 12.0), 55.0, 700.0)


def _smooth(track: np.ndarray, n_values: int) -> np.ndarray:
    kernel = np.hanning(n_values + 2)[1:-1]
    return convolve1d(track, kernel / kernel.sum(), axis=0, mode="nearest")


def _record(waveform: np.ndarray, gain: float, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Set the level, add background noise and limit the peak to full scale."""
    level = 10.0 ** ((_LEVEL + gain + rng.normal(0.0, 2.0)) / 20.0)
    # Noise of rooms and preamplifiers decreases with frequency.
    pole = np.exp(-2.0 * np.pi * 300.0 / sr)
    noise = lfilter([1.0], [1.0, -pole], rng.standard_normal(len(waveform)))
    noise *= 10.0 ** (-rng.uniform(*_SNR) / 20.0) / (noise.std() + 1e-12)
    recording = level * (waveform + noise)
    recording /= max(1.0, np.abs(recording).max() / 0.99)
    return recording.astype(np.float32)
