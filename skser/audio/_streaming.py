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
    decoded = _checked(_joined(audio_blocks(source, info, channel)), source)
    yield from decoded if sr == info.sr else _resampled(decoded, info.sr, sr)


def slices(waveform: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks of a waveform in memory."""
    return (waveform[start : start + BLOCK] for start in range(0, len(waveform), BLOCK))


def excerpts(
    blocks: Iterable[np.ndarray], spans: Iterable[tuple[int, int]], name: str
) -> Iterator[np.ndarray]:
    """Cut ascending ``spans``, pairs (start, stop) in samples, out of a stream."""
    remaining = iter(blocks)
    held, first = np.empty(0, np.float32), 0  # `first` is the position of `held` in the recording
    for start, stop in spans:
        while first + len(held) < stop:
            block = next(remaining, None)
            if block is None:
                raise AudioError(f"{name}: has become shorter since it was first read")
            n_passed = min(max(start - first, 0), len(held))
            held, first = np.concatenate([held[n_passed:], block]), first + n_passed
        yield held[start - first : stop - first].copy()


def frame_levels(blocks: Iterable[np.ndarray], sr: int) -> tuple[np.ndarray, int]:
    """Levels of frames of 20 ms in dB, about their mean, and the number of samples.

    The last frame may be shorter.
    """
    length = round(FRAME_SECONDS * sr)
    levels: list[np.ndarray] = []
    rest, n_samples = np.empty(0, np.float32), 0
    for block in blocks:
        n_samples += len(block)
        samples = np.concatenate([rest, block])
        n_framed = len(samples) // length * length
        levels.append(_levels(samples[:n_framed].reshape(-1, length)))
        rest = samples[n_framed:]
    if len(rest):
        levels.append(_levels(rest[np.newaxis]))
    return np.concatenate(levels) if levels else np.empty(0, np.float32), n_samples


def _levels(frames: np.ndarray) -> np.ndarray:
    power = frames.var(axis=1)  # a constant is no sound
    return 10 * np.log10(np.maximum(power, np.float32(_MIN_POWER)))


def _joined(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Blocks of at least `BLOCK` samples; those of a container have some 20 ms."""
    held: list[np.ndarray] = []
    n_held = 0
    for part in parts:
        held.append(part)
        n_held += len(part)
        if n_held >= BLOCK:
            yield np.concatenate(held)
            held, n_held = [], 0
    if held:
        yield np.concatenate(held)


def _checked(blocks: Iterable[np.ndarray], source: Source) -> Iterator[np.ndarray]:
    for block in blocks:
        check_samples(block, source)
        yield block


def _resampled(blocks: Iterable[np.ndarray], sr: int, to_sr: int) -> Iterator[np.ndarray]:
    """Resample like `resample`, to the same number of samples."""
    import soxr

    resampler = soxr.ResampleStream(sr, to_sr, 1, quality="HQ")
    n_in = n_out = 0
    for block in blocks:
        n_in += len(block)
        resampled = resampler.resample_chunk(block)
        n_out += len(resampled)
        yield resampled
    rest = resampler.resample_chunk(np.empty(0, np.float32), last=True)
    yield fix_length(rest, math.ceil(n_in * to_sr / sr) - n_out)
