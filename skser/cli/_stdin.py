"""Standard input and named pipes: a recording, or a list of the names of recordings."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..audio._info import describe
from ..audio._not_audio import MARKS, SPHERE, as_text, no_recording
from ..exceptions import DataError, SkserError

if TYPE_CHECKING:
    from ..inference._batches import Prediction

NAME = "-"  # of standard input on the command line and in results

_MAX_BYTES = 2**31  # held in memory; a stream may have no end
_CHUNK = 2**20
_HEAD = 1024  # bytes that show what the input is
_GIVE = "pipe a recording into it, or a list of files, one a line"
_CONTROLS = {*range(32), 127} - {*b"\t\r\n\f"}


class Piped(bytes):
    """The content of a recording from a pipe, which has a name in results."""

    name: str

    @classmethod
    def of(cls, content: bytes, name: str) -> Piped:
        """The content with its name."""
        piped = cls(content)
        piped.name = name
        return piped


def read_stdin() -> Piped | list[str]:
    """A recording, or the names in a list, one a line or as ``find -print0`` writes.

    Raises DataError if standard input is neither.
    """
    content = read_content()
    names = _names(content)
    if names is None:
        return Piped.of(content, NAME)
    if not _exists(names[0]):
        reason = _no_list(content)
        if reason is not None:
            raise DataError(f"{NAME}: {reason}")
    return names


def read_content() -> bytes:
    """All of standard input, or DataError if it is closed, empty, a terminal or too long."""
    if sys.stdin is None:
        raise DataError(f"{NAME}: no recording on standard input, which is closed")
    if sys.stdin.isatty():
        raise DataError(f"{NAME}: standard input is a terminal; {_GIVE}")
    content = _read(sys.stdin.buffer, NAME)
    if not content.strip():
        raise DataError(f"{NAME}: no recording on standard input, which is empty; {_GIVE}")
    return content


def is_pipe(path: str | Path) -> bool:
    """Whether it is a named pipe, such as ``<(command)`` of a shell, which can be read once."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def read_pipe(path: str | Path) -> Piped:
    """The recording in a named pipe."""
    with open(path, "rb") as file:
        return Piped.of(_read(file, str(path)), str(path))


def _read(file: BinaryIO, name: str) -> bytes:
    chunks: list[bytes] = []
    n_bytes = 0
    while chunk := file.read(_CHUNK):
        chunks.append(chunk)
        n_bytes += len(chunk)
        if n_bytes > _MAX_BYTES:
            raise DataError(
                f"{name}: a pipe must have at most {_MAX_BYTES} bytes, got more; write them to a "
                "file and give its path"
            )
    return b"".join(chunks)


def named(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    """The same predictions, those of recordings from pipes with their names."""
    for prediction in predictions:
        file = prediction.file
        yield prediction._replace(file=file.name) if isinstance(file, Piped) else prediction


@contextmanager
def recording_of(path: str) -> Iterator[str | bytes]:
    """A path, or the recording in a pipe (- is standard input), which errors inside are to name."""
    if path == NAME:
        content = Piped.of(read_content(), NAME)
    elif is_pipe(path):
        content = read_pipe(path)
    else:
        yield path
        return
    try:
        yield content
    except SkserError as error:
        error.args = (str(error).replace(describe(content), content.name),)
        raise


def _names(content: bytes) -> list[str] | None:
    """The names in a list, or None for content that is no text."""
    if content.startswith(tuple(MARKS)):
        text = as_text(content)
        if text is not None:
            return _lines(text) or None
    encoding = sys.stdin.encoding
    if b"\0" in content:  # no name has one
        names = content.rstrip(b"\n").strip(b"\0").decode(encoding, "surrogateescape").split("\0")
        return names if _exists(names[0]) else None
    names = _lines(content.decode(encoding, "surrogateescape"))
    is_text = _CONTROLS.isdisjoint(content[:_HEAD]) and not content.startswith(SPHERE)
    return names if is_text or _exists(names[0]) else None


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _no_list(content: bytes) -> str | None:
    """That a text is, for example, an HTML page; None if it may be a list of names."""
    reason = no_recording(content[:_HEAD])
    return None if reason is None or reason.startswith("is text,") else reason


def _exists(name: str) -> bool:
    return os.path.lexists(name)
