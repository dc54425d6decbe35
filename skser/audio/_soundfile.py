"""Sound files (WAV, FLAC, OGG, Opus, MP3, AIFF), decoded with libsndfile."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._utils._stderr import stderr_closed
from ..exceptions import AudioError
from ._info import (
    AudioInfo,
    Source,
    UnreadableError,
    check_block,
    check_samples,
    decoding_errors,
    describe,
)
from ._mpeg import Spliced
from ._repair import STREAMED_SIZE, content, repair
from ._w64_caf import with_length

if TYPE_CHECKING:
    from soundfile import SoundFile

# libsndfile silently clamps the length of a truncated file; only its log says so, here in the
# words of version 1.2.2. If another version's differ, only `_has_last_sample` detects the cut.
_TRUNCATED_CHUNK = re.compile(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
_TRUNCATED_OGG = re.compile(r"Ogg ?: Junk after the last page")

_UNKNOWN = 2**62  # libsndfile's length of a FLAC file that was streamed is beyond
_PREROLL = 40_000  # samples; a frame of MP3 may need the data of many before it

BLOCK = 65_536  # samples decoded at a time from a stream
LARGE_BLOCK = 2**24  # and from a file read at once, since its header may promise too many


class _Content(io.BytesIO):
    """A file in memory that ignores a seek before its beginning."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with suppress(ValueError, OverflowError):
            super().seek(offset, whence)
        return self.tell()


