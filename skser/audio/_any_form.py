"""One recording in any form: a waveform, a row of a dataset, an open file, or a part of a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._utils._segment import Segment
from ..exceptions import AudioError, DataError, naming
from ._channels import Channel, mixed_waveform
from ._decoding import decode_audio, read_audio
from ._forms import as_recording
from ._info import AudioInfo
from ._inspection import inspect_audio
from ._recordings import AnyRecording, check_length, inspect_recording
from ._sampled import Waveform, rate_and_array, warn_of_integers


def one_recording(source: object, name: str = "source") -> AnyRecording:
    """The recording, read if it is an open file, or DataError."""
    if isinstance(source, (list, tuple)) and rate_and_array(source) is None:
        raise DataError(f"{name} must be a single recording, got {source!r:.80}")
    with naming(name):
        recording = as_recording(source, 0)
    samples = recording.samples if isinstance(recording, Waveform) else recording
    if isinstance(samples, np.ndarray):
        warn_of_integers([samples], name, stacklevel=4)
    return recording


def inspect_any(source: object) -> AudioInfo:
    """`inspect_audio` of any form."""
    recording = one_recording(source)
    if isinstance(recording, Segment):
        part = inspect_recording(recording)
        return part.info._replace(n_samples=round(part.duration * part.info.sr))
    if isinstance(recording, Waveform):
        n_samples, n_channels = (*recording.samples.shape, 1)[:2]
        return AudioInfo(recording.sr, n_samples, n_channels, "waveform", "none")
    if isinstance(recording, np.ndarray):
        raise DataError("source must have a sampling rate, got a waveform: give (waveform, sr)")
    return inspect_audio(recording)


def read_any(
    source: object,
    sr: int | None,
    *,
    offset: float,
    duration: float | None,
    channel: Channel,
) -> tuple[np.ndarray, int]:
    """`read_audio` of any form; a waveform without a rate is at ``sr``."""
    recording = one_recording(source)
    if isinstance(recording, (str, bytes)):
        return read_audio(recording, sr, offset=offset, duration=duration, channel=channel)
    if isinstance(recording, Segment):
        part = inspect_recording(recording, offset, channel=channel)
        offset, duration = part.within(offset, duration)
        return decode_audio(
            part.source, part.info, sr, offset=offset, duration=duration, channel=channel
        )
    if isinstance(recording, np.ndarray):
        if sr is None:
            raise DataError("sr must be the rate of the waveform, got None: give (waveform, sr)")
        recording = Waveform(recording, sr)
    check_length("waveform", len(recording.samples), recording.sr, offset)
    if duration is not None and int(duration * recording.sr) < 1:
        raise AudioError(f"waveform: nothing is left of duration={duration:g} s")
    to_sr = recording.sr if sr is None else sr
    recording = replace(recording, samples=mixed_waveform(recording.samples, channel, "waveform"))
    return recording.at(to_sr, offset=offset, duration=duration), to_sr
