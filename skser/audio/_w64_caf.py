"""W64 and CAF files written to a pipe, whose headers have a placeholder for the length."""

from __future__ import annotations

from ._mpeg import Buffer, Spliced

_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_PLACEHOLDER = 2**62  # and beyond: 2**63 - 1 in W64, -1 in CAF


def with_length(data: Buffer) -> Spliced | None:
    """The file with its true length, or None if it is of another kind or has its length."""
    if data[:16] == _RIFF:
        return _w64(data)
    return _caf(data) if data[:4] == b"caff" else None


def _w64(data: Buffer) -> Spliced | None:
    place = 40  # behind the identifiers of the file
    while place + 24 <= len(data):
        size = int.from_bytes(data[place + 16 : place + 24], "little")  # with these 24 bytes
        if data[place : place + 16] == _W64_DATA:
            if size < _PLACEHOLDER:
                return None
            head = bytearray(data[: place + 24])
            head[16:24] = len(data).to_bytes(8, "little")
            head[-8:] = (len(data) - place).to_bytes(8, "little")
            return Spliced([bytes(head), memoryview(data)[place + 24 :]])
        if size < 24:
            return None
        place += size + -size % 8
    return None


def _caf(data: Buffer) -> Spliced | None:
    place = 8
    while place + 12 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 12], "big")
        start = place + 12
        if data[place : place + 4] == b"data":
            if size < _PLACEHOLDER:
                return None
            length = (len(data) - start).to_bytes(8, "big")
            return Spliced([bytes(data[: start - 8]) + length, memoryview(data)[start:]])
        place = start + size
    return None