@dataclass(frozen=True)
class Sound:
    """An open recording; soundfile would search its tables for the format at every question."""

    file: SoundFile
    format: str
    subtype: str
    kind: str  # container and coding, before any repair
    is_seekable: bool

    @classmethod
    def of(cls, file: SoundFile, kind: str | None = None) -> Sound:
        container, coding, is_seekable = file.format, file.subtype, file.seekable()
        # soundfile seeks after every read: FLAC is then decoded twice, and MP3 muted.
        file.seekable = lambda: False
        return cls(file, container, coding, kind or f"{container}/{coding}", is_seekable)

    @property
    def is_mpeg(self) -> bool:
        return self.format == "MP3" or self.subtype.startswith("MPEG")

    @property
    def is_unseekable(self) -> bool:
        """Whether libsndfile cannot seek in a coding, though it says that it can."""
        return self.subtype.startswith(("DWVW", "VOX")) or self.format == "SDS"

    @property
    def is_counted(self) -> bool:
        """Whether the header has no length, so that decoding gives it."""
        return self.file.frames >= _UNKNOWN or self.is_unseekable

    def read(self, n_samples: int) -> np.ndarray:
        """Up to ``n_samples`` samples, shape (n_samples, n_channels)."""
        # Into our own array: soundfile allocates a wrong one if the header has a wrong length.
        samples = np.empty((n_samples, self.file.channels), np.float32)
        with self._quiet():
            samples = self.file.read(out=samples)
        check_block(len(samples), self.file.samplerate)
        return samples

    def blocks_to_end(self) -> Iterator[np.ndarray]:
        """What is left, in blocks of shape (n_samples, n_channels)."""
        size = max(BLOCK // self.file.channels, 1)
        while len(samples := self.read(size)):
            yield samples

    def seek(self, position: int) -> None:
        """Go to a sample of a file of which none has been read."""
        first = 0  # in GSM 6.10 and other codings of telephony there is no seeking
        if self.is_mpeg:
            first = max(position - _PREROLL, 0)
        elif self.is_seekable and not self.is_counted:
            first = position
        if first > 0 or self.subtype == "OPUS":
            with self._quiet():
                self.file.seek(first)
        while first < position:
            size = min(position - first, max(BLOCK // self.file.channels, 1))
            n_passed = len(self.read(size))
            if n_passed == 0:
                return
            first += n_passed

    def _quiet(self) -> AbstractContextManager[None]:
        return stderr_closed() if self.is_mpeg else nullcontext()


def _open_sound(source: Source) -> Sound:
    try:
        sound = Sound.of(_open_content(source, _opened(source)))
    except UnreadableError:
        closed = None
        with suppress(OSError, ValueError):  # the file is gone or empty
            closed = with_length(content(source))
        if closed is None:
            raise
        sound = Sound.of(_open_content(source, closed))
    if sound.kind == "RAW/ULAW":  # by its name, .au or .snd, the first bytes being of no format
        sound.file.close()
        raise UnreadableError(f"{describe(source)}: is not readable audio (Format not recognised)")
    if sound.is_mpeg or not sound.file.frames:
        repaired = repair(sound.file, source)
        if repaired is not None:
            sound.file.close()
            sound = Sound.of(_open_content(source, repaired), sound.kind)
    return sound


def _opened(source: Source) -> object:
    """What libsndfile opens."""
    if isinstance(source, bytes):
        return _Content(source)
    if os.fspath(source).lower().endswith(".raw"):  # soundfile would look at no more than the name
        return Spliced([content(source)])
    return source


def _open_content(source: Source, opened: object) -> SoundFile:
    import soundfile

    file = opened if hasattr(opened, "read") else os.fsencode(source)
    try:
        with stderr_closed():  # the MP3 decoder prints warnings
            return soundfile.SoundFile(file)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        if reason.startswith("File does not exist"):  # libsndfile's message for MP3 without a frame
            reason = "no MP3 frame found"
        raise UnreadableError(f"{describe(source)}: is not readable audio ({reason})") from error


def inspect_sound(source: Source, *, to_end: bool) -> tuple[AudioInfo, Sound | None]:
    """Header of a recording; ``to_end`` also checks its last sample.

    Without, the recording stays open for `sound_blocks`, if none of it had to be decoded.
    """
    sound = _open_sound(source)
    with ExitStack() as stack:
        stack.enter_context(sound.file)
        info = _header(sound, source, to_end=to_end)
        if to_end or sound.is_counted:
            return info, None
        stack.pop_all()
        return info, sound


def _header(sound: Sound, source: Source, *, to_end: bool) -> AudioInfo:
    file = sound.file
    n_samples = _count_samples(sound, source) if sound.is_counted else file.frames
    info = AudioInfo(file.samplerate, n_samples, file.channels, sound.kind, "libsndfile")
    log, truncated = file.extra_info, f"{describe(source)}: is truncated, its"
    cut = _TRUNCATED_CHUNK.search(log)
    if cut and int(cut[2]) < int(cut[1]) < STREAMED_SIZE:
        raise AudioError(
            f"{truncated} header promises {cut[1]} bytes of samples and {cut[2]} are there"
        )
    if _TRUNCATED_OGG.search(log):
        raise AudioError(f"{truncated} last page is incomplete")
    if to_end and info.n_samples > 0 and not sound.is_counted:
        if not _has_last_sample(sound):
            raise AudioError(
                f"{truncated} header promises {info.n_samples} samples and the last cannot be read"
            )
        # Only these encodings can hold NaN, and they are fast to read.
        if sound.subtype in ("FLOAT", "DOUBLE"):
            with decoding_errors(source, RuntimeError):
                file.seek(0)
                for samples in sound.blocks_to_end():
                    check_samples(samples, source)
    return info


def _count_samples(sound: Sound, source: Source) -> int:
    with decoding_errors(source, RuntimeError):
        return sum(map(len, sound.blocks_to_end()))


def _has_last_sample(sound: Sound) -> bool:
    try:
        # libsndfile crashes when it seeks in Vorbis with damaged codebooks, and it finds the end
        # only from the beginning.
        if sound.subtype == "VORBIS":
            if not len(sound.read(1)):
                return False
            sound.file.seek(0)
        sound.seek(sound.file.frames - 1)
        return len(sound.read(1)) > 0
    except RuntimeError:
        return False


def sound_blocks(
    source: Source,
    info: AudioInfo,
    start: int,
    stop: int | None,
    size: int,
    sound: Sound | None = None,
) -> Iterator[np.ndarray]:
    """Blocks (n_samples, n_channels) of up to ``size`` samples, from ``start`` to ``stop``.

    Of ``sound`` if the recording is open already.
    """
    stop = info.n_samples if stop is None else min(stop, info.n_samples)
    sound = sound or _open_sound(source)
    with sound.file, decoding_errors(source, RuntimeError):
        # Without a seek, libsndfile may deliver what Opus has its decoder skip, and not the end.
        if 0 < start < stop or sound.subtype == "OPUS":
            sound.seek(start)
        while start < stop:
            n_samples = min(max(size // sound.file.channels, 1), stop - start)
            samples = sound.read(n_samples)
            start += len(samples)
            if len(samples) < n_samples:
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {info.n_samples} "
                    f"samples and {start} are there"
                )
            yield samples
