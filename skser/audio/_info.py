"""Shared by all decoders: AudioInfo and the check of samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, TypeAlias

import numpy as np

from ..exceptions import AudioError

Source: TypeAlias = "str | os.PathLike[str] | bytes"

_MAX_NAME = 200  # characters of a path in messages; base64 has millions
_check: ContextVar[Callable[[float], None] | None] = ContextVar("check", default=None)
_MAX_SAMPLE = 1e10  # times full scale; 32-bit integers written as floats are below it


class UnreadableError(AudioError):
    """libsndfile cannot read a recording; another library may."""


class AudioInfo(NamedTuple):
    """Header of a recording.

    Parameters
    ----------
    sr : int
        Sampling rate in Hz.
    n_samples : int
        Samples per channel.
    n_channels : int
        Number of channels.
    format : str
        Container and coding, such as ``"WAV/PCM_16"``; ``"waveform"`` for one in memory.
    decoder : str
        Library that decodes it: ``"libsndfile"`` or ``"pyav"``; ``"none"`` for a waveform.
    """

    sr: int
    n_samples: int
    n_channels: int
    format: str
    decoder: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sr


def describe(source: Source) -> str:
    """Name of a recording in messages."""
    if isinstance(source, bytes):
        return f"<{len(source)} bytes>"
    path = os.fspath(source)
    return path if len(path) <= _MAX_NAME else f"{path[:95]} ... {path[-95:]}"


@contextmanager
def decoding_errors(source: Source, *kinds: type[Exception]) -> Iterator[None]:
    """Turn a library's errors into an AudioError that names the recording."""
    try:
        yield
    except AudioError:
        raise
    except kinds as error:
        raise AudioError(f"{describe(source)}: cannot be decoded ({error})") from error


@contextmanager
def checking(check: Callable[[float], None]) -> Iterator[None]:
    """Call a function with the seconds of each block that this thread decodes; it may raise."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def check_block(n_samples: int, sr: int) -> None:
    """Call the function of `checking` for a decoded block."""
    if check := _check.get():
        check(n_samples / sr)


def check_samples(samples: np.ndarray, source: Source) -> None:
    """Raise AudioError for samples that are NaN, infinite, or too large for finite features."""
    lowest, highest = samples.min(), samples.max()
    if lowest >= -_MAX_SAMPLE and highest <= _MAX_SAMPLE:
        return
    if np.isfinite([lowest, highest]).all():
        raise AudioError(
            f"{describe(source)}: has samples of up to {max(-lowest, highest):.3g}, allowed are "
            f"{_MAX_SAMPLE:g} times full scale"
        )
    raise AudioError(f"{describe(source)}: has samples that are NaN or infinite")
