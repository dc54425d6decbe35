"""Waveforms with a sampling rate, in the forms in which other libraries return them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..exceptions import DataError, SkserWarning
from ._inspection import MAX_SR, MIN_SR
from ._waveforms import resample

MAX_CHANNELS = 8
_ARRAY_KEYS = ("array", "raw")  # of rows of `datasets`, and of inputs of pipelines of transformers
_TAKEN = "array and sampling_rate, or path and bytes"
# Peaks of floats that are integers: of 8, 16, 24 and 32 bits.
_FULL_SCALES = {8: 2**8, 16: 2**15, 24: 2**23, 32: 2**31}
_FAR_BEYOND = 100.0  # times full scale
_BEYOND = 4.0  # for whole numbers


@dataclass(frozen=True, eq=False, repr=False)
class Waveform:
    """A waveform (n_samples,) or (n_samples, n_channels), float32, and its sampling rate in Hz."""

    samples: np.ndarray
    sr: int

    @property
    def nbytes(self) -> int:
        """Size of the samples."""
        return self.samples.nbytes

    def __bytes__(self) -> bytes:
        return self.samples.tobytes()

    def __repr__(self) -> str:
        return f"<waveform of {len(self.samples) / self.sr:.2f} s at {self.sr} Hz>"

    def at(self, sr: int, *, offset: float = 0.0, duration: float | None = None) -> np.ndarray:
        """The waveform at another rate, cropped as `read_audio` crops a file."""
        start = int(offset * self.sr)
        stop = None if duration is None else start + int(duration * self.sr)
        part = self.samples[start:stop]
        return part if sr == self.sr else resample(part, self.sr, sr)


def rate_and_array(item: object) -> tuple[object, object] | None:
    """The rate and the array of a pair in either order, or None if it is no such pair."""
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        return None
    for rate, array in (item, item[::-1]):
        if _is_number(rate) and _is_array(array):
            return rate, array
    return None


def has_rate(item: object) -> bool:
    """Whether it is a waveform with a rate in one of its forms, or a row of `datasets`."""
    is_one = isinstance(item, (Waveform, Mapping)) or is_decoder(item)
    return is_one or rate_and_array(item) is not None


def check_rate(rate: object, name: str) -> int:
    """A sampling rate in Hz, or DataError."""
    if _is_number(rate):
        number = float(rate)  # type: ignore[arg-type]
        if number.is_integer() and MIN_SR <= number <= MAX_SR:
            return int(number)
    raise DataError(
        f"{name}: its sampling rate must be an integer in [{MIN_SR}, {MAX_SR}] Hz, got {rate!r:.80}"
    )


def is_decoder(item: object) -> bool:
    """Whether it is an AudioDecoder of torchcodec, as in rows of `datasets`, or its samples."""
    return hasattr(item, "get_all_samples") or (
        hasattr(item, "sample_rate") and hasattr(item, "data")
    )


def decoded(item: Any) -> tuple[object, object]:
    """The rate and the samples of a decoder."""
    samples = item.get_all_samples() if hasattr(item, "get_all_samples") else item
    return samples.sample_rate, samples.data


def opened_row(row: Mapping[str, Any], name: str) -> object:
    """The recording in a row of `datasets`: a path, bytes or a pair of rate and array."""
    for key in _ARRAY_KEYS:
        if row.get(key) is not None:
            if row.get("sampling_rate") is None:
                raise DataError(f"{name} has {key} and must have sampling_rate, got {keys_of(row)}")
            return row["sampling_rate"], row[key]
    for key in ("bytes", "audio", "path"):
        if row.get(key) is not None:
            return row[key]
    raise DataError(f"{name} is a dict and must have {_TAKEN}, got {keys_of(row)}")


def as_array(item: Any) -> np.ndarray:
    """An array of any library; a tensor of torch may be on a GPU and have a gradient."""
    if hasattr(item, "detach") and hasattr(item, "cpu"):
        item = item.detach().cpu()
        try:
            return item.numpy()  # type: ignore[no-any-return]
        except TypeError:  # bfloat16, which numpy lacks
            return item.float().numpy()  # type: ignore[no-any-return]
    return np.asarray(item)


def channels_last(samples: np.ndarray) -> np.ndarray:
    """Shape (n_samples, n_channels), the axis of at most 8, or (n_samples,); others as they are."""
    if samples.ndim != 2 or not samples.size:
        return samples
    channels = int(np.argmin(samples.shape))
    n_channels, n_samples = samples.shape[channels], samples.shape[1 - channels]
    if n_channels > 1 and not n_channels <= MAX_CHANNELS < n_samples:
        return samples
    if n_channels == 1:
        return samples.reshape(-1)
    return samples if channels == 1 else samples.T


def warn_of_integers(waveforms: Iterable[np.ndarray], name: str, stacklevel: int) -> None:
    """Warn once if waveforms, which were floats, are integers that were never scaled."""
    highest = max(map(_peak_of_integers, waveforms), default=0.0)
    if not highest:
        return
    bits, full_scale = next(
        ((bits, scale) for bits, scale in _FULL_SCALES.items() if highest <= scale), (32, 2**31)
    )
    # Without the peak, so that the folds of an evaluation do not warn again.
    warnings.warn(
        f"{name} must have floats with a full scale of 1.0, got some like integers of {bits} bits "
        f"that were cast and not scaled; give the integers, or divide by {full_scale}",
        SkserWarning,
        stacklevel=stacklevel + 1,
    )


def _peak_of_integers(waveform: np.ndarray) -> float:
    """The peak of a waveform that looks like unscaled integers, else 0."""
    peak = float(max(waveform.max(), -waveform.min()))
    if peak > _FAR_BEYOND or (peak > _BEYOND and bool((waveform == np.rint(waveform)).all())):
        return peak
    return 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_array(value: object) -> bool:
    return getattr(value, "ndim", 0) > 0 or (isinstance(value, (list, tuple)) and len(value) > 0)


def keys_of(row: Mapping[str, Any]) -> str:
    """The keys of a dict, for messages."""
    return f"{', '.join(map(str, row)) or 'no keys':.100}"
