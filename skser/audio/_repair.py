"""Recordings whose header does not give their length, put right before libsndfile reads them."""

from __future__ import annotations

import io
import mmap
from typing import TYPE_CHECKING, NamedTuple

from ..exceptions import AudioError
from ._info import Source, UnreadableError, describe
from ._mpeg import Buffer, Spliced, find_frames, is_as_promised, with_header

if TYPE_CHECKING:
    from soundfile import SoundFile

# Programs that stream a file leave zero or some number beyond this in place of its unknown length:
# 2e9, 0x7F000000, 0x7FFFFFFF less the header or a block, 0x80000000, 0xFFFFFFFF.
STREAMED_SIZE = 1_999_900_000
_MIN_WAV = 44  # bytes of the shortest header


class _Chunk(NamedTuple):
    """Samples of a WAV file: their first byte, and how many the header promises."""

    start: int
    size: int


def repair(file: SoundFile, source: Source) -> io.RawIOBase | None:
    """The content of an MP3 or WAV file with its true length, or None if the file is right."""
    if file.format == "MP3":
        return _repair_mpeg(content(source), source, 0, None)
    data = content(source)
    chunk = _find_data(data)
    if chunk is None:
        return None
    start, size = chunk
    if file.frames == 0:
        return _repair_size(data, start) if not 0 < size < STREAMED_SIZE else None
    stop = start + size if 0 < size < STREAMED_SIZE else None
    if stop is not None and stop > len(data):
        raise AudioError(
            f"{describe(source)}: is truncated, its header promises {size} bytes of samples and "
            f"{len(data) - start} are there"
        )
    return _repair_mpeg(data, source, start, stop)


def content(source: Source) -> Buffer:
    """The bytes of a file, which are not copied."""
    if isinstance(source, bytes):
        return source
    with open(source, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _repair_mpeg(data: Buffer, source: Source, start: int, stop: int | None) -> Spliced | None:
    is_whole_file = start == 0
    if is_whole_file and is_as_promised(data):
        return None
    frames = find_frames(data, start, stop)
    if frames is None or (is_whole_file and 0 < frames.n_frames <= frames.promised + 1):
        return None
    if frames.first.coding[1] != 3 or frames.n_codings > 1:
        kind = "MPEG audio of several rates" if frames.n_codings > 1 else "MPEG layer I or II"
        raise UnreadableError(f"{describe(source)}: is not readable audio (unsupported {kind})")
    return with_header(data, frames)


def _repair_size(data: Buffer, start: int) -> Spliced | None:
    """A WAV file that was never closed: its size is zero and samples follow."""
    size = len(data) - start
    if size == 0 or _are_chunks(data, start):
        return None
    head = bytearray(data[:start])
    head[:8] = b"RIFF\xff\xff\xff\xff"  # RF64 would have another size
    head[-4:] = b"\xff\xff\xff\xff"
    return Spliced([bytes(head), memoryview(data)[start:]])


def _find_data(data: Buffer) -> _Chunk | None:
    if len(data) < _MIN_WAV or data[8:12] != b"WAVE":
        return None
    place = 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data":
            return _Chunk(place + 8, size)
        place += 8 + size + size % 2
    return None


def _are_chunks(data: Buffer, place: int) -> bool:
    """Whether chunks such as LIST follow, up to the end."""
    while place + 8 <= len(data):
        if not all(32 <= letter < 127 for letter in data[place : place + 4]):
            return False
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    return place in (len(data), len(data) + 1)
