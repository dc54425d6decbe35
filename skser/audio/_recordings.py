"""Recordings that AudioLoader reads later: their checked headers, and errors."""

from __future__ import annotations

import math
import os
from collections import Counter
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np

from .._utils._files import file_signature
from .._utils._segment import Segment
from ..exceptions import AudioError
from ._channels import Channel, check_channel
from ._info import AudioInfo, describe
from ._inspection import inspect_audio
from ._per_file import PerFile
from ._sampled import Waveform

_MAX_LISTED = 10
_ROUNDING = 0.1  # seconds that the end of a segment may be past that of its recording


class Recording(NamedTuple):
    """A file by its signature, or the content of a file, with its checked header, or a part."""

    path: str | None
    size: int
    mtime_ns: int
    content: bytes | None
    info: AudioInfo
    start: float = 0.0  # in seconds, as the end
    end: float | None = None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return min(self.info.duration, self.end or math.inf) - self.start

    def within(self, offset: float, duration: float | None) -> tuple[float, float | None]:
        """``offset`` and ``duration`` in the file of those in the part."""
        if self.end is not None:
            rest = round(self.end - self.start - offset, 9)  # 0.3 - 0.2 is less than 0.1
            duration = rest if duration is None else min(duration, rest)
        return self.start + offset, duration

    @property
    def source(self) -> str | bytes:
        """Path or content."""
        return self.path or self.content or b""


ClipSource: TypeAlias = Recording | Waveform | np.ndarray | None  # None for silence
AnyRecording: TypeAlias = str | bytes | np.ndarray | Waveform | Segment

header_of = PerFile(inspect_audio)


def inspect_recording(
    source: str | bytes | Segment,
    offset: float = 0.0,
    max_duration: float | None = None,
    channel: Channel = "mean",
) -> Recording:
    """Check the header, the length and the channel of a recording."""
    if isinstance(source, Segment):
        return _inspect_segment(source, offset, max_duration, channel)
    if isinstance(source, bytes):
        recording = Recording(None, len(source), 0, source, inspect_audio(source))
    else:
        try:
            signature = file_signature(source)
        except (OSError, ValueError):
            inspect_audio(source)  # its AudioError gives the reason
            raise
        recording = Recording(*signature, None, header_of(source, signature))
    info = recording.info
    check_channel(describe(source), info.n_channels, channel)
    check_length(describe(source), info.n_samples, info.sr, offset, max_duration)
    return recording


def _inspect_segment(
    segment: Segment, offset: float, max_duration: float | None, channel: Channel
) -> Recording:
    whole = inspect_recording(os.fspath(segment.path), channel=channel)
    length, sr = whole.info.duration, whole.info.sr
    if max(segment.start + 1 / sr, (segment.end or 0.0) - _ROUNDING) > length:
        raise AudioError(f"{segment}: is not within the recording, which is {length:.2f} s long")
    part = whole._replace(start=segment.start, end=segment.end)
    check_length(str(segment), round(part.duration * sr), sr, offset, max_duration)
    return part


def check_length(
    name: str, n_samples: int, sr: int, offset: float = 0.0, max_duration: float | None = None
) -> None:
    """Raise AudioError for a recording too long, or too short for ``offset``."""
    duration = n_samples / sr
    if max_duration is not None and duration > max_duration:
        raise AudioError(
            f"{name}: is {duration:.1f} s long, allowed is max_duration={max_duration:g} s"
        )
    if int(offset * sr) >= n_samples:
        raise AudioError(
            f"{name}: is {duration:.2f} s long, so nothing is left from offset={offset:g} s"
        )


def combine_errors(errors: list[AudioError], n_recordings: int) -> AudioError:
    """A single error for several recordings, of their class if they share it."""
    if len(errors) == 1:
        return errors[0]
    kinds = {type(error) for error in errors}
    lines = [f"{len(errors)} of {n_recordings} recordings that cannot be used:"]
    reasons = Counter(map(str, errors))  # the segments of a recording may have the same
    for reason, n_times in islice(reasons.items(), _MAX_LISTED):
        lines.append(f"  {reason}" + (f" ({n_times} times)" if n_times > 1 else ""))
    if len(reasons) > _MAX_LISTED:
        n_more = len(reasons) - _MAX_LISTED
        lines.append(f"  ... and {n_more} more; skser.datasets.check_audio lists all")
    kind = kinds.pop() if len(kinds) == 1 else AudioError
    return kind("\n".join(lines))
