"""Recordings in a table of paths and emotions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from .._utils._param_validation import did_you_mean
from .._utils._types import PathLike
from ..audio._folders import not_there
from ..exceptions import CorpusNotFoundError, DataError, SkserWarning, naming
from ._columns import MEANING, TIMES, USUAL, likely_speakers, recognise_columns
from ._corpus import emotion_name, listing, make_corpus, rows_of
from ._paths import locate
from ._tables import DELIMITED, JSON, MISSING, PARQUET, read_table
from ._times import add_segments

MANIFEST_SUFFIXES = (*DELIMITED, *JSON, *PARQUET)

_COLUMNS = ("path", "emotion", "speaker", "corpus", "split", "start", "end")


def load_manifest(
    path: PathLike,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    speaker_column: str | None = None,
    audio_home: PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load recordings listed in a table, one per row.

    The table is a CSV or TSV file below a row of column names, a JSON Lines file (``.jsonl``,
    ``.ndjson``, ``.json``) or a list of objects (``.json``), or a Parquet file, if pandas can read
    it. An object in an object makes columns such as ``audio.path``. The delimiter is a tab in a
    ``.tsv`` file, else comma, semicolon, tab or ``|``, whichever yields the columns. The encoding
    is UTF-8, or UTF-16 with a mark; a file that is neither is read as cp1252, with a warning.
    Synonyms of an emotion become one class, as in :func:`load_folder`. Missing recordings raise an
    error when they are read, not here.

    A path that does not exist is also looked for with slashes in place of backslashes, without the
    codes of an address (``%20``, ``file://``), with ``~`` for the home, and in both Unicode forms
    of accents. With ``audio_home``, absolute paths of another machine are looked for inside it.

    Columns are recognised by their usual names, in any case and with spaces, ``_`` or ``-``
    between words: of paths, FileName, File, Path, FilePath, Wav, Audio, Recording; of labels,
    Emotion, Label, Class, Target; of speakers, Speaker, Actor, Subject, Spk, each also with ID; of
    corpora, Corpus; of the split into train, test and val, Split, Subset, Partition.

    Columns Start and End make each row a :class:`~skser.Segment` of its recording; so do StartTime
    and EndTime, Begin and Stop, Onset and Offset, or a start with Duration. They hold seconds
    (milliseconds if the names end in ``ms``), or times such as ``1:02.5`` and time deltas of pandas
    and audformat; an empty end is the end of the recording.

    Parameters
    ----------
    path : str or path
        The table.
    path_column : str or None, default=None
        Column of the recordings' paths. None takes the first of the usual names.
    label_column : str or None, default=None
        Column of the emotions. None takes the first of the usual names.
    speaker_column : str or None, default=None
        Column of the speakers. None takes the first of the usual names; without one, speakers are
        unknown, and a column that may hold them, such as Agent, is named in a warning.
    audio_home : str, path or None, default=None
        Folder of relative paths, and of those of another machine; None is the folder of the file.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths, or segments, in the file's order.
        - target : ndarray of shape (n_clips,), str. Labels.
        - groups : ndarray of shape (n_clips,), str, or None. Speakers.
        - frame : DataFrame. Path, start and end in seconds (of segments), emotion, speaker (if
          known), corpus (from the column Corpus, else the file's name without suffix), split (from
          a column) and the file's other columns, as text.
        - DESCR : str. Description, with the columns that were taken.

    Raises
    ------
    CorpusNotFoundError
        The file or ``audio_home`` does not exist.
    DataError
        A column is missing, a path, label or speaker is empty (also NaN, None, NULL or N/A), or the
        file is not a table.

    Warns
    -----
    SkserWarning
        The encoding is not known, speakers may be in a column that is not used, or a recording is
        in several rows.

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
        raise CorpusNotFoundError(f"{home}: {not_there(home, 'folder')}")
    given = {"path": path_column, "emotion": label_column, "speaker": speaker_column}

    def used_columns(names: Iterable[str]) -> dict[str, str]:
        with naming(str(file)):
            return recognise_columns(names, given)

    table = read_table(file, lambda names: len({*used_columns(names).values()}.intersection(names)))
    used = used_columns(table.columns.tolist())
    for role in {"path": None, "emotion": None, **used}:
        _check_column(file, table, role, used.get(role))
    if ("start" in used) != ("end" in used or "duration" in used):
        one, other = ("start", "end") if "start" in used else ("end", "start")
        raise DataError(
            f"{file}: has a column {used[one]!r} and none {other!r}; segments need both, so "
            "add one or rename the other"
        )
    for role in ("path", "emotion"):
        _check_values(file, table[used[role]])
    if speaker_column is not None:
        _check_values(file, table[speaker_column])
    elif not return_X_y:
        used = _without_unknown_speakers(file, table, used)
    frame = pd.DataFrame({name: table[column] for name, column in used.items()})
    is_moved = audio_home is not None
    frame["path"], moved = locate(home, frame["path"].tolist(), is_moved=is_moved)
    frame["emotion"] = [emotion_name(label) for label in frame["emotion"]]
    if "start" in used:
        times = {role: table[name] for role, name in used.items() if role in TIMES}
        frame = add_segments(file, frame, times)
    if not return_X_y:
        _warn_of_repeated(file, frame)
    if "corpus" in used:
        frame["corpus"] = frame["corpus"].mask(frame["corpus"].isin(MISSING), file.stem)
    else:
        frame["corpus"] = file.stem
    extra = [c for c in table if c and c not in used.values() and c not in _COLUMNS]
    n_classes = frame["emotion"].nunique()
    roles = ", ".join(f"{MEANING[role]} in column {column!r}" for role, column in used.items())
    descr = f"{file}: a table of {len(frame)} recordings with {n_classes} classes; {roles}"
    descr += f"; {home} in place of {moved}.\n" if moved else ".\n"
    return make_corpus(frame.join(table[extra]), descr, return_X_y)


def _check_column(file: Path, table: pd.DataFrame, role: str, column: str | None) -> None:
    """Raise DataError for a column that is not there."""
    if column is not None and column in table:
        return
    columns = ", ".join(map(repr, table))[:200]
    if column is not None:
        similar = did_you_mean(column, table.columns.tolist())
        raise DataError(f"{file}: no column {column!r}{similar} (columns: {columns})")
    parameter = "path_column (--path)" if role == "path" else "label_column (--label)"
    raise DataError(
        f"{file}: no column of {MEANING[role]}, such as {', '.join(USUAL[role][:4])}; rename one, "
        f"or give {parameter} (columns: {columns})"
    )


def _rows_without(column: pd.Series) -> str | None:
    """Rows in which a column has no value, for messages; None if there are none."""
    missing = column.index[column.isin(MISSING)]
    if not len(missing):
        return None
    names = " (row 1 has the column names)" if missing.name == "row" else ""
    return f"in {len(missing)} of {len(column)} rows: {rows_of(missing)}{names}"


def _check_values(file: Path, column: pd.Series) -> None:
    if missing := _rows_without(column):
        raise DataError(
            f"{file}: column {column.name!r} is empty or missing {missing}; fill it in, or leave "
            "these rows out"
        )


def _without_unknown_speakers(
    file: Path, table: pd.DataFrame, used: dict[str, str]
) -> dict[str, str]:
    """The columns without that of speakers if it has gaps; a warning names a column not used."""
    reason = None
    if "speaker" in used:
        if gaps := _rows_without(table[used["speaker"]]):
            reason = f"column {used['speaker']!r} is not used for the speakers: it is empty {gaps}"
    else:
        likely = [n for n in likely_speakers(table.columns.tolist()) if n not in used.values()]
        if likely and not _rows_without(table[likely[0]]):
            reason = (
                f"column {likely[0]!r} may hold the speakers: speaker_column (--speaker) uses it"
            )
    if reason is None:
        return used
    warnings.warn(f"{file}: {reason}", SkserWarning, stacklevel=3)
    return {role: column for role, column in used.items() if role != "speaker"}


def _warn_of_repeated(file: Path, frame: pd.DataFrame) -> None:
    """Warn of recordings, or segments, in several rows."""
    place = [column for column in ("path", "start", "end") if column in frame]
    repeated = frame[frame.duplicated(place, keep=False)]
    if repeated.empty:
        return
    path = repeated["path"].iloc[0]
    labels = repeated["emotion"][repeated["path"] == path].unique().tolist()
    warnings.warn(
        f"{file}: {len(repeated.drop_duplicates(place))} recordings are in several rows, such as "
        f"{path} ({listing(labels)}); each row counts as a recording",
        SkserWarning,
        stacklevel=3,
    )
