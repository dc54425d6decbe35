"""Containers that are decoded while their bytes come, as of a recording that is being made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ..exceptions import AudioError, MissingDependencyError
from ._info import decoding_errors, describe
from ._pyav import any_titles, decoded_frames

# Of a MediaRecorder. None of them has the address of another file.
_FORMATS = {"matroska": "WebM or Matroska", "ogg": "Ogg", "mov": "MP4"}
_OPTIONS = {
    "format_whitelist": ",".join([*_FORMATS, "webm", "mp4"]),
    "protocol_whitelist": "none",
    # The first samples do not wait for megabytes.
    "probesize": str(2**15),
    "analyzeduration": "500000",  # microseconds
}
_NAME = b""  # of the recording in messages, as `describe` takes it


class Readable(Protocol):
    """A file that waits for bytes and gives those that are there, none at the end."""

    def read(self, size: int, /) -> bytes: ...


def arriving_container(file: Readable) -> tuple[int, Iterator[np.ndarray]]:
    """The rate of a container and its blocks (n_samples, n_channels), a frame each.

    They are those of `container_blocks` for the whole file.
    """
    try:
        import av
    except ImportError:
        needs = "containers need PyAV: python -m pip install 'skser[serve]'"
        raise MissingDependencyError(needs) from None
    name = describe(_NAME)
    try:
        container = av.open(file, "r", options=_OPTIONS, **any_titles())
    except (av.error.FFmpegError, ValueError) as error:
        raise AudioError(f"{name}: is no {', '.join(_FORMATS.values())} stream") from error
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None or not streams[0].rate:
        container.close()
        raise AudioError(f"{name}: has no audio track{' of a known codec' if streams else ''}")
    sr = streams[0].rate

    def blocks() -> Iterator[np.ndarray]:
        with container, decoding_errors(_NAME, av.error.FFmpegError, ValueError):
            for _, samples in decoded_frames(container, sr):
                yield samples

    return sr, blocks()
