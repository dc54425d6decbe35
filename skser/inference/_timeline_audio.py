"""The recording of a timeline: its channels as streams of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from .._utils._segment import Segment
from .._utils._types import Recording
from ..audio import inspect_audio
from ..audio._any_form import one_recording
from ..audio._channels import Channel, check_channel, mixed_waveform
from ..audio._decoding import channel_to_read, decode_audio
from ..audio._info import AudioInfo, Source, describe
from ..audio._recordings import inspect_recording
from ..audio._sampled import Waveform
from ..audio._streaming import slices, stream_audio

Stream: TypeAlias = Callable[[], Iterator[np.ndarray]]


class LongRecording(NamedTuple):
    """A recording by its name; ``open`` returns what streams a channel, as often as needed."""

    name: str
    n_channels: int
    open: Callable[[Channel], Stream]

    @classmethod
    def of(cls, audio: Recording, sr: int) -> LongRecording:
        """A single recording, to be read at a sampling rate."""
        source = one_recording(audio, "audio")
        if isinstance(source, np.ndarray):
            source = Waveform(source, sr)
        if isinstance(source, Waveform):
            n_channels = 1 if source.samples.ndim == 1 else source.samples.shape[1]
            return cls("waveform", n_channels, partial(_waveform, source, sr))
        if isinstance(source, Segment):
            n_channels = inspect_recording(source).info.n_channels
            return cls(str(source), n_channels, partial(_segment, source, sr))
        info = inspect_audio(source)
        return cls(describe(source), info.n_channels, partial(_file, source, info, sr))


def _waveform(waveform: Waveform, sr: int, channel: Channel) -> Stream:
    mono = replace(waveform, samples=mixed_waveform(waveform.samples, channel, "waveform"))
    return partial(slices, mono.at(sr))


def _segment(segment: Segment, sr: int, channel: Channel) -> Stream:
    part = inspect_recording(segment, channel=channel)
    offset, duration = part.within(0.0, None)
    waveform, _ = decode_audio(
        part.source, part.info, sr, offset=offset, duration=duration, channel=channel
    )
    return partial(slices, waveform)


def _file(source: Source, info: AudioInfo, sr: int, channel: Channel) -> Stream:
    check_channel(describe(source), info.n_channels, channel)
    return partial(stream_audio, source, info, sr, channel_to_read(source, info, channel))
