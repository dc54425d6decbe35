"""What a file is that holds no audio, by its first bytes."""

from __future__ import annotations

import codecs
import os

from ._not_a_path import BASE64, not_a_path

_BINARY = {
    b"PK\x03\x04": "a zip archive; extract it first",
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": "a gzip archive; extract it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; extract it first",
    b"Rar!\x1a\x07": "a RAR archive; extract it first",
    b"BZh": "a bzip2 archive; extract it first",
    b"\xfd7zXZ\x00": "an xz archive; extract it first",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x93NUMPY": "a NumPy array; load it with numpy.load",
    b"PAR1": "a Parquet table",
    b"\x89HDF": "an HDF5 file",
    b"\x00\x05\x16\x07": "a companion file of macOS (its name begins with '._')",
}
_TEXT = (
    ("version https://git-lfs", "a Git LFS pointer; run 'git lfs pull' to download it"),
    ("/annex/objects/", "a git-annex pointer; run 'git annex get' to download it"),
    ("<!doctype html", "an HTML page; the download has failed"),
    ("<html", "an HTML page; the download has failed"),
    ("<", "XML or HTML text"),
    ("{", "JSON text"),
    ("[", "JSON text"),
)
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BASE64_LINE = 60  # characters; words are shorter
_RAW = (".pcm", ".raw", ".sw", ".ul", ".al", ".s16", ".s16le", ".f32", ".f32le", ".mulaw", ".alaw")
RAW_SAMPLES = "raw samples say no rate: numpy.fromfile reads them, then give (waveform, sr)"
SPHERE = b"NIST_1A"  # a recording whose header is text


def is_raw(source: str | os.PathLike[str] | bytes) -> bool:
    """Whether a file is by its name one of samples without a header."""
    return not isinstance(source, bytes) and os.fspath(source).lower().endswith(_RAW)


def no_recording(head: bytes) -> str | None:
    """That a file is, for example, an HTML page, and what to do; None if it may be audio."""
    kind = _kind(head)
    if kind is None:
        return None
    kind, _, remedy = kind.partition("; ")
    return f"is {kind}, not a recording" + (f"; {remedy}" if remedy else "")


def _kind(head: bytes) -> str | None:
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return "a tar archive; extract it first"
    if not head.strip(b"\0"):
        return "a file of zero bytes"
    text = as_text(head)
    if text is None or head.startswith(SPHERE):
        return None
    first = text.split(maxsplit=1)[:1]
    if first and len(first[0]) >= _BASE64_LINE and not_a_path(text) == BASE64:
        return "text in base64; decode it first, with base64.b64decode(...) or base64 -d"
    text = text.lstrip().lower()
    return next((kind for start, kind in _TEXT if text.startswith(start)), "text")


def as_text(head: bytes) -> str | None:
    """The text that begins with these bytes, or None for other data."""
    encodings = [codec for mark, codec in MARKS.items() if head.startswith(mark)]
    if not encodings:
        n_ascii = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
        encodings = ["utf-8", "cp1252"] if n_ascii > 0.9 * len(head) else ["utf-8"]
    for encoding in encodings:
        try:
            # Not final, because the last character may be cut.
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        if all(letter.isprintable() or letter in "\t\r\n\f\ufeff" for letter in text):
            return text
    return None
