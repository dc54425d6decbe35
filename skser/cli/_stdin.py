"""Standard input: a recording, or a list of the names of recordings."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..audio._info import describe
from ..audio._not_a_path import not_a_path
from ..audio._not_audio import SPHERE, as_text, no_recording
from ..exceptions import DataError, SkserError

if TYPE_CHECKING:
    from ..inference._batches import Prediction

NAME = "-"  # of standard input on the command line and in results

_MAX_BYTES = 2**31  # held in memory; a stream may have no end
_CHUNK = 2**20
_HEAD = 1024  # bytes that show what the input is
_GIVE = "pipe a recording into it, or a list of files, one a line"
_CONTROLS = {*range(32), 127} - {*b"\t\r\n\f"}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_stdin() -> bytes | list[str]:
    """A recording as bytes, or the names in a list, one a line or as ``find -print0`` writes.

    Raises DataError if standard input is neither.
    """
    content = read_content()
    names = _names(content)
    if names is None:
        return content
    if not _exists(names[0]):
        reason = _no_list(content, names)
        if reason is not None:
            raise DataError(f"{NAME}: {reason}")
    return names


def read_content() -> bytes:
    """All of standard input, or DataError if it is closed, empty, a terminal or too long."""
    if sys.stdin is None:
        raise DataError(f"{NAME}: no recording on standard input, which is closed")
    if sys.stdin.isatty():
        raise DataError(f"{NAME}: standard input is a terminal; {_GIVE}")
    chunks: list[bytes] = []
    n_bytes = 0
    while chunk := sys.stdin.buffer.read(_CHUNK):
        chunks.append(chunk)
        n_bytes += len(chunk)
        if n_bytes > _MAX_BYTES:
            raise DataError(
                f"{NAME}: standard input must be at most {_MAX_BYTES} bytes, got more; write it "
                "to a file and give its path"
            )
    content = b"".join(chunks)
    if not content.strip():
        raise DataError(f"{NAME}: no recording on standard input, which is empty; {_GIVE}")
    return content


def named(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    """The same predictions, that of a recording on standard input with its name."""
    for prediction in predictions:
        is_stdin = isinstance(prediction.file, bytes)
        yield prediction._replace(file=NAME) if is_stdin else prediction


@contextmanager
def recording_of(path: Path) -> Iterator[str | bytes]:
    """A path, or the recording on standard input for -, which errors inside are to name."""
    if str(path) != NAME:
        yield str(path)
        return
    content = read_content()
    try:
        yield content
    except SkserError as error:
        error.args = (str(error).replace(describe(content), NAME),)
        raise


def _names(content: bytes) -> list[str] | None:
    """The names in a list, or None for content that is no text."""
    if content.startswith(_MARKS):
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


def _no_list(content: bytes, names: list[str]) -> str | None:
    """That a text is, for example, an HTML page; None if it may be a list of names."""
    reason = no_recording(content[:_HEAD])
    if reason is not None and not reason.startswith("is text,"):
        return reason
    return None if "://" in names[0] else not_a_path("".join(names[:20]))


def _exists(name: str) -> bool:
    return os.path.lexists(name)
