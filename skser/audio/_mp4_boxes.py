"""Containers that end before the size that their header gives: interrupted downloads and copies."""

from __future__ import annotations

import io
import os

from ..exceptions import AudioError
from ._info import Source, describe

_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"moof", b"styp", b"sidx", b"uuid"}
_MAX_BOXES = 10_000  # of fragments; a damaged file may have boxes of eight bytes only


def check_promised_size(source: Source) -> None:
    """Raise AudioError for an MP4 or MOV file that ends within its samples."""
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        n_bytes = file.seek(0, os.SEEK_END)
        place = 0
        for _ in range(_MAX_BOXES):
            file.seek(place)
            head = file.read(16)
            if head[4:8] not in _BOXES:
                return
            size, start = int.from_bytes(head[:4], "big"), 8
            if size == 1:
                size, start = int.from_bytes(head[8:], "big"), 16
            if size < start:  # zero is up to the end
                return
            if head[4:8] == b"mdat" and place + size > n_bytes:
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {size - start} bytes "
                    f"of samples and {n_bytes - place - start} are there"
                )
            place += size
