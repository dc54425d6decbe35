"""Containers of video, AAC, WMA and other formats, decoded with PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .._utils._files import file_signature
from ..exceptions import AudioError, MissingDependencyError
from ._info import AudioInfo, Source, check_block, decoding_errors, describe
from ._mp4_boxes import check_promised_size
from ._mpeg import Spliced
from ._repair import content
from ._seeking import PREROLLS, Decoded, Landmarks, find_landmarks, first_landmark, segment_from

if TYPE_CHECKING:
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
_EXACT = {"tta", "wv"}  # formats whose header has the number of samples
_GUESSED = {
    "aptx",
    "aptx_hd",
    "g726",
    "g726le",
}  # as of raw PCM, FFmpeg goes by the name of the file
_FAR_SECONDS = 60.0  # what is nearer to the beginning is quickly decoded from there


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
    if head.startswith(b"Creative Voice File"):  # libsndfile reads only some
        return True
    return any(word in reason for word in ("not recognised", "unsupported", "unimplemented"))


def any_titles() -> dict[str, Any]:
    """Arguments of ``av.open`` for titles in any encoding, which PyAV 19 and newer always reads."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def _open_container(source: Source, kind: str | None, otherwise: str | None) -> InputContainer:
    try:
        import av
    except ImportError:
        if otherwise is not None:
            raise AudioError(f"{otherwise}; PyAV reads more formats: {_EXTRA}") from None
        raise MissingDependencyError(f"{describe(source)}: {kind} needs PyAV: {_EXTRA}") from None

    try:
        container = av.open(
            _address(source),
            "r",
            options={"protocol_whitelist": "file"},  # nothing that a file names is downloaded
            **any_titles(),
        )
    except (av.error.FFmpegError, ValueError) as error:
        check_promised_size(source)  # MP4 may have its index behind the samples
        reason = getattr(error, "strerror", None) or error
        raise AudioError(otherwise or f"{describe(source)}: cannot be opened ({reason})") from error
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None:
        container.close()
        known = " of a known codec" if streams else ""
        raise AudioError(f"{describe(source)}: has no audio track{known}")
    return container


def _address(source: Source) -> str | io.IOBase:
    """What PyAV opens."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    path = os.fspath(source)
    try:
        path.encode()
    except UnicodeEncodeError:
        return Spliced([content(source)])  # PyAV encodes names as UTF-8
    return f"file:{path}"  # without it, "call 10:30.m4a" would have the protocol "call 10"


def inspect_container(
    source: Source, kind: str | None = None, otherwise: str | None = None, *, count: bool = True
) -> AudioInfo:
    """Header of a recording of this kind, or with the error of one that FFmpeg does not know.

    Without ``count``, the length is that of the header, 0 if it has none.
    """
    with _open_container(source, kind, otherwise) as container, _decoding(source):
        check_promised_size(source)
        stream = container.streams.audio[0]
        sr, n_channels = stream.rate, stream.channels  # decoding may change them
        name = container.format.name.split(",")[0]
        n_promised = round(_header_seconds(container, stream) * sr)
        if name in _GUESSED or stream.codec_context.name == f"pcm_{name}":
            raise AudioError(otherwise or f"{describe(source)}: has no header")
        info = AudioInfo(sr, n_promised, n_channels, f"{name}/{stream.codec_context.name}", "pyav")
    if not count:
        return info
    n_samples = _landmarks(source, sr).n_samples
    if name in _EXACT and n_samples < n_promised:
        raise AudioError(
            f"{describe(source)}: is truncated, its header promises {n_promised} samples and "
            f"{n_samples} are there"
        )
    return info._replace(n_samples=n_samples)


def _header_seconds(container: InputContainer, stream: AudioStream) -> float:
    """Length that the header gives; 0 for a live recording, whose header has none."""
    if stream.duration:
        return float(stream.duration * (stream.time_base or 0))
    return (container.duration or 0) / 1e6


def _landmarks(source: Source, sr: int) -> Landmarks:
    if isinstance(source, bytes):
        return _count(source, sr)
    path, size, mtime_ns = file_signature(source)
    return _landmarks_of_file(path, size, mtime_ns, sr)


@lru_cache(maxsize=1024)
def _landmarks_of_file(path: str, size: int, mtime_ns: int, sr: int) -> Landmarks:
    """Landmarks of a file, found again only when it changes."""
    return _count(path, sr)


def _count(source: Source, sr: int) -> Landmarks:
    with _open_container(source, None, None) as container, _decoding(source):
        return find_landmarks(decoded_frames(container, sr), sr)


def decoded_frames(container: InputContainer, sr: int, start: int = 0) -> Iterator[Decoded]:
    """Frames of the first audio track at one rate; what is before ``start`` may be left empty."""
    import av

    coding, n_samples = None, 0
    for frame in container.decode(audio=0):
        check_block(frame.samples, frame.rate or sr)
        if coding != (coding := (frame.format.name, frame.layout.name, frame.rate)):
            # Not planar, because PyAV crashes with more than eight planes.
            resampler = av.AudioResampler(format="flt", rate=sr)
            is_as_wanted = frame.rate == sr
            is_float = is_as_wanted and frame.layout.nb_channels <= 8 and coding[0] == "fltp"
        if is_as_wanted and n_samples + frame.samples <= start:
            shape = (frame.samples, frame.layout.nb_channels)
            yield Decoded(frame.pts, np.broadcast_to(np.float32(0), shape))
        elif is_float:
            yield Decoded(frame.pts, frame.to_ndarray().T)
        else:
            for part in resampler.resample(frame):
                samples = part.to_ndarray().reshape(-1, part.layout.nb_channels)
                yield Decoded(frame.pts if is_as_wanted else None, samples)
        n_samples += frame.samples


def container_blocks(
    source: Source, info: AudioInfo, start: int, stop: int | None
) -> Iterator[np.ndarray]:
    """Blocks (n_samples, n_channels), a frame each, from sample ``start`` to ``stop``."""
    segment = _far_segment(source, info.sr, start, stop)
    if segment is not None:
        yield segment
        return
    n_samples = 0
    with _open_container(source, None, None) as container, _decoding(source):
        for _, block in decoded_frames(container, info.sr, start):
            yield block[max(start - n_samples, 0) : None if stop is None else stop - n_samples]
            n_samples += len(block)
            if stop is not None and n_samples >= stop:
                return
    if n_samples == 0:
        raise AudioError(f"{describe(source)}: has a header and no samples")


def _far_segment(source: Source, sr: int, start: int, stop: int | None) -> np.ndarray | None:
    """Samples far from the beginning of a file; None for others, or if they are not exact."""
    if isinstance(source, bytes) or start < _FAR_SECONDS * sr:
        return None
    import av

    landmarks = _landmarks(source, sr)
    if start >= landmarks.n_samples:
        return np.empty((0, 1), np.float32)
    for preroll in PREROLLS:
        number = first_landmark(landmarks, start, preroll)
        if number is None:
            return None
        with _open_container(source, None, None) as container, suppress(av.error.FFmpegError):
            container.seek(landmarks.pts[number], stream=container.streams.audio[0])
            frames = decoded_frames(container, sr)
            segment = segment_from(frames, landmarks, number, start, stop)
            if segment is not None:
                return segment
    return None


def _decoding(source: Source) -> AbstractContextManager[None]:
    import av

    return decoding_errors(source, av.error.FFmpegError, ValueError)
