"""Microphones: samples of an input device as they come, through PortAudio."""

from __future__ import annotations

import queue
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .._utils._stderr import stderr_closed
from ..exceptions import AudioError, AudioWarning, MissingDependencyError, ParameterError
from ._channels import FIRST_SOUND, Channel, check_channel, mean_or_channel, mix_to_mono
from ._streaming import slices

_BLOCK_SECONDS = 0.1
_QUEUE_SECONDS = 20  # of audio that waits for a machine that is too slow at times
_STALLED_SECONDS = 5  # without a block
_MUTED_SECONDS = 5  # of zeros
_MEASURED_SECONDS = 1  # of sound that decides whether channels cancel


class InputDevice(NamedTuple):
    """An input device of PortAudio, with the name of its host API, and its rate in Hz."""

    number: int
    name: str
    n_channels: int
    sr: int
    is_default: bool


def input_devices() -> list[InputDevice]:
    """All devices that record; AudioError if there are none."""
    sounddevice = _sounddevice()
    with stderr_closed():  # ALSA writes to it
        try:
            default = sounddevice.query_devices(kind="input")["index"]
        except (sounddevice.PortAudioError, ValueError):
            default = None
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        found = [info for info in sounddevice.query_devices() if info["max_input_channels"] > 0]
    if not found:
        raise AudioError("no microphone: PortAudio finds no input device; connect one")
    return [
        InputDevice(
            info["index"],
            f"{info['name']}, {apis[info['hostapi']]}",
            info["max_input_channels"],
            round(info["default_samplerate"]),
            info["index"] == default,
        )
        for info in found
    ]


def find_device(given: str | None) -> InputDevice:
    """The device with a number, or a part of whose name is given; the default one for None."""
    devices = input_devices()
    if given is None:
        matches = [device for device in devices if device.is_default]
    elif given.isdecimal():
        matches = [device for device in devices if device.number == int(given)]
    else:
        part = given.casefold()
        matches = [device for device in devices if part in device.name.casefold()]
        whole = [d for d in matches if part in (d.name.casefold(), _own_name(d).casefold())]
        matches = whole if len(whole) == 1 else matches
    if len(matches) == 1:
        return matches[0]
    if given is None:
        problem = "must be named where none is the default"
    elif matches:
        problem = f"must name one input device, got {given!r}"
    else:
        problem = f"must be the number or a part of the name of an input device, got {given!r}"
    known = "; ".join(f"{device.number} {device.name}" for device in matches or devices)
    raise ParameterError(f"device {problem}: {known}")


