"""Sound files, decoded with libsndfile; containers that it does not know are in `_containers`.

Each has ``inspect_*(source) -> AudioInfo`` and ``decode_*(source, info, start, n_samples)``, which
gives a mono waveform at the recording's own rate; ``*_blocks(source, info)`` gives it bit by bit.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ._stderr import stderr_closed
from .exceptions import AudioError

Source: TypeAlias = "str | os.PathLike[str] | bytes"

# libsndfile clamps the length of a cut file in silence, but its log tells of it.
_CUT_CHUNK = re.compile(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
# Writers that stream do not know the length and leave one of these in its place.
_STREAMED_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFF000}

BLOCK = 65_536  # samples that are decoded at a time where a recording is streamed
_LARGE_BLOCK = 2**24  # and where it is not: no more is taken than there is, whatever is promised

# Times full scale; integers of 32 bits that were written as floats are below it.
_LARGEST = 1e10


class AudioInfo(NamedTuple):
    """What the header of a recording says.

    Attributes
    ----------
    sr : int
        Sampling rate in Hz.
    n_samples : int
        Samples per channel.
    n_channels : int
        Number of channels.
    format : str
        Container and coding, such as ``"WAV/PCM_16"``.
    decoder : str
        What reads it: ``"libsndfile"`` or ``"pyav"``.
    """

    sr: int
    n_samples: int
    n_channels: int
    format: str
    decoder: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sr


def describe(source: Any) -> str:
    """Name of a recording in messages."""
    return f"<{len(source)} bytes>" if isinstance(source, bytes) else os.fspath(source)


class _Content(io.BytesIO):
    """A file in memory that stays where it is if told to go before its beginning, as files do."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with suppress(ValueError, OverflowError):
            super().seek(offset, whence)
        return self.tell()


def _open_sound(source: Source) -> Any:
    import soundfile

    file = _Content(source) if isinstance(source, bytes) else os.fsencode(source)
    try:
        with stderr_closed():  # the MP3 decoder writes there what it thinks of a file
            return soundfile.SoundFile(file)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        if reason.startswith("File does not exist"):  # said of MP3 in which no frame is found
            reason = "no frame of MP3 is found"
        raise AudioError(f"{describe(source)}: is not audio that can be read ({reason})") from error


def inspect_sound(source: Source, *, to_end: bool) -> AudioInfo:
    """What the header says; with ``to_end``, only if what it promises is there."""
    with _open_sound(source) as file:
        info = AudioInfo(
            file.samplerate,
            file.frames,
            file.channels,
            f"{file.format}/{file.subtype}",
            "libsndfile",
        )
        cut = _CUT_CHUNK.search(file.extra_info)
        if cut and int(cut[1]) not in _STREAMED_SIZES and int(cut[2]) < int(cut[1]):
            raise AudioError(
                f"{describe(source)}: is truncated, its header promises {cut[1]} bytes of "
                f"samples and {cut[2]} are there"
            )
        if "Ogg : Junk after the last page" in file.extra_info.replace("Ogg:", "Ogg :"):
            raise AudioError(f"{describe(source)}: is truncated, its last page is incomplete")
        if to_end and info.n_samples > 0:
            if not _has_last_sample(file):
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {info.n_samples} "
                    "samples and the last cannot be read"
                )
            # Only these codings can hold NaN, and reading them is copying.
            if file.subtype in ("FLOAT", "DOUBLE"):
                with _decoding(source):
                    file.seek(0)
                    while len(samples := _read(file, max(BLOCK // file.channels, 1))):
                        check_samples(samples, source)
    return info


def _has_last_sample(file: Any) -> bool:
    import soundfile

    try:
        # libsndfile crashes when it seeks in Vorbis whose codebooks are damaged, and it finds the
        # end only from the beginning.
        if file.subtype == "VORBIS":
            if not len(_read(file, 1)):
                return False
            file.seek(0)
        _seek(file, file.frames - 1)
        return len(_read(file, 1)) > 0
    except (soundfile.SoundFileError, RuntimeError):
        return False


def decode_sound(source: Source, info: AudioInfo, start: int, n_samples: int | None) -> np.ndarray:
    stop = None if n_samples is None else start + n_samples
    parts = list(sound_blocks(source, info, start, stop, size=_LARGE_BLOCK))
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def sound_blocks(
    source: Source, info: AudioInfo, start: int = 0, stop: int | None = None, size: int = BLOCK
) -> Iterator[np.ndarray]:
    stop = info.n_samples if stop is None else min(stop, info.n_samples)
    with _open_sound(source) as file, _decoding(source):
        if 0 < start < stop:  # even to the beginning, seeking takes a tenth of what decoding takes
            _seek(file, start)
        while start < stop:
            wanted = min(max(size // file.channels, 1), stop - start)
            samples = _read(file, wanted)
            start += len(samples)
            if len(samples) < wanted:
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {info.n_samples} "
                    f"samples and {start} are there"
                )
            yield mix_down(samples)


@contextmanager
def _decoding(source: Source) -> Iterator[None]:
    import soundfile

    try:
        yield
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise AudioError(f"{describe(source)}: cannot be decoded ({error})") from error


def _read(file: Any, n_samples: int) -> np.ndarray:
    """As many samples as are there, shape (n_samples, n_channels)."""
    # Into an array of ours: a file that is wrong about its length has soundfile make a bad one.
    samples = np.empty((n_samples, file.channels), np.float32)
    with _quiet(file):
        return file.read(out=samples)


def _seek(file: Any, place: int) -> None:
    with _quiet(file):
        file.seek(place)


def _quiet(file: Any) -> Any:
    is_mpeg = file.format == "MP3" or file.subtype.startswith("MPEG")
    return stderr_closed() if is_mpeg else nullcontext()


def mix_down(samples: np.ndarray) -> np.ndarray:
    if samples.shape[1] == 1:
        return samples[:, 0]
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite then is found later
        return samples.mean(axis=1)


def check_samples(samples: np.ndarray, source: Source) -> None:
    """Raise AudioError for samples that are no numbers, or so large that features are none."""
    lowest, highest = samples.min(), samples.max()
    if lowest >= -_LARGEST and highest <= _LARGEST:
        return
    if np.isfinite([lowest, highest]).all():
        peak = max(-lowest, highest)
        raise AudioError(
            f"{describe(source)}: has samples of up to {peak:.3g}, allowed are {_LARGEST:g} times "
            "full scale"
        )
    raise AudioError(f"{describe(source)}: has samples that are NaN or infinite")
