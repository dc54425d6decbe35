"""Decoding: read_audio, with libsndfile or, for video and AAC, PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import chain
from typing import Literal

import numpy as np

from .._utils._files import file_signature
from .._utils._param_validation import NONE, check_value, integer, number
from .._utils._types import Recording
from ..exceptions import AudioError
from ._channels import CHANNEL, Channel, check_channel, mean_or_channel, mixed_blocks
from ._info import AudioInfo, Source, check_samples, describe
from ._inspection import MAX_SR, MIN_SR, inspect_audio, inspect_header
from ._per_file import PerFile
from ._pyav import container_blocks
from ._soundfile import BLOCK, LARGE_BLOCK, Sound, sound_blocks
from ._waveforms import resample

__all__ = ["read_audio"]


def read_audio(
    source: Recording,
    sr: int | None = 16000,
    *,
    offset: float = 0.0,
    duration: float | None = None,
    channel: int | Literal["mean"] = "mean",
) -> tuple[np.ndarray, int]:
    """Decode a recording to a mono waveform.

    Channels are averaged, then the waveform is resampled with soxr (HQ), as `librosa.load` does.
    Of several audio tracks, the first is read. Where channels cancel in their mean, one of them is
    read, with a warning.

    Parameters
    ----------
    source : recording or waveform
        A path, bytes, file-like object, :class:`Segment`, ``(waveform, sr)``, row of a Hugging Face
        dataset, or waveform at ``sr``.
    sr : int or None, default=16000
        Sampling rate of the waveform in Hz, in [4000, 192000]; None keeps the recording's own.
    offset : float, default=0.0
        Start in seconds.
    duration : float or None, default=None
        Maximum length in seconds; None reads to the end.
    channel : "mean" or int, default="mean"
        Read the mean of the channels, or one of them, counted from 0.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        The waveform; full scale is 1.
    sr : int
        Its sampling rate in Hz.

    Raises
    ------
    AudioError
        As for :func:`inspect_audio`; also if the samples are damaged, NaN, infinite or beyond 1e10,
        if ``offset`` is at or past the end, or if there is no such ``channel``.
    DataError
        ``source`` is no recording.
    MissingDependencyError
        The recording is a video, AAC or WMA and PyAV is not installed.
    ParameterError
        ``sr``, ``offset``, ``duration`` or ``channel`` has a value that is not allowed.

    See Also
    --------
    skser.AudioLoader : Decode many recordings, as a step of a pipeline.

    Notes
    -----
    Stereo channels cancel if their mean is 15 dB below their own level. The minute after the first
    sound above -60 dB of full scale decides for a whole file, so that all of its parts are read
    alike; of a waveform, all of it decides.

    Examples
    --------
    >>> import io, numpy as np, soundfile
    >>> from skser import read_audio
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros((24000, 2)), 24000, format="FLAC")
    >>> waveform, sr = read_audio(file.getvalue(), sr=16000, duration=0.5)
    >>> waveform.shape, sr
    ((8000,), 16000)
    """
    check_value("sr", sr, integer(MIN_SR, MAX_SR), NONE)
    check_value("offset", offset, number(0))
    check_value("duration", duration, number(0, open_low=True), NONE)
    check_value("channel", channel, *CHANNEL)
    if not isinstance(source, (str, os.PathLike, bytes)):
        from ._any_form import read_any

        return read_any(source, sr, offset=offset, duration=duration, channel=channel)
    # Decoding to the end detects truncation by itself.
    info, sound = inspect_header(source, to_end=offset > 0 or duration is not None, count=False)
    with nullcontext() if sound is None else sound.file:
        check_channel(describe(source), info.n_channels, channel)
        return decode_audio(
            source, info, sr, offset=offset, duration=duration, channel=channel, sound=sound
        )


def decode_audio(
    source: Source,
    info: AudioInfo,
    sr: int | None,
    *,
    offset: float,
    duration: float | None,
    channel: Channel = "mean",
    sound: Sound | None = None,
) -> tuple[np.ndarray, int]:
    """Decode a recording whose header has been checked, and which may be open as ``sound``."""
    start = int(offset * info.sr)
    stop = None if duration is None else start + int(duration * info.sr)
    is_whole = start == 0 and (stop is None or stop >= info.n_samples > 0)
    if not is_whole:
        channel = channel_to_read(source, info, channel)
    try:
        decoded = _decoded_blocks(source, info, start, stop, LARGE_BLOCK, sound)
        if is_whole and channel == "mean" and info.n_channels > 1:
            measured: list[np.ndarray] = []
            channel = mean_or_channel(_kept(decoded, measured), describe(source), info.sr)
            decoded = chain(measured, decoded)
        blocks = list(mixed_blocks(decoded, channel, describe(source)))
    except AudioError:
        inspect_audio(source)  # the recording may have changed: its error is better
        raise
    waveform = blocks[0] if len(blocks) == 1 else np.concatenate([np.empty(0, "f4"), *blocks])
    if len(waveform) == 0:
        raise AudioError(f"{describe(source)}: offset={offset:g} s is at or past the end")
    check_samples(waveform, source)
    if sr is None or sr == info.sr:
        return waveform, info.sr
    return resample(waveform, info.sr, sr), sr


def channel_to_read(source: Source, info: AudioInfo, channel: Channel) -> Channel:
    """What a channel, or "mean", stands for in a recording whole and in each part of it."""
    if channel != "mean" or info.n_channels == 1:
        return channel
    if isinstance(source, bytes):
        return _measured_channel(source, info)
    return _channel_of_file(os.fspath(source), file_signature(source), info)


def _measured_channel(source: Source, info: AudioInfo) -> Channel:
    return mean_or_channel(_until_damage(source, info), describe(source), info.sr)


_channel_of_file = PerFile(_measured_channel)


def _until_damage(source: Source, info: AudioInfo) -> Iterator[np.ndarray]:
    with suppress(AudioError):  # the part that is read may be without
        yield from _decoded_blocks(source, info)


def _kept(blocks: Iterator[np.ndarray], kept: list[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        kept.append(block)
        yield block


def audio_blocks(
    source: Source, info: AudioInfo, channel: Channel, start: int = 0, stop: int | None = None
) -> Iterator[np.ndarray]:
    """Mono blocks at the own sampling rate, from ``start`` to ``stop``, of a channel or the mean.

    Of ``channel`` as `channel_to_read` returns it.
    """
    return mixed_blocks(_decoded_blocks(source, info, start, stop), channel, describe(source))


def _decoded_blocks(
    source: Source,
    info: AudioInfo,
    start: int = 0,
    stop: int | None = None,
    size: int = BLOCK,
    sound: Sound | None = None,
) -> Iterator[np.ndarray]:
    """Blocks (n_samples, n_channels) at the own sampling rate, from ``start`` to ``stop``."""
    if info.decoder == "libsndfile":
        return sound_blocks(source, info, start, stop, size, sound)
    return container_blocks(source, info, start, stop)
