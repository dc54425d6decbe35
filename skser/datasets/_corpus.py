"""What every loader shares: the emotions' names, finding recordings, and the Bunch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..exceptions import CorpusNotFoundError, DataError

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

AUDIO_SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".opus",
    ".mp3",
    ".aiff",
    ".aif",
    ".m4a",
    ".mp4",
    ".aac",
    ".webm",
    ".mkv",
    ".mov",
)

_FIRST_COLUMNS = ("path", "emotion", "speaker", "corpus")


def find_audio(data_home: str | os.PathLike[str]) -> list[Path]:
    """Paths of all recordings in a folder and the folders in it, sorted.

    Links are followed. Hidden files and folders and ``__MACOSX`` are left out.
    """
    home = Path(data_home).expanduser()
    if home.is_file():
        raise DataError(f"{home}: is a file, and the folder that holds the recordings is needed")
    if not home.is_dir():
        raise CorpusNotFoundError(f"{home}: no such folder")
    files = [
        Path(folder, name)
        for folder, names in _walk(home)
        for name in names
        if not name.startswith(".") and name.lower().endswith(AUDIO_SUFFIXES)
    ]
    if not files:
        raise DataError(f"{home}: no recordings in it; looked for {', '.join(AUDIO_SUFFIXES)}")
    return sorted(files, key=str)


def _walk(home: Path) -> Iterable[tuple[str, list[str]]]:
    seen = set()  # a link to a folder above would be walked for ever
    for folder, folders, names in os.walk(home, onerror=_cannot_read, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        yield folder, names


def _cannot_read(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error


def listing(items: Iterable[Any], n: int = 10) -> str:
    """The first ``n`` items with commas between, and how many more there are."""
    texts = [str(item) for item in items]
    more = f" and {len(texts) - n} more" if len(texts) > n else ""
    return ", ".join(texts[:n]) + more


def make_corpus(frame: pd.DataFrame, descr: str, return_X_y: bool = False) -> Any:
    """Build what a loader returns.

    Parameters
    ----------
    frame : DataFrame
        One row per recording, with columns path, emotion, corpus and, if known, speaker.
    descr : str
        Description, citation and licence.
    return_X_y : bool, default=False
        Return ``(paths, target)`` only.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With paths, target, groups, frame and DESCR; ``groups`` is None without speakers.
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
    """The emotion that a word stands for, else the word itself."""
    word = re.sub(r"[\s_-]+", " ", name).strip().lower()
    return word if word in EMOTIONS else SYNONYMS.get(word, name)
