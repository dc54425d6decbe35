"""Containers that libsndfile does not know, decoded with PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ._decoders import AudioInfo, Source, describe, mix_down
from .exceptions import AudioError, MissingDependencyError


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
        container = av.open(file, metadata_errors="replace")  # titles may be in any encoding
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{describe(source)}: cannot be opened ({error})") from error
    problem = None
    if not container.streams.audio:
        problem = "has no audio track"
    elif container.streams.audio[0].codec_context is None:
        problem = "has an audio track whose coding is not known"
    if problem is not None:
        container.close()
        raise AudioError(f"{describe(source)}: {problem}")
    return container


def inspect_container(source: Source) -> AudioInfo:
    with _open_container(source) as container, _decoding(source):
        stream = container.streams.audio[0]
        seconds = _seconds(container, stream)
        kind = f"{container.format.name.split(',')[0]}/{stream.codec_context.name}"
        return AudioInfo(stream.rate, round(seconds * stream.rate), stream.channels, kind, "pyav")


def _seconds(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / 1e6
    ends = [  # a live recording's header: the end of its last packet tells
        packet.pts + packet.duration
        for packet in container.demux(stream)
        if packet.pts is not None and packet.duration is not None
    ]
    return float(max(ends, default=0) * stream.time_base)


def decode_container(
    source: Source, info: AudioInfo, start: int, n_samples: int | None
) -> np.ndarray:
    stop = None if n_samples is None else start + n_samples
    parts: list[np.ndarray] = []
    total = 0
    for part in container_blocks(source, info):
        parts.append(part)
        total += len(part)
        if stop is not None and total >= stop:
            break
    waveform = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return waveform[start:stop]


def container_blocks(source: Source, info: AudioInfo) -> Iterator[np.ndarray]:
    import av

    n_samples, coding = 0, None
    with _open_container(source) as container, _decoding(source):
        for decoded in container.decode(audio=0):
            if coding != (coding := (decoded.format.name, decoded.layout.name, decoded.rate)):
                # Not planar: PyAV crashes when it is asked for more than eight planes.
                resampler = av.AudioResampler(format="flt", rate=info.sr)
            for frame in resampler.resample(decoded):
                n_samples += frame.samples
                yield mix_down(frame.to_ndarray().reshape(-1, frame.layout.nb_channels))
    if n_samples == 0:
        raise AudioError(f"{describe(source)}: has a header and no samples")


@contextmanager
def _decoding(source: Source) -> Iterator[None]:
    import av

    try:
        yield
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{describe(source)}: cannot be decoded ({error})") from error
