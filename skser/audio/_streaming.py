"""Long recordings in bounded memory: blocks of a waveform, excerpts, and levels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from ..exceptions import AudioError
from ._channels import Channel
from ._decoding import audio_blocks
from ._info import AudioInfo, Source, check_samples
from ._soundfile import BLOCK
from ._waveforms import fix_length

FRAME_SECONDS = 0.02  # of `frame_levels`
_MIN_POWER = 1e-12  # -120 dB, the level of digital silence


def stream_audio(
    source: Source, info: AudioInfo, sr: int, channel: Channel = "mean"
) -> Iterator[np.ndarray]:
    """The waveform of `read_audio` in blocks, for a recording with a checked header.

    Of ``channel`` as `channel_to_read` returns it.
    """
    decoded = checked(joined(audio_blocks(source, info, channel)), source)
    yield from decoded if sr == info.sr else resampled(decoded, info.sr, sr)


def slices(waveform: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks of a waveform in memory."""
    return (waveform[start : start + BLOCK] for start in range(0, len(waveform), BLOCK))


class Buffer:
    """The last samples of a stream, by their position in it."""

    def __init__(self) -> None:
        self._held, self._first = np.empty(0, np.float32), 0

    def __len__(self) -> int:
        """Number of samples of the stream so far."""
        return self._first + len(self._held)

    def push(self, block: np.ndarray, keep_from: int) -> None:
        """Add a block, and drop the samples before a position."""
        n_passed = min(max(keep_from - self._first, 0), len(self._held))
        self._held = np.concatenate([self._held[n_passed:], block])
        self._first += n_passed

    def cut(self, start: int, stop: int) -> np.ndarray:
        """Samples from ``start`` to ``stop``."""
        return self._held[start - self._first : stop - self._first].copy()


class Excerpts:
    """Cuts excerpts out of a stream, in ascending order."""

    def __init__(self, blocks: Iterable[np.ndarray], name: str) -> None:
        self._remaining = iter(blocks)
        self._buffer = Buffer()
        self._name = name

    def cut(self, spans: Iterable[tuple[int, int]]) -> Iterator[np.ndarray]:
        """Samples of ascending ``spans``, pairs (start, stop)."""
        for start, stop in spans:
            while len(self._buffer) < stop:
                block = next(self._remaining, None)
                if block is None:
                    raise AudioError(f"{self._name}: has become shorter since it was first read")
                self._buffer.push(block, keep_from=start)
            yield self._buffer.cut(start, stop)


class FrameLevels:
    """Levels in dB of frames of 20 ms of a stream."""

    def __init__(self, sr: int) -> None:
        self._length = round(FRAME_SECONDS * sr)
        self._rest = np.empty(0, np.float32)

    def push(self, block: np.ndarray) -> np.ndarray:
        """Levels of the frames that the next samples complete."""
        samples = np.concatenate([self._rest, block])
        n_framed = len(samples) // self._length * self._length
        self._rest = samples[n_framed:]
        return _levels(samples[:n_framed].reshape(-1, self._length))

    def finish(self) -> np.ndarray:
        """Level of the last frame if it is shorter."""
        return _levels(self._rest[np.newaxis]) if len(self._rest) else np.empty(0, np.float32)


def frame_levels(blocks: Iterable[np.ndarray], sr: int) -> tuple[np.ndarray, int]:
    """Levels of frames of 20 ms in dB, about their mean, and the number of samples.

    The last frame may be shorter.
    """
    frames, n_samples = FrameLevels(sr), 0
    levels: list[np.ndarray] = []
    for block in blocks:
        n_samples += len(block)
        levels.append(frames.push(block))
    return np.concatenate([*levels, frames.finish()]), n_samples


def level(block: np.ndarray) -> float:
    """Level of a block in dB of full scale."""
    return float(_levels(block[np.newaxis])[0])


def _levels(frames: np.ndarray) -> np.ndarray:
    power = frames.var(axis=1)  # a constant is no sound
    return 10 * np.log10(np.maximum(power, np.float32(_MIN_POWER)))


def joined(parts: Iterable[np.ndarray], size: int = BLOCK) -> Iterator[np.ndarray]:
    """Blocks of at least ``size`` samples; those of a container have some 20 ms."""
    held: list[np.ndarray] = []
    n_held = 0
    for part in parts:
        held.append(part)
        n_held += len(part)
        if n_held >= size:
            yield np.concatenate(held)
            held, n_held = [], 0
    if held:
        yield np.concatenate(held)


def checked(blocks: Iterable[np.ndarray], source: Source) -> Iterator[np.ndarray]:
    """Blocks, or AudioError for samples that are no numbers or too large."""
    for block in blocks:
        check_samples(block, source)
        yield block


def resampled(blocks: Iterable[np.ndarray], sr: int, to_sr: int) -> Iterator[np.ndarray]:
    """Resample like `resample`, to the same number of samples."""
    import soxr

    resampler = soxr.ResampleStream(sr, to_sr, 1, quality="HQ")
    n_in = n_out = 0
    for block in blocks:
        n_in += len(block)
        part = resampler.resample_chunk(block)
        n_out += len(part)
        yield part
    rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)
    yield fix_length(rest, math.ceil(n_in * to_sr / sr) - n_out)
