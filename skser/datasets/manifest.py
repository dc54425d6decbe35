"""Recordings in a table of paths and emotions."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from .._utils._param_validation import did_you_mean
from .._utils._types import PathLike
from ..exceptions import CorpusNotFoundError, DataError
from ._corpus import emotion_name, listing, make_corpus

MANIFEST_SUFFIXES = (".csv", ".tsv", ".txt")

_COLUMNS = ("path", "emotion", "speaker", "corpus")


def load_manifest(
    path: PathLike,
    *,
    path_column: str = "FileName",
    label_column: str = "Emotion",
    speaker_column: str | None = None,
    audio_home: PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load recordings listed in a CSV or TSV file, one per row, below a row of column names.

    The delimiter is a tab in a ``.tsv`` file, else comma, semicolon, tab or ``|``, whichever
    yields the requested columns. The encoding is UTF-8. Synonyms of an emotion become one class,
    as in :func:`load_folder`. Missing recordings raise an error when they are read, not here.

    Parameters
    ----------
    path : str or path
        The CSV or TSV file.
    path_column : str, default="FileName"
        Column of the recordings' paths.
    label_column : str, default="Emotion"
        Column of the emotions.
    speaker_column : str or None, default=None
        Column of the speakers. None leaves speakers unknown.
    audio_home : str, path or None, default=None
        Folder of relative paths; None is the folder of the file.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths, in the file's order.
        - target : ndarray of shape (n_clips,), str. Labels.
        - groups : ndarray of shape (n_clips,), str, or None. Speakers.
        - frame : DataFrame. Path, emotion, speaker (if known), corpus (the column of that name,
          else the file's name without suffix) and the file's other columns, as text.
        - DESCR : str. Description.

    Raises
    ------
    CorpusNotFoundError
        The file or ``audio_home`` does not exist.
    DataError
        A column is missing, a path, label or speaker is empty, or the file is not a table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_manifest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "calls.csv")
    ...     _ = table.write_text("FileName,Emotion,Agent\\n1.wav,calm,ann\\n2.wav,angry,bob\\n")
    ...     speech = load_manifest(table, speaker_column="Agent")
    >>> speech.target, speech.groups
    (array(['calm', 'angry'], dtype='<U5'), array(['ann', 'bob'], dtype='<U3'))
    """
    file = Path(path).expanduser()
    home = file.parent if audio_home is None else Path(audio_home).expanduser()
    if not home.is_dir():
        raise CorpusNotFoundError(f"{home}: no such folder")
    used = {"path": path_column, "emotion": label_column}
    if speaker_column is not None:
        used["speaker"] = speaker_column
    table = _read_table(file, used.values())
    for column in used.values():
        _check_column(file, table, column)
    frame = pd.DataFrame({name: table[column] for name, column in used.items()})
    frame["path"] = [str(home / name) for name in frame["path"]]
    frame["emotion"] = [emotion_name(label) for label in frame["emotion"]]
    frame["corpus"] = table.get("corpus", file.stem)
    extra = [c for c in table if c and c not in used.values() and c not in _COLUMNS]
    n_classes = frame["emotion"].nunique()
    descr = f"{file}: a table of {len(frame)} recordings with {n_classes} classes.\n"
    return make_corpus(frame.join(table[extra]), descr, return_X_y)


def _read_table(file: Path, columns: Collection[str]) -> pd.DataFrame:
    """All fields as text; the index is the row number, 1 being the column names."""
    if file.is_dir():
        raise DataError(f"{file}: is a folder, not a CSV or TSV file")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            delimiter = _delimiter(file, lines.readline(), columns)
            lines.seek(0)
            header, *rows = list(csv.reader(lines, delimiter=delimiter, strict=True)) or [[]]
    except FileNotFoundError:
        raise CorpusNotFoundError(f"{file}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as a table ({error})") from error
    header = [name.strip() for name in header]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise DataError(f"{file}: has more than one column {listing(map(repr, repeated))}")
    numbered = {number: row for number, row in enumerate(rows, start=2) if any(row)}
    if not numbered:
        raise DataError(f"{file}: has no rows below the column names")
    uneven = [number for number, row in numbered.items() if len(row) != len(header)]
    if uneven:
        raise DataError(
            f"{file}: has {len(header)} column names, but another number of fields in rows"
            f" {listing(uneven)}"
        )
    stripped = [[field.strip() for field in row] for row in numbered.values()]
    return pd.DataFrame(stripped, index=list(numbered), columns=header)


def _delimiter(file: Path, header: str, columns: Collection[str]) -> str:
    """The delimiter that yields the most of ``columns``, else the most columns at all."""
    if file.suffix.lower() == ".tsv":
        return "\t"

    def n_columns(delimiter: str) -> tuple[int, int]:
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return len(set(columns).intersection(names)), len(names)

    return max(",;\t|", key=n_columns)


def _check_column(file: Path, table: pd.DataFrame, column: str) -> None:
    if column not in table:
        raise DataError(
            f"{file}: no column {column!r}{did_you_mean(column, table.columns.tolist())}"
            f" (columns: {', '.join(map(repr, table))})"
        )
    empty = table.index[table[column] == ""]
    if len(empty):
        raise DataError(
            f"{file}: column {column!r} is empty in {len(empty)} of {len(table)} rows:"
            f" {listing(empty)} (row 1 has the column names)"
        )
