"""What ``skser live`` shows and keeps while rows of a timeline come, and come again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from .._utils._files import is_device, written_whole
from ..inference import TimelineRow
from ..inference._timeline import as_table
from ..inference._timeline_formats import csv_parts

_METER = 20  # characters, for _RANGE dB
_RANGE = 60.0


class LastRows:
    """The last row of each index."""

    def __init__(self, classes: list[object]) -> None:
        self.classes = classes
        self._rows: list[TimelineRow] = []

    def __len__(self) -> int:
        return len(self._rows)

    def update(self, news: Sequence[TimelineRow]) -> None:
        """Take new rows, and revised ones in place of earlier ones."""
        for row in news:
            self._rows[row.index : row.index + 1] = [row]

    def all(self) -> list[TimelineRow]:
        """By index."""
        return self._rows


class CsvStream:
    """CSV on standard output or a device: a revised row is a further line, and the last counts."""

    def __init__(self, path: Path, rows: LastRows) -> None:
        self._path, self._rows = path, rows
        self._file = sys.stdout if path == Path("-") else path.open("w", encoding="utf-8")
        self._has_header = False

    def write(self, news: Sequence[TimelineRow]) -> None:
        """Write the rows that are new or revised."""
        header, body = _csv(news, self._rows.classes)
        self._file.write(body if self._has_header else header + body)
        self._file.flush()
        self._has_header = True

    def close(self) -> None:
        """Close a device."""
        if self._file is not sys.stdout:
            self._file.close()


class CsvFile:
    """A CSV file with the last row of each index, complete after each `write`.

    New rows are appended. Where one is revised, a new file replaces the old one as a whole.
    """

    def __init__(self, path: Path, rows: LastRows) -> None:
        self._path, self._rows = path, rows
        self._exists = False

    def write(self, news: Sequence[TimelineRow]) -> None:
        """Bring the file up to date, after the rows were."""
        if self._exists and not any(row.revised for row in news):
            with self._path.open("ab", buffering=0) as file:
                file.write(_csv(news, self._rows.classes)[1].encode())
            return
        with written_whole(self._path) as temporary:
            text = "".join(_csv(self._rows.all(), self._rows.classes))
            temporary.write_bytes(text.encode())
        self._exists = True

    def close(self) -> None:
        """Nothing is open between rows."""


def csv_output(path: Path, rows: LastRows) -> CsvFile | CsvStream:
    """A file that is revised, where that is possible."""
    return (CsvStream if path == Path("-") or is_device(path) else CsvFile)(path, rows)


def _csv(rows: Sequence[TimelineRow], classes: list[object]) -> list[str]:
    """The line with the names of columns, and those of rows."""
    table = as_table(list(rows), classes)
    return list(csv_parts([table.iloc[:0], table]))


class View:
    """Shows nothing: for a process without a terminal whose standard output is taken."""

    def show(self, news: Sequence[TimelineRow]) -> None:
        """Show new and revised rows."""

    def level(self, seconds: float, level: float) -> None:
        """Show the time and the level in dB of the last block."""

    def clear(self) -> None:
        """Make room for the line of another."""


class StatusLine(View):
    """One line of a terminal: time, level, and the emotions of the last row."""

    def __init__(self, stream: TextIO, classes: list[object]) -> None:
        self._stream = stream
        self._classes = classes
        self._last = ""

    def show(self, news: Sequence[TimelineRow]) -> None:
        if news:
            self._last = _emotions(news[-1], self._classes)

    def level(self, seconds: float, level: float) -> None:
        n_marks = round(_METER * min(max(1 + level / _RANGE, 0.0), 1.0))
        meter = "#" * n_marks + "." * (_METER - n_marks)
        self._draw(f"{_clock(seconds)} {meter} {level:4.0f} dB  {self._last}")

    def clear(self) -> None:
        self._draw("")

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        # The cursor stays in front, where whatever else is written replaces the line.
        self._stream.write(f"\r{text[:width]:<{width}}\r")
        self._stream.flush()


class Lines(View):
    """A line for each row, for a pipe or a file."""

    def __init__(self, stream: TextIO, classes: list[object]) -> None:
        self._stream = stream
        self._classes = [str(name) for name in classes]
        self._width = max(map(len, ["emotion", *self._classes]))
        self._write("   start      end", "emotion", "probability")

    def show(self, news: Sequence[TimelineRow]) -> None:
        for row in news:
            emotion = "-" if row.silence else str(row.emotion)
            probability = "-" if row.probabilities is None else f"{row.probabilities.max():.2f}"
            note = f"{probability:>11}{'  revised' if row.revised else ''}"
            self._write(f"{row.start:8.2f} {row.end:8.2f}", emotion, note)

    def _write(self, times: str, emotion: str, rest: str) -> None:
        self._stream.write(f"{times}  {emotion:<{self._width}}  {rest}\n")
        self._stream.flush()


def view(classes: list[object], *, stdout_is_taken: bool) -> View:
    """The view for the streams of this process."""
    stream = sys.stderr if stdout_is_taken else sys.stdout
    if stream is not None and stream.isatty():
        return StatusLine(stream, classes)
    return View() if stdout_is_taken or stream is None else Lines(stream, classes)


def _emotions(row: TimelineRow, classes: list[object]) -> str:
    if row.probabilities is None:
        return "silence"
    order = np.argsort(-row.probabilities, kind="stable")
    return "  ".join(f"{classes[i]} {100 * row.probabilities[i]:.0f} %" for i in order)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
