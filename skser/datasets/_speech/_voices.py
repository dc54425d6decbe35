"""Synthetic speakers, and the effects of emotions on their voices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._synthesis import Timbre


class Expression(NamedTuple):
    """Difference of an utterance from a speaker's neutral voice."""

    pitch: float = 0.0  # mean fundamental frequency, in semitones
    pitch_range: float = 0.0  # log factor of the pitch accents
    pitch_end: float = 0.0  # rise (or fall) at the end, in semitones
    rate: float = 0.0  # log factor of the rate of speech
    level: float = 0.0  # level in dB
    brightness: float = 0.0  # level of the voice at 3 kHz relative to 500 Hz, in dB
    roughness: float = 0.0  # log factor of jitter and shimmer
    breath: float = 0.0  # aspiration noise in dB
    pauses: float = 0.0  # change of the probability of a pause after a word
    precision: float = 0.0  # log factor of the vowels' distance from the neutral vowel
    tremor: float = 0.0  # depth of a tremor of the pitch, in semitones
    formants: float = 0.0  # log factor of all formants: a smile shortens the vocal tract


# Directions: Scherer (1986, 2003), Murray & Arnott (1993, table I), Banse & Scherer (1996), Juslin
# & Laukka (2003); formants of a smile: Tartter (1980). Sizes are ours; emotions overlap.
PROFILES = {
    "neutral": Expression(),
    "calm": Expression(-0.8, -0.20, -0.5, -0.10, -2.0, -2.0, -0.3, 1.5, 0.04, -0.05, 0.0, 0.0),
    "happy": Expression(4.0, 0.65, 1.5, 0.08, 3.0, 2.0, -0.3, 0.5, -0.03, 0.06, 0.0, 0.05),
    "sad": Expression(-1.0, -0.55, -1.0, -0.20, -4.0, -6.0, 0.2, 5.0, 0.12, -0.18, 0.1, -0.01),
    "angry": Expression(3.0, 0.30, -1.5, 0.14, 5.0, 8.0, 0.4, -4.0, -0.03, 0.12, 0.0, 0.0),
    "fear": Expression(5.5, -0.20, 0.5, 0.22, 0.0, -1.5, 0.2, 4.5, 0.02, -0.05, 0.4, 0.0),
    "disgust": Expression(-2.0, 0.10, -1.5, -0.14, 0.0, 3.0, 0.5, -2.5, 0.08, 0.08, 0.0, -0.03),
    "surprise": Expression(4.0, 0.70, 4.5, 0.02, 2.0, 1.0, -0.1, 1.0, -0.02, 0.03, 0.0, 0.02),
    "boredom": Expression(-1.2, -0.65, -0.8, -0.16, -2.0, -2.5, 0.1, 0.0, 0.06, -0.14, 0.0, 0.0),
}

# Standard deviations between speakers, and between the utterances of a speaker.
_SPEAKER_SPREAD = Expression(0.6, 0.10, 0.5, 0.03, 0.8, 0.7, 0.12, 0.7, 0.02, 0.03, 0.04, 0.006)
UTTERANCE_SPREAD = Expression(0.8, 0.16, 0.9, 0.045, 1.3, 1.0, 0.18, 1.2, 0.04, 0.045, 0.08, 0.008)


class Voice(NamedTuple):
    """A synthetic speaker and the microphone."""

    pitch: float  # mean fundamental frequency in Hz when neutral
    accent: float  # height of the pitch accents in semitones when neutral
    rate: float  # log factor of the rate of speech
    breath: float  # aspiration noise in dB
    gain: float  # level of the recording in dB
    expressiveness: float  # factor of the emotions' profiles
    timbre: Timbre


def make_voice(gender: str, rng: np.random.Generator) -> Voice:
    """Draw a speaker."""
    # Women's formants are about 1.17 times men's, their pitch 1.7 times (Peterson & Barney 1952).
    pitch, tract_scale = (212.0, 1.16) if gender == "female" else (122.0, 1.0)
    return Voice(
        pitch=pitch * 2.0 ** (_around(1.6, rng) / 12.0),
        accent=3.0 * np.exp(_around(0.15, rng)),
        rate=_around(0.07, rng),
        breath=_around(1.5, rng),
        gain=_around(3.0, rng),
        expressiveness=rng.uniform(0.85, 1.25),
        timbre=Timbre(
            tract_scale=tract_scale * np.exp(_around(0.035, rng)),
            open_quotient=rng.uniform(0.50, 0.72),
            brightness=7.0 + _around(1.1, rng),
            jitter=0.003 * np.exp(_around(0.25, rng)),
            shimmer=0.04 * np.exp(_around(0.25, rng)),
            microphone_tilt=_around(0.5, rng),
        ),
    )


def draw_habit(rng: np.random.Generator) -> Expression:
    """Draw a speaker's deviation from the profile of an emotion."""
    return Expression(*(_around(spread, rng) for spread in _SPEAKER_SPREAD))


def _around(spread: float, rng: np.random.Generator) -> float:
    """A normal deviate without the tails: an outlier among eight speakers would dominate."""
    return spread * float(np.clip(rng.standard_normal(), -1.5, 1.5))
