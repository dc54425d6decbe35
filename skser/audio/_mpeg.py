"""Frames of MPEG audio: MP3 whose header does not say, or says wrongly, how long it is.

libsndfile takes the length of an MP3 file from its Xing or Info header. Streams, pipes and
text-to-speech services write none, and then it estimates the length from the first frames; files
that were joined have one for the first part only. Such a file is read from its frames alone,
behind an Info header with their number.
"""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

Buffer: TypeAlias = "bytes | memoryview"

_KBPS = {  # by MPEG 1 or 2, layer
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_DECODER_DELAY = 529  # samples
_INFO_BYTES = 64  # of an Info header without a table of contents
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")


class _Frame(NamedTuple):
    size: int
    n_samples: int
    coding: tuple[int, int, int, bool]  # MPEG version, layer, sampling rate, whether mono


class Frames(NamedTuple):
    """Frames of a file, without those that are a Xing, Info or VBRI header."""

    spans: list[tuple[int, int]]  # bytes of frames in a row
    n_frames: int
    first: _Frame
    header: bytes  # four bytes, of the first frame
    promised: int  # frames that the file's own header promises; 0 if it does not say
    n_codings: int

    @property
    def n_samples(self) -> int:
        return self.n_frames * self.first.n_samples


@lru_cache(maxsize=4096)
def _frame(header: bytes) -> _Frame | None:
    """What the four bytes of a frame's header say."""
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, bits = header[2] >> 2 & 3, header[2] >> 4
    no_frame = header[0] != 0xFF or header[1] & 0xE0 != 0xE0
    if no_frame or version == 1 or layer == 4 or rate == 3 or bits in (0, 15):
        return None
    sr, is_first = _RATES[version][rate], version == 3
    kbps = _KBPS[1 if is_first else 2, layer][bits - 1]
    n_samples = 384 if layer == 1 else 576 if layer == 3 and not is_first else 1152
    slot = 4 if layer == 1 else 1
    size = (n_samples // 8 // slot * kbps * 1000 // sr + (header[2] >> 1 & 1)) * slot
    return _Frame(size, n_samples, (version, layer, sr, header[3] >> 6 == 3))


def find_frames(data: Buffer, start: int = 0, stop: int | None = None) -> Frames | None:
    """The frames of MPEG audio between two bytes, or None if there are none."""
    stop = len(data) if stop is None else min(stop, len(data))
    spans: list[tuple[int, int]] = []
    codings: dict[tuple[int, int, int, bool], None] = {}
    first, header, promised, n_frames = None, b"", -1, 0
    place, in_row = start, False
    while place + 4 <= stop:
        frame = _frame(bytes(data[place : place + 4]))
        if frame is None or place + frame.size > stop:
            in_row, place = False, _next_place(data, place, stop)
            continue
        if not (in_row and frame.coding in codings) and not _goes_on(data, place, frame, stop):
            in_row, place = False, _next_place(data, place, stop)
            continue
        end = place + frame.size
        n_promised = _promise(bytes(data[place : min(end, place + 64)]), frame)[0]
        if n_promised is not None:
            promised = n_promised if promised < 0 else promised
            in_row = False
        else:
            if in_row:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((place, end))
            if first is None:
                first, header = frame, bytes(data[place : place + 4])
            codings[frame.coding] = None
            n_frames, in_row = n_frames + 1, True
        place = end
    if first is None:
        return None
    return Frames(spans, n_frames, first, header, max(promised, 0), len(codings))


def _goes_on(data: Buffer, place: int, frame: _Frame, stop: int) -> bool:
    """Whether a frame is followed by another of its kind, a tag or the end."""
    end = place + frame.size
    following = bytes(data[end : min(end + 11, stop)])
    if len(following) < 4 or following.startswith(_TAGS):
        return True
    after = _frame(following[:4])
    return after is not None and after.coding[:3] == frame.coding[:3]


def _next_place(data: Buffer, place: int, stop: int) -> int:
    """Where a frame may begin next: behind a tag, or at the next byte of its kind."""
    length = id3_length(bytes(data[place : place + 10]))
    if length:
        return place + length
    for block in range(place + 1, stop, 4096):
        found = bytes(data[block : min(block + 4096, stop)]).find(b"\xff")
        if found >= 0:
            return block + found
    return stop


def id3_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag that begins here; 0 without one."""
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def _promise(content: bytes, frame: _Frame) -> tuple[int | None, int]:
    """Frames and bytes that a Xing, Info or VBRI header promises; None for another frame."""
    if frame.coding[1] != 3:
        return None, 0
    side = _side_bytes(frame)
    for place in (4 + side, 6 + side):  # some writers count the checksum of a frame, some do not
        if content[place : place + 4] in (b"Xing", b"Info"):
            flags, numbers = content[place + 7] if len(content) > place + 7 else 0, place + 8
            n_frames = int.from_bytes(content[numbers : numbers + 4], "big") if flags & 1 else 0
            numbers += 4 if flags & 1 else 0
            n_bytes = int.from_bytes(content[numbers : numbers + 4], "big") if flags & 2 else 0
            return n_frames, n_bytes
    if content[36:40] == b"VBRI":
        return int.from_bytes(content[50:54], "big"), int.from_bytes(content[46:50], "big")
    return None, 0


def is_as_promised(data: Buffer) -> bool:
    """Whether the header of an MP3 file gives its number of frames, and its size in bytes."""
    place = 0
    while length := id3_length(bytes(data[place : place + 10])):
        place += length
    content = bytes(data[place : place + 64])
    frame = _frame(content[:4]) if len(content) == 64 else None
    if frame is None:
        return False
    n_frames, n_bytes = _promise(content, frame)
    stop = len(data)
    if stop > 128 and bytes(data[stop - 128 : stop - 125]) == b"TAG":
        stop -= 128
    return bool(n_frames) and 0 <= n_bytes - (stop - place) + frame.size <= 2 * frame.size


class Spliced(io.RawIOBase):
    """A file made of parts of others, which are not copied."""

    def __init__(self, parts: Sequence[Buffer]) -> None:
        self._parts = [memoryview(part) for part in parts]
        self._starts = [0, *accumulate(len(part) for part in self._parts)]
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_CUR: self._place, os.SEEK_END: self._starts[-1]}.get(whence, 0)
        if origin + offset >= 0:  # libsndfile also asks for places before the beginning
            self._place = origin + offset
        return self._place

    def readinto(self, buffer: object) -> int:
        wanted = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        n_read = 0
        while n_read < len(wanted) and self._place < self._starts[-1]:
            i = bisect_right(self._starts, self._place) - 1
            skipped = self._place - self._starts[i]
            piece = self._parts[i][skipped : skipped + len(wanted) - n_read]
            wanted[n_read : n_read + len(piece)] = piece
            n_read += len(piece)
            self._place += len(piece)
        return n_read


def with_header(data: Buffer, frames: Frames) -> Spliced:
    """An MP3 file of these frames, behind an Info header with their number."""
    silence = _empty_frame(frames.header, 0)
    info = _empty_frame(frames.header, _INFO_BYTES)
    # A decoder drops as many samples as the header says and 529 of its own. So that it drops none
    # of the file, a silent frame comes first.
    delay = frames.first.n_samples - _DECODER_DELAY
    n_bytes = len(info) + len(silence) + sum(stop - start for start, stop in frames.spans)
    numbers = (3, frames.n_frames + 1, min(n_bytes, 0xFFFFFFFF))
    header = b"Info" + b"".join(number.to_bytes(4, "big") for number in numbers)
    header += b"LAME".ljust(21, b"\0") + (delay << 12 | _DECODER_DELAY).to_bytes(3, "big")
    place = 4 + _side_bytes(frames.first)
    info = info[:place] + header + info[place + len(header) :]
    view = memoryview(data)
    return Spliced([info, silence, *(view[start:stop] for start, stop in frames.spans)])


def _empty_frame(header: bytes, n_bytes: int) -> bytes:
    """A silent frame of the same kind, with room for ``n_bytes``."""
    for bits in range(1, 15):
        # No checksum, no padding.
        candidate = bytes([header[0], header[1] | 1, header[2] & 0x0D | bits << 4, header[3]])
        frame = _frame(candidate)
        if frame is not None and frame.size >= 4 + _side_bytes(frame) + n_bytes:
            return candidate + bytes(frame.size - 4)
    raise AssertionError("320 kbit/s are room enough")


def _side_bytes(frame: _Frame) -> int:
    """Bytes of side information of a frame of layer III."""
    version, _, _, is_mono = frame.coding
    if version == 3:
        return 17 if is_mono else 32
    return 9 if is_mono else 17
