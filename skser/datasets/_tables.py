"""Read a table whose fields are text: CSV and its kin, JSON Lines, or Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from ..audio._folders import not_there
from ..exceptions import CorpusNotFoundError, DataError, MissingDependencyError, SkserWarning
from ._corpus import listing

DELIMITED = (".csv", ".tsv", ".txt")
JSON = (".jsonl", ".ndjson", ".json")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
PARQUET = (".parquet",)

# As pandas, R and spreadsheets write what is missing. "NA" may be a label.
MISSING = {"", "nan", "NaN", "NAN", "None", "<NA>", "NaT", "null", "NULL", "N/A", "#N/A"}

_MARKS = {  # UTF-32 first, since its mark begins like that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_table(file: Path, n_used: Callable[[Iterable[str]], int]) -> pd.DataFrame:
    """Fields as text, "" where missing; the index, named row or line, is the place in the file.

    ``n_used(names)`` is the number of columns of use among some; the delimiter is the one that
    yields most of them.
    """
    if file.is_dir():
        raise DataError(f"{file}: is a folder, not a table")
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise CorpusNotFoundError(f"{file}: {not_there(file, 'file')}") from None
    except OSError as error:
        raise _unreadable(file, error) from error
    if content[:4] == b"PAR1" or file.suffix.lower() in PARQUET:
        table = _read_parquet(file)
    elif content[:4] == b"PK\3\4" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise DataError(f"{file}: is a workbook or an archive; save the sheet as CSV")
    elif file.suffix.lower() in JSON:
        table = _read_json(file, _decode(file, content))
    else:
        table = _read_delimited(file, _decode(file, content), n_used)
    names: list[str] = table.columns.tolist()
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise DataError(f"{file}: has more than one column {listing(map(repr, repeated))}")
    return table


def _decode(file: Path, content: bytes) -> str:
    """Text of a file in UTF-8, or UTF-16 or UTF-32 with a mark, else in cp1252 with a warning."""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in content[:2]:  # of UTF-16 without a mark
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or b"\0" in content:
            raise _unreadable(file, error) from error
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise DataError(
            f"{file}: cannot be read as a table (it is in neither UTF-8, UTF-16 nor cp1252; save "
            "it as UTF-8)"
        ) from None
    row, line = next((i, s) for i, s in enumerate(text.split("\n"), 1) if not s.isascii())
    warnings.warn(
        f"{file}: is not UTF-8 and was read as cp1252; if {line.strip()!r:.80} in row {row} is "
        "wrong, save the file as UTF-8",
        SkserWarning,
        stacklevel=2,
    )
    return text


def _read_delimited(file: Path, text: str, n_used: Callable[[Iterable[str]], int]) -> pd.DataFrame:
    blank = re.match(r"(?: *\r?\n)*", text)
    above = "" if blank is None else blank[0]
    lines = io.StringIO(text[len(above) :], newline="")
    header_row, first = 1 + above.count("\n"), lines.readline().rstrip("\r\n")
    if re.fullmatch("(?i)sep=.", first):  # as Excel writes and expects it
        header_row, delimiter = header_row + 1, first[4]
    else:
        delimiter = _delimiter(file, first, n_used)
        lines.seek(0)
    try:
        header, *rows = list(csv.reader(lines, delimiter=delimiter, strict=True)) or [[]]
    except csv.Error as error:
        raise _unreadable(file, error) from error
    header = [name.strip() for name in header]
    numbered = {number: row for number, row in enumerate(rows, header_row + 1) if any(row)}
    if not numbered:
        raise DataError(f"{file}: has no rows below the column names")
    n = len(header)  # programs end rows, but not the header, with a delimiter
    numbered = {i: row if any(row[n:]) else row[:n] for i, row in numbered.items()}
    uneven = [number for number, row in numbered.items() if len(row) != len(header)]
    if uneven:
        raise DataError(
            f"{file}: has {len(header)} column names, but another number of fields in rows"
            f" {listing(uneven)}"
        )
    stripped = [[field.strip() for field in row] for row in numbered.values()]
    return pd.DataFrame(stripped, index=pd.Index(list(numbered), name="row"), columns=header)


def _delimiter(file: Path, header: str, n_used: Callable[[Iterable[str]], int]) -> str:
    """The delimiter that yields the most columns of use, else the most columns at all."""
    if file.suffix.lower() == ".tsv":
        return "\t"

    def n_columns(delimiter: str) -> tuple[int, int]:
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        return n_used(names), len(names)

    return max(",;\t|", key=n_columns)


def _read_json(file: Path, text: str) -> pd.DataFrame:
    """The table of a JSON object in each line, or of a list of objects."""
    records = {}
    if text.lstrip().startswith("[") and file.suffix.lower() == ".json":
        try:
            text = "\n".join(map(json.dumps, json.loads(text)))
        except json.JSONDecodeError as error:
            raise _unreadable(file, error) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise _unreadable(file, f"line {number}: {error}") from error
        if not isinstance(record, dict):
            raise DataError(
                f"{file}: line {number} must be a JSON object, such as "
                f'{{"file": "a.wav", "emotion": "sad"}}, got {line.strip()!r:.80}'
            )
        records[number] = dict(_fields(record))
    if not records:
        raise DataError(f"{file}: has no rows")
    table = pd.DataFrame(list(records.values()), index=pd.Index(list(records), name="line"))
    return table.fillna("")


def _fields(record: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and texts of an object; those of an object in it have dots, as in audio.path."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _fields(value, f"{prefix}{name}.")
        else:
            yield prefix + name, _as_text(value)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        table = pd.read_parquet(file)
    except ImportError as error:
        raise MissingDependencyError(
            f"{file}: reading Parquet needs pyarrow: pip install pyarrow"
        ) from error
    except Exception as error:  # pyarrow and fastparquet have their own
        raise _unreadable(file, error) from error
    if any(name is not None for name in table.index.names):
        table = table.reset_index()  # of audformat: file, start, end
    if table.empty:
        raise DataError(f"{file}: has no rows")
    text = {
        str(name): column.astype(object).where(column.notna(), "").map(str).str.strip()
        for name, column in table.items()
        if not any(isinstance(value, (bytes, dict)) for value in column)  # audio
    }
    return pd.DataFrame(text).set_axis(pd.RangeIndex(1, len(table) + 1, name="line"))


def _unreadable(file: Path, reason: object) -> DataError:
    return DataError(f"{file}: cannot be read as a table ({reason!s:.200})")
