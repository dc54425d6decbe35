"""Containers of video and AAC, decoded with PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import AudioError, MissingDependencyError
from ._info import AudioInfo, Source, decoding_errors, describe, mix_to_mono

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer


def _open_container(source: Source) -> InputContainer:
    try:
        import av
    except ImportError:
        raise MissingDependencyError(
            f"{describe(source)}: video and AAC need PyAV: python -m pip install 'skser[video]'"
        ) from None

    file = io.BytesIO(source) if isinstance(source, bytes) else os.fspath(source)
    try:
        container = av.open(file, "r", metadata_errors="replace")  # titles may be in any encoding
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{describe(source)}: cannot be opened ({error})") from error
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None:
        container.close()
        known = " of a known codec" if streams else ""
        raise AudioError(f"{describe(source)}: has no audio track{known}")
    return container


def inspect_container(source: Source) -> AudioInfo:
    """Header of a recording."""
    with _open_container(source) as container, _decoding(source):
        stream = container.streams.audio[0]
        seconds = _seconds(container, stream)
        kind = f"{container.format.name.split(',')[0]}/{stream.codec_context.name}"
        return AudioInfo(stream.rate, round(seconds * stream.rate), stream.channels, kind, "pyav")


def _seconds(container: InputContainer, stream: AudioStream) -> float:
    tick = stream.time_base or 0
    if stream.duration:
        return float(stream.duration * tick)
    if container.duration:
        return container.duration / 1e6
    ends = [  # the header of a live recording has no duration
        packet.pts + packet.duration
        for packet in container.demux(stream)
        if packet.pts is not None and packet.duration is not None
    ]
    return float(max(ends, default=0) * tick)


def container_blocks(
    source: Source, info: AudioInfo, start: int, stop: int | None
) -> Iterator[np.ndarray]:
    """Mono blocks, a frame of the container each, from sample ``start`` to ``stop``."""
    import av

    n_samples, coding = 0, None
    with _open_container(source) as container, _decoding(source):
        for decoded in container.decode(audio=0):
            if coding != (coding := (decoded.format.name, decoded.layout.name, decoded.rate)):
                # Not planar, because PyAV crashes with more than eight planes.
                resampler = av.AudioResampler(format="flt", rate=info.sr)
            for frame in resampler.resample(decoded):
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
