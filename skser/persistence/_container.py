"""The file that a model is in: a zip archive whose every byte is checked before it is used.

Its comment is the SHA-256 of all that comes before it, so that damage of any kind is seen. That is
no signature: whoever makes a file can make its hash. What a file may hold is checked as well.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .._utils._files import check_writable, written_whole
from ..exceptions import ModelError

FORMAT = 2
MANIFEST = "model.json"
CARD = "README.md"

_COMMENT = b"skser-sha256:"
_LENGTH_OF_COMMENT = len(_COMMENT) + 64
_LARGEST_TEXT = 64 * 2**20
ARRAY_KINDS = "biufcSU"  # of arrays; none of them holds Python objects


class Contents:
    """What is written to a model file, or was read from one: texts, bytes and arrays by name."""

    def __init__(self, entries: dict[str, bytes] | None = None) -> None:
        self.entries = entries if entries is not None else {}

    def put_array(self, name: str, array: np.ndarray) -> None:
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
        self.entries[name] = file.getvalue()

    def array(self, name: str) -> np.ndarray:
        """An array that may be written to, whose header claims no more than there is."""
        content = self.entries[name]
        file = io.BytesIO(content)
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is no array of version 1.0")
        shape, in_fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.kind not in ARRAY_KINDS or dtype.hasobject or dtype.subdtype is not None:
            raise ValueError(f"{name} holds {dtype}, and not numbers or texts")
        n_items = 1
        for n in shape:
            n_items *= n
        if min(shape, default=0) < 0 or n_items * dtype.itemsize != len(content) - file.tell():
            raise ValueError(f"{name} is not as long as its header says")
        values = np.frombuffer(content, dtype, offset=file.tell())
        return values.reshape(shape, order="F" if in_fortran_order else "C").copy()

    def text(self, name: str) -> str:
        return self.entries[name].decode()


def write(path: str | os.PathLike[str], manifest: dict[str, Any], contents: Contents) -> None:
    """Write a model file whole, or not at all."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = json.dumps(manifest, indent=1, allow_nan=False, ensure_ascii=False)
        for name, content in [(MANIFEST, text.encode()), *contents.entries.items()]:
            # A fixed date, so that the same model is the same file. Arrays do not shrink.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            is_array = name.endswith((".npy", ".skops"))
            entry.compress_type = zipfile.ZIP_STORED if is_array else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
        archive.comment = b" " * _LENGTH_OF_COMMENT
    content = file.getvalue()[:-_LENGTH_OF_COMMENT]
    digest = hashlib.sha256(content).hexdigest().encode()
    check_writable(path)
    with written_whole(path) as temporary:
        temporary.write_bytes(content + _COMMENT + digest)


def is_model_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as model files do; one kept with joblib does not."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Contents]:
    """Manifest and contents of a model file.

    Raises
    ------
    ModelError
        It is missing, damaged, of a newer format, or no model file.
    """
    if not Path(path).is_file():
        raise ModelError(f"{path}: is no file, so there is no model to load")
    content = Path(path).read_bytes()
    rest, comment = content[:-_LENGTH_OF_COMMENT], content[-_LENGTH_OF_COMMENT:]
    if not content.startswith(b"PK\x03\x04") or not comment.startswith(_COMMENT):
        raise ModelError(f"{path}: is no model file, or is cut short")
    if comment != _COMMENT + hashlib.sha256(rest).hexdigest().encode():
        raise ModelError(f"{path}: is damaged (its SHA-256 is another)")
    try:
        manifest, contents = _entries(content)
    except Exception as error:
        # Reading what somebody made to be misread raises almost anything.
        raise ModelError(f"{path}: is no model file that can be read ({error})") from error
    check_format(path, manifest)
    return manifest, contents


def _entries(content: bytes) -> tuple[dict[str, Any], Contents]:
    entries: dict[str, bytes] = {}
    # What all entries may unpack to together: entries may share their bytes.
    left = {zipfile.ZIP_STORED: len(content), zipfile.ZIP_DEFLATED: _LARGEST_TEXT}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.filename in entries:
                raise ValueError(f"{entry.filename!r} is in it twice")
            if entry.compress_type not in left:
                raise ValueError(f"{entry.filename!r} is packed in another way than zip's own")
            with archive.open(entry) as file:
                # A header may promise less than there is.
                found = file.read(left[entry.compress_type] + 1)
            left[entry.compress_type] -= max(len(found), entry.file_size)
            if left[entry.compress_type] < 0:
                raise ValueError(f"{entry.filename!r} unpacks to more than is allowed")
            entries[entry.filename] = found
    manifest = json.loads(entries.pop(MANIFEST))
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} is no object")
    return manifest, Contents(entries)


def check_format(path: str | os.PathLike[str], manifest: dict[str, Any]) -> None:
    """Raise ModelError for a manifest that this version cannot read."""
    found, written = manifest.get("format"), manifest.get("versions")
    is_told = isinstance(written, dict) and all(map(_is_plain, (*written, *written.values())))
    if not isinstance(found, int) or not is_told or not _is_list(manifest.get("classes")):
        raise ModelError(f"{path}: is no model file of skser")
    if found > FORMAT:
        written_by = manifest["versions"].get("skser")
        raise ModelError(
            f"{path}: has format {found}, of skser {written_by}; this skser reads up to {FORMAT}"
        )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_plain, value))


def _is_plain(value: Any) -> bool:
    """Whether a value is text that may be shown as it is."""
    return isinstance(value, str) and value.isprintable() and len(value) < 1000
