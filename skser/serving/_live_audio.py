"""Audio of a live session: messages of a client as blocks of a waveform, while they come."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import numpy as np

from ..audio._arriving import arriving_container
from ..audio._channels import Channel, mixed_blocks
from ..audio._info import check_block
from ..audio._inspection import MAX_SR, MIN_SR
from ..audio._streaming import checked, joined, resampled
from ..exceptions import AudioError

_MOST_HELD = 2**20  # bytes that wait; then the client waits
_PIECE_SECONDS = 0.5  # of PCM at once, so that a thread soon sees that nobody waits
_BLOCK_SECONDS = 0.1  # of waveform at least, since each block has a cost


class Feed:
    """Bytes from the event loop to a thread, which reads them as a file that grows."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._changed = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self.is_ended = False
        self.is_cancelled = False

    async def put(self, part: bytes) -> None:
        """Add bytes, when there is room for them; after the end they are dropped."""
        while len(self._held) >= _MOST_HELD and not self.is_ended:
            self._room.clear()
            await self._room.wait()
        if not self.is_ended:
            with self._changed:
                self._held += part
                self._changed.notify()

    def end(self, *, cancel: bool = False) -> None:
        """Nothing more comes; with ``cancel``, nobody waits for what was held either."""
        with self._changed:
            self.is_ended = True
            self.is_cancelled = self.is_cancelled or cancel
            self._changed.notify()
        self._room.set()

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, as soon as there are any; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self.is_ended)
            # PyAV reads here, and passes no exception on.
            part = b"" if self.is_cancelled else bytes(self._held[:size])
            del self._held[: len(part)]
        if part:
            self._loop.call_soon_threadsafe(self._room.set)
        return part

    def wait(self) -> bool:
        """Wait for the first bytes; False if there are none."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self.is_ended)
            return bool(self._held)


def pcm_blocks(
    feed: Feed, to_sr: int, channel: Channel, *, sr: int, n_channels: int
) -> Iterator[np.ndarray]:
    """Mono waveform at ``to_sr`` of samples of 16 bits, little-endian and interleaved."""
    return _blocks(_pcm(feed, sr, n_channels), sr, to_sr, channel)


def container_blocks(feed: Feed, to_sr: int, channel: Channel) -> Iterator[np.ndarray]:
    """Mono waveform at ``to_sr`` of a container such as WebM."""
    if feed.wait():
        sr, blocks = arriving_container(feed)
        if not MIN_SR <= sr <= MAX_SR:
            raise AudioError(f"sampling rate is {sr} Hz, allowed are {MIN_SR} to {MAX_SR}")
        yield from _blocks(blocks, sr, to_sr, channel)


def _blocks(
    samples: Iterator[np.ndarray], sr: int, to_sr: int, channel: Channel
) -> Iterator[np.ndarray]:
    mono = mixed_blocks((block for block in samples if len(block)), channel, "the audio")
    decoded = checked(joined(mono, round(_BLOCK_SECONDS * sr)), b"")
    return decoded if sr == to_sr else resampled(decoded, sr, to_sr)


def _pcm(feed: Feed, sr: int, n_channels: int) -> Iterator[np.ndarray]:
    width = 2 * n_channels
    size = round(_PIECE_SECONDS * sr) * width
    rest = b""  # a message may end within a sample; the last one is then dropped
    while part := feed.read(size):
        content = rest + part
        n_whole = len(content) // width * width
        rest = content[n_whole:]
        samples = np.frombuffer(content[:n_whole], "<i2").reshape(-1, n_channels)
        check_block(len(samples), sr)
        yield samples.astype(np.float32) / np.float32(2**15)
