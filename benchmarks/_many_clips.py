"""A corpus of any number of short clips, made of a few synthetic ones, cheaply."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

from skser.datasets import make_emotional_speech

SR = 16000
EMOTIONS = ("angry", "happy", "neutral", "sad")
N_SPEAKERS = 500
_SECONDS = (0.5, 1.0)
_RATES = (0.8, 1.25)  # of the speakers, which change pitch and formants
_SHARE_OF_OTHERS = 0.15  # of the clips have the sound of another emotion, so that some are mistaken


def make_corpus(folder: Path, n_clips: int) -> Path:
    """The table of a corpus whose recordings are the first ones of larger corpora in the folder."""
    table = folder / f"{n_clips}.csv"
    if table.exists():
        return table
    sources = make_emotional_speech(
        n_speakers=6, emotions=EMOTIONS, n_sentences=2, n_takes=1, sr=SR, random_state=0
    )
    by_emotion = {
        name: [sources.waveforms[i] for i in np.flatnonzero(sources.target == name)]
        for name in EMOTIONS
    }
    rates = np.random.default_rng(0).uniform(*_RATES, N_SPEAKERS)
    rows = []
    for number in range(n_clips):
        speaker, turn = number % N_SPEAKERS, number // N_SPEAKERS
        emotion = EMOTIONS[(speaker + turn) % len(EMOTIONS)]
        name = f"clips/{speaker:03d}/{turn:05d}.wav"
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            clip = _make_clip(by_emotion, emotion, rates[speaker], np.random.default_rng(number))
            soundfile.write(folder / name, clip, SR, subtype="PCM_16")
        rows.append((name, emotion, f"speaker {speaker:03d}"))
    with (folder / "writing.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "emotion", "speaker"), *rows])
    return (folder / "writing.csv").rename(table)


def _make_clip(
    by_emotion: dict[str, list[np.ndarray]], emotion: str, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """A piece of a source, at the rate of its speaker, at some level, in some noise."""
    if rng.random() < _SHARE_OF_OTHERS:
        emotion = EMOTIONS[rng.integers(len(EMOTIONS))]
    sources = by_emotion[emotion]
    source = sources[rng.integers(len(sources))]
    rate *= rng.uniform(0.95, 1.05)
    n_samples = int(rng.uniform(*_SECONDS) * SR)
    start = rng.uniform(0, max(1.0, len(source) - rate * n_samples - 1))
    piece = np.interp(start + rate * np.arange(n_samples), np.arange(len(source)), source)
    noise = rng.standard_normal(n_samples, np.float32) * 10 ** rng.uniform(-4, -2.5)
    return np.clip(rng.uniform(0.2, 0.9) * piece / np.abs(piece).max() + noise, -1, 1)
