"""Inspection: inspect_audio, the header of a recording, by libsndfile or PyAV."""

from __future__ import annotations

import os
import stat

from .._utils._types import Recording
from ..exceptions import (
    AudioError,
    AudioIsADirectoryError,
    AudioNotFoundError,
    AudioPermissionError,
)
from ._info import AudioInfo, Source, UnreadableError, describe
from ._not_a_path import not_a_path
from ._not_audio import RAW_SAMPLES, is_raw, no_recording
from ._pyav import container_kind, inspect_container, may_be_container
from ._soundfile import Sound, inspect_sound

__all__ = ["inspect_audio"]

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
    return inspect_header(source, to_end=True, count=True)[0]


def inspect_header(source: Source, *, to_end: bool, count: bool) -> tuple[AudioInfo, Sound | None]:
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
