"""Recordings in a folder per class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError, ParameterError
from ._corpus import emotion_name, listing, make_corpus


def load_folder(
    data_home: PathLike, *, speaker: str | None = None, return_X_y: bool = False
) -> Any:
    r"""Load recordings in a folder per class.

    The class is the name of the topmost folder inside ``data_home``; its subfolders are searched
    too. Synonyms of an emotion become one class ("Anger" and "angry" are "angry", "happiness" is
    "happy", "fearful" is "fear", "surprised" is "surprise"); other names stay as they are.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the class folders.
    speaker : str or None, default=None
        Regular expression whose one group matches the speaker in a recording's path, relative to
        ``data_home`` and with forward slashes. None leaves speakers unknown.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths, sorted.
        - target : ndarray of shape (n_clips,), str. Classes.
        - groups : ndarray of shape (n_clips,), str, or None. Speakers.
        - frame : DataFrame. Path, emotion, speaker (if known) and corpus, the folder's name.
        - DESCR : str. Description.

    Raises
    ------
    CorpusNotFoundError
        The folder does not exist.
    DataError
        There are no recordings, some are outside the class folders, there is only one class
        folder, or ``speaker`` does not match every path.
    ParameterError
        ``speaker`` is not a regular expression with one group.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Anger/ann-1.wav", "calm/bob-1.wav"):
    ...         Path(folder, name).parent.mkdir()
    ...         Path(folder, name).touch()
    ...     speech = load_folder(folder, speaker=r"/(\w+)-\d+")
    >>> speech.target, speech.groups
    (array(['angry', 'calm'], dtype='<U5'), array(['ann', 'bob'], dtype='<U3'))
    """
    home = Path(data_home).expanduser()
    files = find_audio(home)
    classes = class_folders(home, files)
    outside = [file.name for file, name in zip(files, classes, strict=True) if name is None]
    if outside:
        raise DataError(
            f"{home}: {len(outside)} of {len(files)} recordings are not in a class folder:"
            f" {listing(outside)}"
        )
    if len(set(classes)) == 1:
        raise DataError(
            f"{home}: {classes[0]!r} is the only class folder in it; is data_home one folder too"
            " high?"
        )
    frame = pd.DataFrame(
        {
            "path": [str(file) for file in files],
            "emotion": [emotion_name(str(name)) for name in classes],
            "corpus": home.absolute().name,
        }
    )
    if speaker is not None:
        frame["speaker"] = _find_speakers(speaker, home, files)
    content = f"{len(frame)} recordings in a folder per class"
    descr = f"{home}: {content}, with {frame['emotion'].nunique()} classes.\n"
    return make_corpus(frame, descr, return_X_y)


def class_folders(home: Path, files: Sequence[Path]) -> list[str | None]:
    """The topmost folder of each recording inside ``home``, or None."""
    parts = [file.relative_to(home).parts for file in files]
    return [part[0] if len(part) > 1 else None for part in parts]


def _find_speakers(speaker: str, home: Path, files: Sequence[Path]) -> list[str]:
    try:
        pattern = re.compile(speaker)
    except (re.error, TypeError):
        pattern = None
    if pattern is None or pattern.groups != 1:
        raise ParameterError(
            f"speaker must be a regular expression with one group or None, got {speaker!r}"
        )
    names = [file.relative_to(home).as_posix() for file in files]
    matches = [pattern.search(name) for name in names]
    unmatched = [n for n, match in zip(names, matches, strict=True) if not (match and match[1])]
    if unmatched:
        raise DataError(
            f"{home}: speaker={speaker!r} finds no speaker in {len(unmatched)} of {len(names)}"
            f" paths: {listing(unmatched)}"
        )
    return [match[1] for match in matches if match]
