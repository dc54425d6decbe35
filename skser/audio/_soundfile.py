"""Sound files (WAV, FLAC, OGG, Opus, MP3, AIFF), decoded with libsndfile."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
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


def _open_sound(source: Source) -> tuple[SoundFile, str]:
    """An open recording, and its container and coding."""
    try:
        file = _open_content(source, _opened(source))
    except UnreadableError:
        closed = None
        with suppress(OSError, ValueError):  # the file is gone or empty
            closed = with_length(content(source))
        if closed is None:
            raise
        file = _open_content(source, closed)
    kind = f"{file.format}/{file.subtype}"
    if kind == "RAW/ULAW":  # by its name, .au or .snd, the first bytes being of no format
        file.close()
        raise UnreadableError(f"{describe(source)}: is not readable audio (Format not recognised)")
    if _is_mpeg(file) or not file.frames:
        repaired = repair(file, source)
        if repaired is not None:
            file.close()
            file = _open_content(source, repaired)
    if _is_mpeg(file) or file.frames >= _UNKNOWN or _is_unseekable(file):
        # soundfile seeks after every read, and the MP3 decoder mutes what follows a seek.
        file.seekable = lambda: False
    return file, kind


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


def inspect_sound(source: Source, *, to_end: bool) -> AudioInfo:
    """Header of a recording; ``to_end`` also checks its last sample."""
    file, kind = _open_sound(source)
    with file:
        is_counted = file.frames >= _UNKNOWN or _is_unseekable(file)
        n_samples = _count_samples(file, source) if is_counted else file.frames
        info = AudioInfo(file.samplerate, n_samples, file.channels, kind, "libsndfile")
        truncated = f"{describe(source)}: is truncated, its"
        cut = _TRUNCATED_CHUNK.search(file.extra_info)
        if cut and int(cut[2]) < int(cut[1]) < STREAMED_SIZE:
            raise AudioError(
                f"{truncated} header promises {cut[1]} bytes of samples and {cut[2]} are there"
            )
        if _TRUNCATED_OGG.search(file.extra_info):
            raise AudioError(f"{truncated} last page is incomplete")
        if to_end and info.n_samples > 0 and not is_counted:
            if not _has_last_sample(file):
                raise AudioError(
                    f"{truncated} header promises {info.n_samples} samples and the last cannot be "
                    "read"
                )
            # Only these encodings can hold NaN, and they are fast to read.
            if file.subtype in ("FLOAT", "DOUBLE"):
                with decoding_errors(source, RuntimeError):
                    file.seek(0)
                    while len(samples := _read(file, max(BLOCK // file.channels, 1))):
                        check_samples(samples, source)
    return info


def _count_samples(file: SoundFile, source: Source) -> int:
    n_samples = 0
    with decoding_errors(source, RuntimeError):
        while n_read := len(_read(file, max(BLOCK // file.channels, 1))):
            n_samples += n_read
    return n_samples


def _has_last_sample(file: SoundFile) -> bool:
    try:
        # libsndfile crashes when it seeks in Vorbis with damaged codebooks, and it finds the end
        # only from the beginning.
        if file.subtype == "VORBIS":
            if not len(_read(file, 1)):
                return False
            file.seek(0)
        _seek(file, file.frames - 1)
        return len(_read(file, 1)) > 0
    except RuntimeError:
        return False


def sound_blocks(
    source: Source, info: AudioInfo, start: int, stop: int | None, size: int
) -> Iterator[np.ndarray]:
    """Blocks (n_samples, n_channels) of up to ``size`` samples, from ``start`` to ``stop``."""
    stop = info.n_samples if stop is None else min(stop, info.n_samples)
    file, _ = _open_sound(source)
    with file, decoding_errors(source, RuntimeError):
        # Without a seek, libsndfile may deliver what Opus has its decoder skip, and not the end.
        if 0 < start < stop or file.subtype == "OPUS":
            _seek(file, start)
        while start < stop:
            n_samples = min(max(size // file.channels, 1), stop - start)
            samples = _read(file, n_samples)
            start += len(samples)
            if len(samples) < n_samples:
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {info.n_samples} "
                    f"samples and {start} are there"
                )
            yield samples


def _read(file: SoundFile, n_samples: int) -> np.ndarray:
    """Up to ``n_samples`` samples, shape (n_samples, n_channels)."""
    # Into our own array: soundfile allocates a wrong one if the header has a wrong length.
    samples = np.empty((n_samples, file.channels), np.float32)
    with _quiet(file):
        samples = file.read(out=samples)
    check_block(len(samples), file.samplerate)
    return samples


def _seek(file: SoundFile, position: int) -> None:
    """Go to a sample of a file of which none has been read."""
    first = 0  # in GSM 6.10 and other codings of telephony there is no seeking
    if _is_mpeg(file):
        first = max(position - _PREROLL, 0)
    elif file.seekable():
        first = position
    if first > 0 or file.subtype == "OPUS":
        with _quiet(file):
            file.seek(first)
    while first < position:
        n_passed = len(_read(file, min(position - first, max(BLOCK // file.channels, 1))))
        if n_passed == 0:
            return
        first += n_passed


def _quiet(file: SoundFile) -> AbstractContextManager[None]:
    return stderr_closed() if _is_mpeg(file) else nullcontext()


def _is_unseekable(file: SoundFile) -> bool:
    """Whether libsndfile cannot seek in a coding, though it says that it can."""
    return file.subtype.startswith(("DWVW", "VOX")) or file.format == "SDS"


def _is_mpeg(file: SoundFile) -> bool:
    return file.format == "MP3" or file.subtype.startswith("MPEG")
