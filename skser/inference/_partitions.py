"""Partitions: the table of a large store of recordings, in parts that an interruption leaves."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from .._utils._files import folder_written_whole, written_whole
from .._version import __version__
from ..exceptions import DataError, MissingDependencyError, ParameterError
from ._abstention import Abstention
from ._prediction_process import COLUMNS

_ROWS_AT_ONCE = 2**16  # of a row group in Parquet
_NAMES = {
    "model": "the model (SHA-256)",
    "recordings": "the list of recordings (SHA-256)",
    "n_recordings": "the number of recordings",
    "partition_size": "--partition-size",
    "runtime": "--runtime",
    "version": "skser",
}

Row = dict[str, Any]


class Partitions:
    """Partitions of a list of recordings, whose results are files in a folder beside a table.

    The folder has a manifest, with all that the results depend on. `written_whole` writes them, so
    a file is complete, and what was killed at any point continues with those missing.
    """

    def __init__(self, out: Path, recordings: Sequence[str], size: int, model: Path, runtime: str):
        if out.suffix not in _WRITERS:
            names = " or ".join(_WRITERS)
            raise ParameterError(f"--out must be the path of a table, {names}, got {out}")
        if out.suffix == ".parquet":
            _pyarrow(out)
        self.out = out
        self.folder = out.with_name(f"{out.name}.parts")
        self.recordings = sorted(recordings)
        self._size = size
        self._manifest = {
            "model": hashlib.sha256(model.read_bytes()).hexdigest(),
            "recordings": _hash_of(self.recordings),
            "n_recordings": len(self.recordings),
            "partition_size": size,
            "runtime": runtime,
            "version": __version__,
        }
        self._open()

    def __len__(self) -> int:
        return -(-len(self.recordings) // self._size)

    def __getitem__(self, number: int) -> list[str]:
        """The recordings of a partition."""
        return self.recordings[number * self._size : (number + 1) * self._size]

    def missing(self) -> list[int]:
        """Numbers of the partitions without a result."""
        there = set(os.listdir(self.folder))
        return [i for i in range(len(self)) if self._path(i).name not in there]

    def write(self, number: int, lines: bytes) -> None:
        """Keep the result of a partition: its emotions, and a line for each recording, as JSON."""
        with written_whole(self._path(number)) as temporary:
            temporary.write_bytes(lines)

    def join(self, abstention: Abstention) -> int:
        """Write the table, remove the partitions, and return the number of unusable recordings."""
        n_unusable = 0

        def rows() -> Iterator[Row]:
            nonlocal n_unusable
            for row in self._rows(abstention):
                n_unusable += row["error"] is not None
                yield row

        emotions = self._read(0)[0]
        with written_whole(self.out) as temporary:
            _WRITERS[self.out.suffix](temporary, emotions, rows(), json.dumps(self._manifest))
        self.remove()
        return n_unusable

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    def _open(self) -> None:
        """Write the manifest, or compare it with the one of an earlier run."""
        file = self.folder / "manifest.json"
        if not self.folder.exists():
            with folder_written_whole(self.folder) as temporary:
                (temporary / file.name).write_text(json.dumps(self._manifest, indent=1))
        try:
            earlier = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.folder}: is not a folder of partitions (no readable manifest.json); remove "
                "it, or choose another --out"
            ) from error
        now = self._manifest
        differing = [key for key in now if earlier.get(key) != now[key]]
        if differing:
            changes = (
                f"{_NAMES[k]} was {earlier.get(k)!s:.12}, is {now[k]!s:.12}" for k in differing
            )
            raise DataError(
                f"{self.folder}: is of another run: {', '.join(changes)}; repeat that run to "
                "continue it, or remove the folder to start anew"
            )

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:07d}.jsonl"

    def _read(self, number: int) -> list[Any]:
        return [json.loads(line) for line in self._path(number).read_bytes().splitlines()]

    def _rows(self, abstention: Abstention) -> Iterator[Row]:
        for number in range(len(self)):
            emotions, *results = self._read(number)
            for file, result in zip(self[number], results, strict=True):
                numbers = result.get("probabilities")
                emotion = None
                if numbers is not None:
                    confidence = max(numbers)
                    abstention.count(confidence)
                    if not abstention.is_below(confidence):
                        emotion = emotions[numbers.index(confidence)]
                probabilities = numbers or [None] * len(emotions)
                yield {
                    "file": file,
                    "emotion": emotion,
                    **dict(zip(emotions, probabilities, strict=True)),
                    "silence": result.get("silence", False),
                    "ood_reasons": result.get("ood_reasons", ""),
                    "error": result.get("error"),
                }


def _hash_of(recordings: Sequence[str]) -> str:
    digest = hashlib.sha256()
    folder = os.getcwd()
    for name in recordings:
        for path in (name, os.path.join(folder, name)):
            digest.update(os.fsencode(path) + b"\0")
    return digest.hexdigest()


def _columns(emotions: Sequence[str]) -> list[str]:
    return [*COLUMNS[:2], *emotions, *COLUMNS[2:]]


def _write_csv(path: Path, emotions: Sequence[str], rows: Iterator[Row], manifest: str) -> None:
    """The columns of `skser predict --csv`, and the error."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_columns(emotions))
        for row in rows:
            writer.writerow(f"{v:.4f}" if isinstance(v, float) else v for v in row.values())


def _write_parquet(path: Path, emotions: Sequence[str], rows: Iterator[Row], manifest: str) -> None:
    """The same columns; the manifest is the value of ``skser`` in the metadata."""
    pyarrow = _pyarrow(path)
    types = {
        **dict.fromkeys(_columns(emotions), pyarrow.string()),
        **dict.fromkeys(emotions, pyarrow.float64()),
        "silence": pyarrow.bool_(),
    }
    schema = pyarrow.schema(types, metadata={"skser": manifest})
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while part := [_as_utf8(row) for row in islice(rows, _ROWS_AT_ONCE)]:
            writer.write_table(pyarrow.Table.from_pylist(part, schema=schema))


def _as_utf8(row: Row) -> Row:
    r"""The row with ``\xff`` in place of such a byte in a name, as Parquet has only UTF-8."""
    texts = {name: row[name] for name in ("file", "error") if row[name] is not None}
    return row | {
        name: text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        for name, text in texts.items()
    }


def _pyarrow(out: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingDependencyError(
            f"{out}: writing Parquet needs pyarrow: python -m pip install pyarrow"
        ) from None
    return pyarrow


_WRITERS: dict[str, Callable[[Path, Sequence[str], Iterator[Row], str], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
}
