"""Channels: one of a recording, or their mean where they do not cancel."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import numpy as np

from .._utils._param_validation import integer, one_of
from ..exceptions import AudioError, AudioWarning

Channel: TypeAlias = "int | Literal['mean']"
CHANNEL = (one_of("mean"), integer(0))

_MEASURED_SECONDS = 60
_PIECE = 2**16  # samples
FIRST_SOUND = 1e-3  # of full scale, -60 dB
# Of the power that the mean of unrelated channels has: 15 dB below either channel of stereo, since
# lossy codings leave opposite channels 20 dB or so.
_CANCELLED = 0.06


def check_channel(name: str, n_channels: int, channel: Channel) -> None:
    """Raise AudioError for a channel that a recording does not have."""
    if channel == "mean" or channel < n_channels:
        return
    numbers = "0" if n_channels == 1 else f"an integer in [0, {n_channels - 1}]"
    raise AudioError(
        f"{name}: has {n_channels} channel{'s' if n_channels > 1 else ''}, so channel must be "
        f"'mean' or {numbers}, got {channel}"
    )


def mix_to_mono(samples: np.ndarray, channel: Channel = "mean") -> np.ndarray:
    """One channel, or the mean, of samples of shape (n_samples, n_channels)."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    if channel != "mean":
        return np.ascontiguousarray(samples[:, channel])
    with np.errstate(over="ignore", invalid="ignore"):  # `check_samples` finds infinite sums
        return samples.mean(axis=1)


def mixed_blocks(blocks: Iterable[np.ndarray], channel: Channel, name: str) -> Iterator[np.ndarray]:
    """Mono blocks; the number of channels of a container may change within it."""
    for block in blocks:
        check_channel(name, block.shape[1], channel)
        yield mix_to_mono(block, channel)


def mixed_waveform(samples: np.ndarray, channel: Channel, name: str) -> np.ndarray:
    """A waveform of shape (n_samples,) of one with channels, or of one without."""
    check_channel(name, 1 if samples.ndim == 1 else samples.shape[1], channel)
    if samples.ndim == 1:
        return samples
    if channel == "mean":
        channel = mean_or_channel([samples], name)
    return mix_to_mono(samples, channel)


def mean_or_channel(blocks: Iterable[np.ndarray], name: str, sr: int | None = None) -> Channel:
    """What "mean" reads: a channel, with a warning, where channels cancel in their mean.

    Decided in the minute after the first sound, or without a rate in the whole.
    """
    n_left = None if sr is None else _MEASURED_SECONDS * sr
    power_of_mean = 0.0
    powers: np.ndarray | None = None  # of the channels
    for piece in _pieces(blocks):
        if powers is None:
            is_loud = np.abs(piece).max(axis=1, initial=0.0) > FIRST_SOUND
            if not is_loud.any():
                continue
            piece = piece[is_loud.argmax() :]
            powers = np.zeros(piece.shape[1])
        if piece.shape[1] != len(powers):
            return "mean"  # a container whose channels change
        piece = piece[:n_left]
        with np.errstate(over="ignore", invalid="ignore"):  # `check_samples` finds NaN
            power_of_mean += float(np.square(mix_to_mono(piece)).sum(dtype=np.float64))
            powers += np.square(piece).sum(axis=0, dtype=np.float64)
        if n_left is not None and (n_left := n_left - len(piece)) <= 0:
            break
    if powers is None or not power_of_mean < _CANCELLED * powers.sum() / len(powers) ** 2:
        return "mean"
    # The first that is loud: two that cancel are alike.
    loudest = int(np.argmax(powers >= powers.max() / 2))
    warnings.warn(
        f"{name}: its channels cancel in their mean, so channel {loudest} is read instead; "
        f"channel={loudest} reads it without this warning",
        AudioWarning,
        stacklevel=1,  # one place in the code, so that Python shows it once for a recording
    )
    return loudest


def _pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Blocks in pieces that need little memory."""
    for block in blocks:
        for start in range(0, len(block), _PIECE):
            yield block[start : start + _PIECE]
