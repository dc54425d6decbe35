"""Silence: recordings without a sound, which no emotion fits.

The one definition: about its mean, the root mean square of every 20 ms is at most one step of 16
bits, -90 dB of full scale. So constants are silent, and digital silence with dither, half a step.
The quietest speech that 16 bits can hold is not.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import AudioWarning, SkserError
from ._channels import Channel, mixed_waveform
from ._clip_reader import ClipReader
from ._decoding import audio_blocks, channel_to_read
from ._info import describe
from ._per_file import PerFile
from ._recordings import AnyRecording, inspect_recording
from ._sampled import Waveform
from ._streaming import FRAME_SECONDS, slices

if TYPE_CHECKING:
    from ._loader import AudioLoader

SILENT = "is silent or constant"
_MAX_DEVIATION = 2.0**-15
_EDGE_FRAMES = 2  # at either end, where a constant rings when it is resampled or coded
_MAX_NAMED = 3
_MAX_NAME = 50  # characters


def is_silent(blocks: Iterable[np.ndarray], sr: int) -> bool:
    """Whether a waveform is silent or constant; its blocks are read up to the first sound."""
    length = round(FRAME_SECONDS * sr)
    edge = _EDGE_FRAMES * length
    held, is_inside = np.empty(0, np.float32), False
    for block in blocks:
        held = np.concatenate([held, block])
        if not is_inside and len(held) > 3 * edge:
            held, is_inside = held[edge:], True
        if is_inside:
            n_framed = max(0, len(held) - edge) // length * length
            if not _is_still(held[:n_framed], length):
                return False
            held = held[n_framed:]
    return is_inside or _is_still(held, length)  # of a short one the ends count too


def _is_still(waveform: np.ndarray, length: int) -> bool:
    """Whether all whole frames are silent, or a waveform shorter than one."""
    n_frames = len(waveform) // length
    frames = waveform[: n_frames * length].reshape(-1, length) if n_frames else waveform[np.newaxis]
    return frames.size == 0 or bool((frames.std(axis=1) <= _MAX_DEVIATION).all())


def is_silent_recording(
    recording: AnyRecording,
    sr: int = 16000,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    max_duration: float | None = None,
    channel: Channel = "mean",
) -> bool:
    """Whether a part of a recording is silent, decoded up to its first sound.

    ``sr`` is the rate of a waveform without one.
    """
    if isinstance(recording, Waveform):
        sr, recording = recording.sr, recording.samples
    if isinstance(recording, np.ndarray):
        start = int(offset * sr)
        stop = None if duration is None else start + int(duration * sr)
        waveform = mixed_waveform(recording, channel, "waveform")[start:stop]
        return is_silent(slices(waveform), sr)
    source = inspect_recording(recording, offset, max_duration, channel)
    info = source.info
    offset, duration = source.within(offset, duration)
    start = int(offset * info.sr)
    stop = None if duration is None else start + int(duration * info.sr)
    channel = channel_to_read(source.source, info, channel)
    blocks = audio_blocks(source.source, info, channel, start, stop)
    with closing(blocks):  # type: ignore[type-var]
        return is_silent(blocks, info.sr)


def warn_of_silence(
    recordings: Sequence[AnyRecording] | np.ndarray, loader: AudioLoader | None, stacklevel: int
) -> None:
    """Warn of recordings silent in the channel of a loader, which finds the unusable ones."""
    channel = "mean" if loader is None else ClipReader.of(loader).channel
    silent = []
    PerFile.make_room(len(recordings))
    for i, recording in enumerate(recordings):
        with suppress(SkserError):
            if is_silent_recording(recording, channel=channel):
                silent.append(_name(recording, i))
    if not silent:
        return
    names = ", ".join(silent[:_MAX_NAMED]) + (", ..." if len(silent) > _MAX_NAMED else "")
    what = "recording is" if len(recordings) == 1 else "recordings are"
    warnings.warn(
        f"{len(silent)} of {len(recordings)} {what} silent or constant, and fit no label: {names}; "
        "skser.datasets.check_audio lists all",
        AudioWarning,
        stacklevel=stacklevel + 1,
    )


def _name(recording: AnyRecording, number: int) -> str:
    if isinstance(recording, (bytes, np.ndarray, Waveform)):
        return f"recording {number}"
    name = describe(str(recording))
    return name if len(name) <= _MAX_NAME else f"...{name[3 - _MAX_NAME :]}"
