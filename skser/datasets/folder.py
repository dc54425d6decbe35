"""Recordings in a folder per class, or with their classes in their names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .._utils._splits import split_name
from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError, ParameterError, SkserWarning
from ._corpus import emotion_name, listing, make_corpus
from ._layout import (
    class_level,
    expression,
    levels_of,
    maybe_speakers,
    speaker_level,
    split_level,
)


def load_folder(
    data_home: PathLike,
    *,
    label: str | None = None,
    speaker: str | None = None,
    return_X_y: bool = False,
) -> Any:
    r"""Load recordings in a folder per class, or with their classes in their names.

    Classes are the folders at the level that is named after emotions, be it above or below the
    folders of speakers; else the topmost folders. Synonyms of an emotion become one class ("Anger"
    and "angry" are "angry", "happiness" is "happy", "fearful" is "fear", "surprised" is
    "surprise"); other names stay as they are.

    Folders ``train``, ``test`` and ``val`` (also ``valid``, ``dev``, ``eval`` and their long
    forms), above or below the classes, are a split, which :func:`skser.evaluate` uses.

    Parameters
    ----------
    data_home : str or path
        Folder of the recordings.
    label : str or None, default=None
        Regular expression whose one group matches the class in a recording's path, relative to
        ``data_home`` and with forward slashes, such as ``r"/([a-z]+)_[^/]*$"`` for the first word
        of the file name. None looks for class folders.
    speaker : str or None, default=None
        Regular expression whose one group matches the speaker in the path. None takes folders
        whose names say so ("Actor_01", "speaker2", "f03"); otherwise speakers are unknown.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths, sorted.
        - target : ndarray of shape (n_clips,), str. Classes.
        - groups : ndarray of shape (n_clips,), str, or None. Speakers.
        - frame : DataFrame. Path, emotion, speaker (if known), corpus, the folder's name, and
          split ("train", "test" or "val"), if there is one.
        - DESCR : str. Description.

    Raises
    ------
    CorpusNotFoundError
        The folder does not exist.
    DataError
        There are no recordings, some are outside the class folders, there is only one class, it is
        not clear which folders are the classes, or ``label`` or ``speaker`` does not match every
        path.
    ParameterError
        ``label`` or ``speaker`` is not a regular expression with one group.

    Warns
    -----
    SkserWarning
        ``speaker`` is None, but some folders may be speakers.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Actor_01/Anger/1.wav", "Actor_02/calm/1.wav"):
    ...         Path(folder, name).parent.mkdir(parents=True)
    ...         Path(folder, name).touch()
    ...     speech = load_folder(folder)
    >>> speech.target, speech.groups
    (array(['angry', 'calm'], dtype='<U5'), array(['Actor_01', 'Actor_02'], dtype='<U8'))

    The class and the speaker in the file name:

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("anger_ann_1.wav", "calm_bob_1.wav"):
    ...         Path(folder, name).touch()
    ...     speech = load_folder(folder, label=r"^([a-z]+)_", speaker=r"_([a-z]+)_")
    >>> speech.target, speech.groups
    (array(['angry', 'calm'], dtype='<U5'), array(['ann', 'bob'], dtype='<U3'))
    """
    home = Path(data_home).expanduser()
    patterns = {
        name: _one_group(name, value)
        for name, value in (("label", label), ("speaker", speaker))
        if value is not None
    }
    files = find_audio(home)
    levels = levels_of(home, files)
    split = split_level(levels)
    if "label" in patterns:
        classes, names = None, _find("label", patterns["label"], home, files)
        if len(set(names)) == 1:
            raise DataError(f"{home}: label={label!r} finds only the class {names[0]!r}")
    else:
        classes = class_level(home, files)
        outside = [f.name for f, name in zip(files, levels[classes], strict=True) if name is None]
        if outside:
            raise DataError(
                f"{home}: {len(outside)} of {len(files)} recordings are not in a class folder:"
                f" {listing(outside)}"
            )
        names = [str(name) for name in levels[classes]]
    frame = pd.DataFrame(
        {
            "path": [str(file) for file in files],
            "emotion": [emotion_name(name) for name in names],
            "corpus": home.absolute().name,
        }
    )
    if "speaker" in patterns:
        frame["speaker"] = _find("speaker", patterns["speaker"], home, files)
    elif (number := speaker_level(levels, (classes, split))) is not None:
        frame["speaker"] = list(levels[number])
    elif classes is not None and (n := maybe_speakers(levels, classes, split)) is not None:
        warnings.warn(
            f"{home}: level {n + 1} of the folders may be the speakers, who are not known; if so, "
            f"pass speaker={expression(n)}",
            SkserWarning,
            stacklevel=2,
        )
    if split is not None and None not in levels[split]:
        frame["split"] = [split_name(name) for name in levels[split]]
    how = "in a folder per class" if label is None else "with the class in the path"
    content = f"{len(frame)} recordings {how}"
    descr = f"{home}: {content}, with {frame['emotion'].nunique()} classes.\n"
    return make_corpus(frame, descr, return_X_y)


def _one_group(parameter: str, value: str) -> re.Pattern[str]:
    """The expression of a parameter; ParameterError if it has not one group."""
    try:
        pattern = re.compile(value)
    except (re.error, TypeError):
        pattern = None
    if pattern is None or pattern.groups != 1:
        raise ParameterError(
            f"{parameter} must be a regular expression with one group or None, got {value!r}"
        )
    return pattern


def _find(parameter: str, pattern: re.Pattern[str], home: Path, files: Sequence[Path]) -> list[str]:
    """The text of the group in each path; DataError if it is not in each."""
    names = [file.relative_to(home).as_posix() for file in files]
    matches = [pattern.search(name) for name in names]
    unmatched = [n for n, match in zip(names, matches, strict=True) if not (match and match[1])]
    if unmatched:
        raise DataError(
            f"{home}: {parameter}={pattern.pattern!r} finds no {parameter} in {len(unmatched)} of "
            f"{len(names)} paths: {listing(unmatched, 3)}"
        )
    return [match[1] for match in matches if match]
