"""Shared by all loaders: the emotions' names, and the Bunch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

EMOTIONS = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fear",
    "disgust",
    "surprise",
    "boredom",
)

SYNONYMS = {
    "afraid": "fear",
    "anger": "angry",
    "anxiety": "fear",
    "bored": "boredom",
    "calmness": "calm",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "joy": "happy",
    "joyful": "happy",
    "pleasant surprise": "surprise",
    "pleasant surprised": "surprise",
    "sadness": "sad",
    "scared": "fear",
    "surprised": "surprise",
}

_FIRST_COLUMNS = ("path", "emotion", "speaker", "corpus")


def listing(items: Iterable[object], n: int = 10) -> str:
    """The first ``n`` items with commas between, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - n} more" if len(texts) > n else ""
    return ", ".join(texts[:n]) + more


def log(text: str) -> None:
    """Print a text to stderr at once."""
    print(text, file=sys.stderr, flush=True)


def make_corpus(frame: pd.DataFrame, descr: str, return_X_y: bool = False) -> Any:
    """The Bunch of a loader, or ``(paths, target)``; ``groups`` is None without speakers.

    ``frame`` has a row per recording, with columns path, emotion, corpus and, if known, speaker.
    """
    paths = np.array(frame["path"].tolist(), dtype=object)
    target = np.array(frame["emotion"].tolist(), dtype=str)
    if return_X_y:
        return paths, target
    first = [column for column in _FIRST_COLUMNS if column in frame]
    return Bunch(
        paths=paths,
        target=target,
        groups=np.array(frame["speaker"].tolist(), dtype=str) if "speaker" in frame else None,
        frame=frame[[*first, *frame.columns.difference(first, sort=False)]].reset_index(drop=True),
        DESCR=descr,
    )


def emotion_name(name: str) -> str:
    """The emotion that a word denotes, else the word itself."""
    word = re.sub(r"[\s_-]+", " ", name).strip().lower()
    return word if word in EMOTIONS else SYNONYMS.get(word, name)