class Microphone:
    """Records from a device into a bounded queue, from which `blocks` takes.

    Entering it raises AudioError for a device that cannot be opened.

    Parameters
    ----------
    device : InputDevice
        The device.
    channel : int or "mean", default="mean"
        Channel, counted from 0, or the mean of the first two.
    too_slow : str
        What helps if blocks are not taken as fast as they come.
    """

    def __init__(self, device: InputDevice, channel: Channel = "mean", *, too_slow: str) -> None:
        check_channel(device.name, device.n_channels, channel)
        self._device, self._channel, self._too_slow = device, channel, too_slow
        n_blocks = round(_QUEUE_SECONDS / _BLOCK_SECONDS)
        self._stream: Any = None
        self._queue: queue.Queue[tuple[int, np.ndarray]] = queue.Queue(n_blocks)
        self._n_dropped = 0  # samples since the last block in the queue
        self._overflows = self._has_warned = False
        self._n_zeros: int | None = 0  # None after the first sound
        self._measured: list[np.ndarray] | None = [] if channel == "mean" else None

    def __enter__(self) -> Microphone:
        wanted = min(2, self._device.n_channels) if self._channel == "mean" else self._channel + 1
        try:
            self._stream = self._open(wanted)
        except AudioError:
            if wanted == self._device.n_channels:
                raise
            self._stream = self._open(self._device.n_channels)  # some give all channels or none
        return self

    def _open(self, n_channels: int) -> Any:
        device, sounddevice = self._device, _sounddevice()
        try:
            with stderr_closed():
                stream = sounddevice.InputStream(
                    samplerate=device.sr,
                    blocksize=round(_BLOCK_SECONDS * device.sr),
                    device=device.number,
                    channels=n_channels,
                    dtype="float32",
                    callback=self._take,
                )
                stream.start()
        except sounddevice.PortAudioError as error:
            reason = " ".join(str(error).split())
            raise AudioError(
                f"{device.name}: cannot be opened ({reason}); another program may be recording "
                "from it, or this one may not be allowed to"
            ) from None
        return stream

    def __exit__(self, *exception: object) -> None:
        with stderr_closed():
            self._stream.close()

    def blocks(self, is_over: Callable[[], bool]) -> Iterator[np.ndarray]:
        """Mono blocks at the device's rate until it is over.

        Dropped samples are zeros, so that times stay right. Raises AudioError if the device stops.
        """
        last = time.monotonic()
        while not is_over():
            try:
                n_dropped, samples = self._queue.get(timeout=_BLOCK_SECONDS)
            except queue.Empty:
                if not self._stream.active or time.monotonic() - last > _STALLED_SECONDS:
                    raise AudioError(
                        f"{self._device.name}: has stopped recording; is it still connected?"
                    ) from None
                continue
            last = time.monotonic()
            yield from self._mono(n_dropped, samples)
        self._stream.stop()
        while not self._queue.empty():
            yield from self._mono(*self._queue.get())

    def _take(self, samples: np.ndarray, n_samples: int, _: object, status: Any) -> None:
        """Called by PortAudio in a thread of its own, with an array that it uses again."""
        self._overflows |= bool(status.input_overflow)
        try:
            self._queue.put_nowait((self._n_dropped, samples.copy()))
            self._n_dropped = 0
        except queue.Full:
            self._n_dropped += n_samples

    def _mono(self, n_dropped: int, samples: np.ndarray) -> Iterator[np.ndarray]:
        if n_dropped or self._overflows:
            self._warn_of_loss()
        self._warn_of_zeros(samples)
        self._measure(samples)
        yield from slices(np.zeros(n_dropped, np.float32))
        yield mix_to_mono(samples, self._channel)

    def _measure(self, samples: np.ndarray) -> None:
        """Read one channel, with a warning, if the first sounds cancel in the mean."""
        if self._measured is None or not np.abs(samples).max(initial=0.0) > FIRST_SOUND:
            return
        self._measured.append(samples)
        if sum(map(len, self._measured)) >= _MEASURED_SECONDS * self._device.sr:
            self._channel = mean_or_channel(self._measured, self._device.name)
            self._measured = None

    def _warn_of_zeros(self, samples: np.ndarray) -> None:
        if self._n_zeros is None:
            return
        self._n_zeros = None if samples.any() else self._n_zeros + len(samples)
        if self._n_zeros is not None and self._n_zeros >= _MUTED_SECONDS * self._device.sr:
            self._n_zeros = None
            warnings.warn(
                f"{self._device.name}: only zeros so far; is it muted, or may this program not "
                "use it?",
                AudioWarning,
                stacklevel=1,
            )

    def _warn_of_loss(self) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        warnings.warn(
            f"{self._device.name}: audio was lost, because this machine is too slow; "
            f"{self._too_slow}",
            AudioWarning,
            stacklevel=1,
        )


def _own_name(device: InputDevice) -> str:
    """Its name without that of the host API."""
    return device.name.rpartition(", ")[0]


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise MissingDependencyError(
            "a microphone needs sounddevice: python -m pip install 'skser[live]'"
        ) from None
    except OSError as error:  # the wheels for Linux have no PortAudio
        install = "apt install libportaudio2" if sys.platform == "linux" else "install PortAudio"
        raise MissingDependencyError(
            f"a microphone needs the library PortAudio: {install} ({error})"
        ) from None
    return sounddevice
