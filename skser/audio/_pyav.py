"""Containers of video, AAC, WMA and other formats, decoded with PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import AudioError, MissingDependencyError
from ._info import AudioInfo, Source, check_block, decoding_errors, describe, mix_to_mono

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer


_EXTRA = "python -m pip install 'skser[video]'"
_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}
_SIGNATURES = {
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"FLV\x01": "FLV",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "WMA or WMV",
    b"#!AMR": "AMR",
    b".RMF": "RealMedia",
    b"\x00\x00\x01\xba": "MPEG video",
    b"wvpk": "WavPack",
    b"TTA1": "TTA",
    b"MAC ": "Monkey's Audio",
    b"\x0b\x77": "AC-3",
}
# The codings of WAV and of Ogg that libsndfile reads; a file of these that it refuses is damaged.
_SOUND_CODINGS = {0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0011, 0x0031, 0xFFFE}
_OGG_CODINGS = (b"\x01vorbis", b"OpusHead")
# Formats whose header has the length; of others FFmpeg only estimates it, or rounds it.
_EXACT = {"aiff", "caf", "matroska", "mov", "ogg", "tta", "wav", "wv"}


def container_kind(head: bytes) -> str | None:
    """Name of a format that only PyAV reads, by its first bytes; None for others."""
    if head[4:8] in _BOXES:
        return "MP4 or MOV"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "AAC"
    return next((kind for start, kind in _SIGNATURES.items() if head.startswith(start)), None)


def may_be_container(head: bytes, reason: str) -> bool:
    """Whether FFmpeg may know a recording that libsndfile refused; else it is damaged."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        place = head.find(b"fmt ")
        coding = int.from_bytes(head[place + 8 : place + 10], "little")
        return place > 0 and coding not in _SOUND_CODINGS
    if head[:4] == b"OggS":
        return not any(coding in head[:64] for coding in _OGG_CODINGS)
    return "not recognised" in reason or "unsupported" in reason


def _open_container(source: Source, kind: str | None, otherwise: str | None) -> InputContainer:
    try:
        import av
    except ImportError:
        if otherwise is not None:
            raise AudioError(f"{otherwise}; PyAV reads more formats: {_EXTRA}") from None
        raise MissingDependencyError(f"{describe(source)}: {kind} needs PyAV: {_EXTRA}") from None

    file = io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source)
    try:
        container = av.open(
            file,
            "r",
            metadata_errors="replace",  # titles may be in any encoding
            options={"protocol_whitelist": "file"},  # nothing that a file names is downloaded
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(otherwise or f"{describe(source)}: cannot be opened ({error})") from error
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None:
        container.close()
        known = " of a known codec" if streams else ""
        raise AudioError(f"{describe(source)}: has no audio track{known}")
    return container


def inspect_container(
    source: Source, kind: str | None = None, otherwise: str | None = None
) -> AudioInfo:
    """Header of a recording of this kind, or with the error of one that FFmpeg does not know."""
    with _open_container(source, kind, otherwise) as container, _decoding(source):
        stream = container.streams.audio[0]
        sr, n_channels = stream.rate, stream.channels  # decoding may change them
        name = container.format.name.split(",")[0]
        format = f"{name}/{stream.codec_context.name}"
        seconds = _header_seconds(container, stream) if name in _EXACT else 0
        n_samples = round(seconds * sr) or _count_samples(container, sr)
        return AudioInfo(sr, n_samples, n_channels, format, "pyav")


def _header_seconds(container: InputContainer, stream: AudioStream) -> float:
    """Length that the header gives; 0 for a live recording, whose header has none."""
    if stream.duration:
        return float(stream.duration * (stream.time_base or 0))
    return (container.duration or 0) / 1e6


def _count_samples(container: InputContainer, sr: int) -> int:
    return sum(frame.samples for frame in _resampled(container, sr))


def _resampled(container: InputContainer, sr: int) -> Iterator[AudioFrame]:
    """Frames of the first audio track, interleaved, at one rate."""
    import av

    coding = None
    for decoded in container.decode(audio=0):
        check_block(decoded.samples, decoded.rate or sr)
        if coding != (coding := (decoded.format.name, decoded.layout.name, decoded.rate)):
            # Not planar, because PyAV crashes with more than eight planes.
            resampler = av.AudioResampler(format="flt", rate=sr)
        yield from resampler.resample(decoded)


def container_blocks(
    source: Source, info: AudioInfo, start: int, stop: int | None
) -> Iterator[np.ndarray]:
    """Mono blocks, a frame of the container each, from sample ``start`` to ``stop``."""
    n_samples = 0
    with _open_container(source, None, None) as container, _decoding(source):
        for frame in _resampled(container, info.sr):
            block = mix_to_mono(frame.to_ndarray().reshape(-1, frame.layout.nb_channels))
            yield block[max(start - n_samples, 0) : None if stop is None else stop - n_samples]
            n_samples += frame.samples
            if stop is not None and n_samples >= stop:
                return
    if n_samples == 0:
        raise AudioError(f"{describe(source)}: has a header and no samples")


def _decoding(source: Source) -> AbstractContextManager[None]:
    import av

    return decoding_errors(source, av.error.FFmpegError, ValueError)
