"""Recordings of one's own: a folder per class."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..audio._folders import find_audio
from ..exceptions import DataError, ParameterError
from ._corpus import emotion_name, listing, make_corpus

DESCR = """\
{name}: {n_clips} recordings in a folder per class, with {n_classes} classes.
"""


def load_folder(
    data_home: str | os.PathLike[str], *, speaker: str | None = None, return_X_y: bool = False
) -> Any:
    r"""Load recordings that lie in a folder per class.

    The class is the name of the uppermost folder inside ``data_home``; deeper folders are
    searched and name nothing. Known words for an emotion are brought to one name ("Anger" and
    "angry" to "angry", "happiness" to "happy", "fearful" to "fear", "surprised" to "surprise");
    other names are classes as they are.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the class folders.
    speaker : str or None, default=None
        Regular expression with one group, which finds the speaker in a recording's path, taken
        from ``data_home`` on and with forward slashes. With None, speakers are not known.
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
        There are no recordings, or some lie outside of the class folders, or there is one class
        folder only, or ``speaker`` does not find a speaker everywhere.
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
            f"{home}: {len(outside)} of {len(files)} recordings lie in no class folder:"
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
    descr = DESCR.format(name=home, n_clips=len(frame), n_classes=frame["emotion"].nunique())
    return make_corpus(frame, descr, return_X_y)


def class_folders(home: Path, files: Sequence[Path]) -> list[str | None]:
    """The uppermost folder of each recording inside ``home``, None where there is none."""
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
    odd = [name for name, match in zip(names, matches, strict=True) if not (match and match[1])]
    if odd:
        raise DataError(
            f"{home}: speaker={speaker!r} finds no speaker in {len(odd)} of {len(names)} paths:"
            f" {listing(odd)}"
        )
    return [match[1] for match in matches if match]
