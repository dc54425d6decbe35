"""Model file: a zip archive with a checksum, read defensively.

The archive comment is the SHA-256 of all bytes before it, which detects damage. It is not a
signature, because anyone can compute it, so the content is checked as well.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .._utils._files import check_writable, written_whole
from .._utils._types import PathLike
from ..exceptions import ModelError

FORMAT = 2
MANIFEST = "model.json"
CARD = "README.md"

_COMMENT = b"skser-sha256:"
_COMMENT_LENGTH = len(_COMMENT) + 64
_LARGEST_TEXT = 64 * 2**20
ARRAY_KINDS = "biufcSU"  # kinds of dtype without Python objects


def encode_array(array: np.ndarray) -> bytes:
    """The content of an entry with an array."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array).reshape(array.shape), allow_pickle=False)
    return file.getvalue()


def decode_array(content: bytes) -> np.ndarray:
    """The array in an entry, once its header agrees with the entry's length."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array is not in NumPy's format 1.0")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in ARRAY_KINDS:
        raise ValueError(f"an array holds {dtype}, not numbers or text")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError("an array is not as long as its header says")
    return np.load(io.BytesIO(content), allow_pickle=False)


def write(path: PathLike, manifest: dict[str, Any], entries: dict[str, bytes]) -> None:
    """Write a model file whole, or not at all."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = json.dumps(manifest, indent=1, allow_nan=False, ensure_ascii=False)
        for name, content in [(MANIFEST, text.encode()), *entries.items()]:
            # A fixed date makes equal models equal files. Arrays and weights hardly compress.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            is_binary = name.endswith((".npy", ".bin", ".skops"))
            entry.compress_type = zipfile.ZIP_STORED if is_binary else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
        archive.comment = b" " * _COMMENT_LENGTH
    content = file.getvalue()[:-_COMMENT_LENGTH]
    check_writable(path)
    with written_whole(path) as temporary:
        temporary.write_bytes(content + _checksum(content))


def is_model_file(path: PathLike) -> bool:
    """Whether a file begins like a zip archive, which joblib does not write."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read(path: PathLike) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest and entries of a model file; ModelError if it cannot be used."""
    if not Path(path).is_file():
        raise ModelError(f"{path}: is not a file, so there is no model to load")
    content = Path(path).read_bytes()
    archive, comment = content[:-_COMMENT_LENGTH], content[-_COMMENT_LENGTH:]
    if not content.startswith(b"PK\x03\x04") or not comment.startswith(_COMMENT):
        raise ModelError(f"{path}: is not a model file, or is truncated (a pickle is none)")
    if comment != _checksum(archive):
        raise ModelError(f"{path}: is damaged (its SHA-256 differs)")
    try:
        manifest, entries = _unpack(content)
    except Exception as error:
        # Reading a malicious file raises almost anything.
        raise ModelError(f"{path}: is not a readable model file ({error})") from error
    check_format(path, manifest)
    return manifest, entries


def _checksum(content: bytes) -> bytes:
    return _COMMENT + hashlib.sha256(content).hexdigest().encode()


def _unpack(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    entries: dict[str, bytes] = {}
    # Limits for the sum of all entries, because entries may share bytes.
    left = {zipfile.ZIP_STORED: len(content), zipfile.ZIP_DEFLATED: _LARGEST_TEXT}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            name, kind = entry.filename, entry.compress_type
            if name in entries:
                raise ValueError(f"entry {name!r} occurs twice")
            if kind not in left:
                raise ValueError(f"entry {name!r} has a compression other than deflate")
            with archive.open(entry) as file:
                # The size in the header may be too small.
                entries[name] = file.read(left[kind] + 1)
            left[kind] -= max(len(entries[name]), entry.file_size)
            if left[kind] < 0:
                raise ValueError(f"entry {name!r} unpacks to more than is allowed")
    manifest = json.loads(entries.pop(MANIFEST))
    if not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST} is not an object")
    return manifest, entries


def check_format(path: PathLike, manifest: dict[str, Any]) -> None:
    """Raise ModelError for a manifest that this version cannot read."""
    number, versions = manifest.get("format"), manifest.get("versions")
    classes = manifest.get("classes")
    if not (isinstance(number, int) and isinstance(versions, dict) and isinstance(classes, list)):
        raise ModelError(f"{path}: is not a model file of skser")
    if not all(map(_is_printable, [*versions, *versions.values(), *classes])):
        raise ModelError(f"{path}: has versions or classes that are not printable text")
    if number > FORMAT:
        raise ModelError(
            f"{path}: has format {number}, of skser {versions.get('skser')}; this skser reads up "
            f"to {FORMAT}"
        )


def _is_printable(text: object) -> bool:
    return isinstance(text, str) and text.isprintable() and len(text) < 1000
