"""Sounds and nonsense sentences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Sound(NamedTuple):
    """A stretch of speech with one articulatory target, for a male vocal tract."""

    seconds: float  # length at a normal rate of speech
    f1: float  # formant in Hz
    f2: float  # formant in Hz
    f3: float  # formant in Hz
    voicing: float = 0.0  # amplitude; 1 in a stressed vowel
    aspiration: float = 0.0  # amplitude
    frication: float = 0.0  # amplitude
    centre: float = 4000.0  # peak of the frication's spectrum in Hz
    width: float = 1500.0  # its standard deviation in Hz
    damping: float = 1.0  # factor of the formants' bandwidths


_Phone = tuple[Sound, ...]
_Place = tuple[float, float, float]  # formants of a place of articulation


class Syllable(NamedTuple):
    """Sounds around one vowel."""

    sounds: _Phone  # in order
    vowel: int  # index of the vowel
    stressed: bool  # whether it carries an accent
    ends_word: bool  # whether a pause may follow


SILENCE = Sound(0.1, 500, 1500, 2500)

# Formants: means of 33 men in Peterson & Barney (1952), table II.
VOWELS = {
    "i": Sound(0.11, 270, 2290, 3010, voicing=1.0),
    "ɪ": Sound(0.09, 390, 1990, 2550, voicing=1.0),
    "ɛ": Sound(0.10, 530, 1840, 2480, voicing=1.0),
    "æ": Sound(0.13, 660, 1720, 2410, voicing=1.0),
    "ɑ": Sound(0.13, 730, 1090, 2440, voicing=1.0),
    "ɔ": Sound(0.13, 570, 840, 2410, voicing=1.0),
    "ʊ": Sound(0.09, 440, 1020, 2240, voicing=1.0),
    "u": Sound(0.11, 300, 870, 2240, voicing=1.0),
    "ʌ": Sound(0.09, 640, 1190, 2390, voicing=1.0),
    "ɝ": Sound(0.11, 490, 1350, 1690, voicing=1.0),
}

_LABIAL, _ALVEOLAR, _VELAR = (300, 900, 2200), (300, 1700, 2650), (300, 2000, 2400)


def _voiceless_stop(place: _Place, burst: float, centre: float, width: float) -> _Phone:
    return (
        Sound(0.055, *place),
        Sound(0.012, *place, frication=burst, centre=centre, width=width),
        Sound(0.035, *place, aspiration=0.5, frication=0.15 * burst, centre=centre, width=width),
    )


def _voiced_stop(place: _Place, burst: float, centre: float, width: float) -> _Phone:
    return (
        Sound(0.050, *place, voicing=0.12, damping=3.0),
        Sound(0.010, *place, voicing=0.3, frication=burst, centre=centre, width=width),
    )


# Shaped after the targets of Klatt (1980), table III, rounded; not fitted to recordings.
CONSONANTS: dict[str, _Phone] = {
    "p": _voiceless_stop(_LABIAL, 0.5, 900, 900),
    "t": _voiceless_stop(_ALVEOLAR, 0.9, 4300, 1500),
    "k": _voiceless_stop(_VELAR, 0.9, 2000, 700),
    "b": _voiced_stop(_LABIAL, 0.3, 900, 900),
    "d": _voiced_stop(_ALVEOLAR, 0.5, 4000, 1500),
    "ɡ": _voiced_stop(_VELAR, 0.5, 2000, 700),
    "f": (Sound(0.085, 340, 1100, 2100, frication=0.25, centre=6000, width=4000),),
    "s": (Sound(0.095, 320, 1400, 2550, frication=0.9, centre=5700, width=1200),),
    "ʃ": (Sound(0.095, 300, 1840, 2750, frication=1.0, centre=3600, width=1000),),
    "z": (Sound(0.075, 240, 1400, 2550, voicing=0.25, frication=0.45, centre=5700, width=1200),),
    "v": (Sound(0.065, 220, 1100, 2100, voicing=0.4, frication=0.1, centre=5000, width=4000),),
    "h": (Sound(0.065, 500, 1500, 2500, aspiration=0.9, damping=2.0),),
    "m": (Sound(0.070, 270, 1100, 2150, voicing=0.45, damping=3.5),),
    "n": (Sound(0.065, 270, 1500, 2500, voicing=0.45, damping=3.5),),
    "l": (Sound(0.060, 340, 1100, 2700, voicing=0.65, damping=1.5),),
    "ɹ": (Sound(0.060, 330, 1100, 1450, voicing=0.65, damping=1.3),),
    "w": (Sound(0.055, 300, 650, 2200, voicing=0.6, damping=1.5),),
    "j": (Sound(0.055, 270, 2200, 3000, voicing=0.6, damping=1.3),),
}
_CODAS = ("n", "m", "s", "t", "l", "z", "ɹ", "k")


def make_sentence(n_syllables: int, rng: np.random.Generator) -> tuple[Syllable, ...]:
    """Draw a nonsense sentence of words of one to three syllables."""
    word_lengths: list[int] = []
    while sum(word_lengths) < n_syllables:
        word_lengths.append(int(rng.integers(1, 4)))
    word_lengths[-1] -= sum(word_lengths) - n_syllables
    syllables: list[Syllable] = []
    for length in word_lengths:
        accent = rng.integers(0, length)
        syllables += (_syllable(i == accent, i == length - 1, rng) for i in range(length))
    return tuple(syllables)


def _syllable(stressed: bool, ends_word: bool, rng: np.random.Generator) -> Syllable:
    onset = CONSONANTS[str(rng.choice(list(CONSONANTS)))]
    vowel = VOWELS[str(rng.choice(list(VOWELS)))]
    has_coda = rng.random() < 0.3
    coda = CONSONANTS[str(rng.choice(_CODAS))] if has_coda else ()
    if not stressed:
        # Unstressed vowels are shorter, weaker and closer to the neutral vowel.
        centred = ((vowel.f1 + 500) / 2, (vowel.f2 + 1500) / 2, (vowel.f3 + 2500) / 2)
        vowel = Sound(0.75 * vowel.seconds, *centred, voicing=0.75)
    return Syllable((*onset, vowel, *coda), len(onset), stressed, ends_word)
