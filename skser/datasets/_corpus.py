"""Shared by all loaders: the emotions' names, and the Bunch."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._utils._segment import Segment

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

_FIRST_COLUMNS = ("path", "start", "end", "emotion", "speaker", "corpus")


def listing(items: Iterable[object], n: int = 10) -> str:
    """The first ``n`` items with commas between, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - n} more" if len(texts) > n else ""
    return ", ".join(texts[:n]) + more


def rows_of(index: pd.Index) -> str:
    """Rows or lines of a table, for messages."""
    return f"{index.name}{'s' if len(index) > 1 else ''} {listing(index)}"


def log(text: str) -> None:
    """Print a text to stderr at once."""
    print(text, file=sys.stderr, flush=True)


def make_corpus(frame: pd.DataFrame, descr: str, return_X_y: bool = False) -> Any:
    """The Bunch of a loader, or ``(paths, target)``; ``groups`` is None without speakers.

    ``frame`` has a row per recording, with columns path, emotion, corpus and, if known, speaker;
    ``start`` and ``end``, in seconds, make a row a segment, unless it is a whole recording.
    """
    paths = np.empty(len(frame), dtype=object)
    paths[:] = segments_of(frame) if "start" in frame and "end" in frame else list(frame["path"])
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


def make_waveform_corpus(
    frame: pd.DataFrame, descr: str, waveforms: list[Any], sr: int | None
) -> Bunch:
    """The Bunch of a corpus in memory, with ``waveforms`` in place of paths; ``sr`` in Hz."""
    speech = make_corpus(frame.assign(path=""), descr)
    del speech["paths"], speech.frame["path"]
    if sr is not None:
        speech.sr = sr
    speech.waveforms = waveforms
    return speech


def segments_of(frame: pd.DataFrame) -> list[str | Segment]:
    """Segments of the rows of a frame, or the path where that is a whole recording."""
    ends = [None if np.isnan(end) else end for end in frame["end"]]
    return [
        path if start == 0 and end is None else Segment(path, start, end)
        for path, start, end in zip(frame["path"], frame["start"].fillna(0.0), ends, strict=True)
    ]


def emotion_name(name: str) -> str:
    """The emotion that a word denotes, else the word itself."""
    word = re.sub(r"[\s_-]+", " ", name).strip().lower()
    return word if word in EMOTIONS else SYNONYMS.get(word, name)
