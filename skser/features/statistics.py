"""Statistics over the frames of a clip: from (n_bins, n_frames) to one number for each bin."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._validation import did_you_mean
from ..exceptions import ParameterError

Statistic = Callable[[np.ndarray], np.ndarray]


def _moment(frames: np.ndarray, order: int) -> np.ndarray:
    """Standardised central moment; 0 for a constant."""
    centred = frames - np.nanmean(frames, axis=1, keepdims=True)
    deviation = np.sqrt(np.nanmean(centred**2, axis=1))
    moment = np.nanmean(centred**order, axis=1)
    constant = deviation <= 1e-7 * np.nanmax(np.abs(frames), axis=1)
    return np.where(constant, 0.0, moment / np.where(constant, 1.0, deviation) ** order)


def _slope(frames: np.ndarray) -> np.ndarray:
    """Slope of the least-squares line, per frame."""
    time = np.where(np.isnan(frames), np.nan, np.arange(frames.shape[1]))
    time = time - np.nanmean(time, axis=1, keepdims=True)
    spread = np.nansum(time**2, axis=1)
    return np.nansum(time * frames, axis=1) / np.where(spread > 0, spread, 1.0)


STATISTICS: dict[str, Statistic] = {
    "mean": lambda frames: np.nanmean(frames, axis=1),
    "std": lambda frames: np.nanstd(frames, axis=1),
    "min": lambda frames: np.nanmin(frames, axis=1),
    "max": lambda frames: np.nanmax(frames, axis=1),
    "median": lambda frames: np.nanmedian(frames, axis=1),
    "range": lambda frames: np.nanmax(frames, axis=1) - np.nanmin(frames, axis=1),
    "iqr": lambda frames: np.subtract(*np.nanpercentile(frames, [75, 25], axis=1)),
    "skew": lambda frames: _moment(frames, 3),
    "kurtosis": lambda frames: _moment(frames, 4) - 3.0,
    "slope": _slope,
}
_PERCENTILE = re.compile(r"p(\d{1,2}|100)")


def find_statistic(name: str) -> Statistic:
    """The function of a statistic; ``"p5"`` is the 5th percentile."""
    if name in STATISTICS:
        return STATISTICS[name]
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is None:
        raise ParameterError(
            f"statistics must be of {', '.join(STATISTICS)} and percentiles such as p5, got "
            f"{name!r}{did_you_mean(name, STATISTICS)}"
        )
    q = int(percentile[1])
    return lambda frames: np.nanpercentile(frames, q, axis=1)


def check_statistics(statistics: Any) -> None:
    """Raise ParameterError unless ``statistics`` is None or a sequence of known names."""
    if statistics is None:
        return
    is_names = isinstance(statistics, Sequence) and not isinstance(statistics, str)
    if not is_names or not statistics or not all(isinstance(name, str) for name in statistics):
        raise ParameterError(f"statistics must be a sequence of names or None, got {statistics!r}")
    for name in statistics:
        find_statistic(name)
    if len(set(statistics)) < len(statistics):
        raise ParameterError(f"statistics must not repeat a name, got {statistics!r}")


def summarize(frames: np.ndarray, statistics: Sequence[str]) -> np.ndarray:
    """Statistics of every bin over its frames with a value, one statistic after the other.

    A bin without a value in any frame (the pitch of a clip that is all unvoiced) gives 0.
    """
    # In float64: a float32 sum over many frames would cost the last digits.
    frames = frames.astype(np.float64)
    empty = np.isnan(frames).all(axis=1)
    if empty.any():
        frames[empty] = 0.0
    return np.concatenate([find_statistic(name)(frames) for name in statistics]).astype(np.float32)
