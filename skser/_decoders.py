"""The two decoders: libsndfile for sound files, PyAV for containers that it does not know.

Each has ``inspect_*(source) -> AudioInfo`` and ``decode_*(source, info, start, n_samples)``, which
gives a mono waveform at the recording's own rate.
"""

from __future__ import annotations

import io
import os
import re
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .exceptions import AudioError, MissingDependencyError

Source: TypeAlias = "str | os.PathLike[str] | bytes"

# libsndfile clamps the length of a cut file in silence, but its log tells of it.
_CUT_CHUNK = re.compile(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
# Writers that stream do not know the length and leave one of these in its place.
_STREAMED_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFF000}


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


# --- libsndfile -----------------------------------------------------------------------------


def _open_sound(source: Source) -> Any:
    import soundfile

    file = io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source)
    try:
        return soundfile.SoundFile(file)
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise AudioError(f"{describe(source)}: is not audio that can be read ({reason})") from error


def inspect_sound(source: Source, *, to_end: bool) -> AudioInfo:
    """What the header says; with ``to_end``, only if what it promises is there."""
    import soundfile

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
        if to_end and info.n_samples:
            try:
                file.seek(info.n_samples - 1)
                last = len(file.read(1))
            except (soundfile.SoundFileError, RuntimeError):
                last = 0
            if last == 0:
                raise AudioError(
                    f"{describe(source)}: is truncated, its header promises {info.n_samples} "
                    "samples and the last cannot be read"
                )
        # Only these codings can hold NaN, and reading them is copying.
        if to_end and file.subtype in ("FLOAT", "DOUBLE"):
            file.seek(0)
            if not all(np.isfinite(block).all() for block in file.blocks(65536, dtype="float32")):
                raise AudioError(f"{describe(source)}: has samples that are NaN or infinite")
    return info


def decode_sound(source: Source, info: AudioInfo, start: int, n_samples: int | None) -> np.ndarray:
    import soundfile

    start = min(start, info.n_samples)
    wanted = info.n_samples - start
    wanted = wanted if n_samples is None else min(n_samples, wanted)
    with _open_sound(source) as file:
        try:
            if start:  # even to the beginning, seeking takes a tenth of what decoding takes
                file.seek(start)
            samples = file.read(wanted, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError(f"{describe(source)}: cannot be decoded ({error})") from error
    if len(samples) < wanted:
        raise AudioError(
            f"{describe(source)}: is truncated, its header promises {info.n_samples} samples and "
            f"{start + len(samples)} are there"
        )
    return samples[:, 0] if info.n_channels == 1 else samples.mean(axis=1)


# --- PyAV -----------------------------------------------------------------------------------


def _open_container(source: Source) -> Any:
    try:
        import av
    except ImportError:
        raise MissingDependencyError(
            f"{describe(source)}: video and AAC are read with PyAV, which is not installed; "
            "python -m pip install 'skser[video]' does it"
        ) from None

    file = io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source)
    try:
        container = av.open(file)
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{describe(source)}: cannot be opened ({error})") from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{describe(source)}: has no audio track")
    return container


def inspect_container(source: Source) -> AudioInfo:
    with _open_container(source) as container:
        stream = container.streams.audio[0]
        if stream.duration:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / 1e6
        else:  # a live recording's header: the end of its last packet tells
            ends = [
                packet.pts + packet.duration
                for packet in container.demux(stream)
                if packet.pts is not None and packet.duration is not None
            ]
            seconds = float(max(ends, default=0) * stream.time_base)
        kind = f"{container.format.name.split(',')[0]}/{stream.codec_context.name}"
        return AudioInfo(stream.rate, round(seconds * stream.rate), stream.channels, kind, "pyav")


def decode_container(
    source: Source, info: AudioInfo, start: int, n_samples: int | None
) -> np.ndarray:
    import av

    stop = None if n_samples is None else start + n_samples
    parts: list[np.ndarray] = []
    total = 0
    with _open_container(source) as container:
        resampler = av.AudioResampler(format="fltp", rate=info.sr)
        try:
            for decoded in container.decode(audio=0):
                for frame in resampler.resample(decoded):
                    parts.append(frame.to_ndarray().mean(axis=0))
                    total += len(parts[-1])
                if stop is not None and total >= stop:
                    break
        except av.error.FFmpegError as error:
            raise AudioError(f"{describe(source)}: cannot be decoded ({error})") from error
    waveform = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return waveform[start:stop].astype(np.float32, copy=False)
