"""Decoding: read_audio and inspect_audio, with libsndfile or, for video and AAC, PyAV."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import chain
from typing import Literal

import numpy as np

from .._utils._files import file_signature
from .._utils._param_validation import NONE, check_value, integer, number
from .._utils._types import Recording
from ..exceptions import (
    AudioError,
    AudioIsADirectoryError,
    AudioNotFoundError,
    AudioPermissionError,
)
from ._channels import CHANNEL, Channel, check_channel, mean_or_channel, mixed_blocks
from ._info import AudioInfo, Source, UnreadableError, check_samples, describe
from ._not_a_path import not_a_path
from ._not_audio import RAW_SAMPLES, is_raw, no_recording
from ._per_file import PerFile
from ._pyav import container_blocks, container_kind, inspect_container, may_be_container
from ._soundfile import BLOCK, LARGE_BLOCK, Sound, inspect_sound, sound_blocks
from ._waveforms import resample

__all__ = ["AudioInfo", "inspect_audio", "read_audio"]

MIN_SR, MAX_SR = 4_000, 192_000

_HEAD = 1024  # bytes that show what a file is


def inspect_audio(source: Recording) -> AudioInfo:
    """Read and check the header of a recording.

    Parameters
    ----------
    source : recording or waveform
        A path, bytes, file-like object, :class:`Segment`, ``(waveform, sr)``, or row of a Hugging
        Face dataset.

    Returns
    -------
    info : AudioInfo
        Sampling rate, length, channels and format. The length is the number of samples that
        :func:`read_audio` decodes. The headers of containers that PyAV reads round it or count
        samples that are not played, so these files are decoded: one hour of AAC takes 5 s.

    Raises
    ------
    AudioError
        The recording is empty, truncated, of an unknown format or no audio, or its sampling rate
        is outside [4000, 192000] Hz.
    DataError
        ``source`` is no recording, or a waveform without a sampling rate.
    AudioNotFoundError, AudioIsADirectoryError, AudioPermissionError
        The path cannot be opened; these derive from AudioError and from the built-in error.
    MissingDependencyError
        The recording is a video, AAC or WMA and PyAV is not installed.

    Examples
    --------
    >>> import io, numpy as np, soundfile
    >>> from skser import inspect_audio
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(8000), 16000, format="WAV")
    >>> inspect_audio(file.getvalue())
    AudioInfo(sr=16000, n_samples=8000, n_channels=1, format='WAV/PCM_16', decoder='libsndfile')
    """
    if not isinstance(source, (str, os.PathLike, bytes)):
        from ._any_form import inspect_any  # which imports this module

        return inspect_any(source)
    return _inspect(source, to_end=True, count=True)[0]


def _inspect(source: Source, *, to_end: bool, count: bool) -> tuple[AudioInfo, Sound | None]:
    """Header of a recording, and the recording itself if it is still open.

    ``count`` decodes a container, whose header has no exact length.
    """
    head, sound = _first_bytes(source), None
    kind = container_kind(head)
    if kind is not None:
        info = inspect_container(source, kind, count=count)
    else:
        try:
            info, sound = inspect_sound(source, to_end=to_end)
        except UnreadableError as error:
            info = _inspect_other(source, head, error, count=count)
    is_counted = count or info.decoder == "libsndfile"
    if info.n_channels < 1 or (is_counted and info.n_samples < 1):
        raise AudioError(f"{describe(source)}: has a header and no samples")
    if not MIN_SR <= info.sr <= MAX_SR:
        raise AudioError(
            f"{describe(source)}: sampling rate is {info.sr} Hz, allowed are {MIN_SR} to {MAX_SR}"
        )
    return info, sound


def _inspect_other(
    source: Source, head: bytes, error: UnreadableError, *, count: bool
) -> AudioInfo:
    """Header of a recording that libsndfile cannot read, or the reason why it is none."""
    reason = no_recording(head)
    if reason is not None:
        raise AudioError(f"{describe(source)}: {reason}") from None
    if is_raw(source):
        raise AudioError(f"{error}; {RAW_SAMPLES}") from error
    if not may_be_container(head, str(error)):
        raise AudioError(str(error)) from error
    return inspect_container(source, otherwise=str(error), count=count)


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
    info, sound = _inspect(source, to_end=offset > 0 or duration is not None, count=False)
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


def _first_bytes(source: Source) -> bytes:
    """First bytes of a recording, or the error of a path that cannot be opened."""
    name = describe(source)
    if isinstance(source, bytes):
        head = source[:_HEAD]
    else:
        try:
            mode = os.stat(source).st_mode  # opening a named pipe would wait for its writer
            if stat.S_ISDIR(mode):
                raise AudioIsADirectoryError(f"{name}: is a directory, not a recording")
            if not stat.S_ISREG(mode):
                raise AudioError(f"{name}: is not a regular file")
            with open(source, "rb") as file:
                head = file.read(_HEAD)
        except AudioError:
            raise
        except FileNotFoundError as error:
            reason = not_a_path(os.fspath(source)) or "does not exist"
            raise AudioNotFoundError(f"{name}: {reason}") from error
        except PermissionError as error:
            raise AudioPermissionError(f"{name}: may not be read (permission denied)") from error
        except (OSError, ValueError) as error:
            # Base64 is too long for a name. Without the path, which an OSError repeats.
            what = not_a_path(os.fspath(source))
            reason = what or f"cannot be opened ({getattr(error, 'strerror', None) or error})"
            raise AudioError(f"{name}: {reason}") from error
    if not head:
        raise AudioError(f"{name}: is empty (0 bytes)")
    return head
