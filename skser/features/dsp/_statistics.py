"""Statistics over the frames of a clip: from (n_bins, n_frames) to one number for each bin."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property, reduce

import numpy as np

from ..._utils._param_validation import did_you_mean
from ...exceptions import ParameterError


class Values:
    """Frames of bins with NaN for missing values; a bin without values counts as 0 throughout."""

    def __init__(self, frames: np.ndarray) -> None:
        # Sums over many frames would lose digits in float32.
        self.frames = frames.astype(np.float64)
        has_value = ~np.isnan(self.frames)
        empty = ~has_value.any(axis=1)
        self.frames[empty] = 0.0
        has_value[empty] = True
        self.has_value = has_value
        self.counts = np.count_nonzero(has_value, axis=1)

    def mean(self, quantities: np.ndarray | None = None) -> np.ndarray:
        """Mean over the frames with a value of ``quantities``, by default of the values."""
        quantities = self.frames if quantities is None else quantities
        return self._filled(quantities).sum(axis=1) / self.counts

    def _filled(self, quantities: np.ndarray) -> np.ndarray:
        if self.counts.min() == quantities.shape[1]:
            return quantities
        return np.where(self.has_value, quantities, 0.0)

    @cached_property
    def centred(self) -> np.ndarray:
        """Deviations from the mean."""
        return self.frames - self.mean()[:, np.newaxis]

    @cached_property
    def std(self) -> np.ndarray:
        """Standard deviation."""
        return np.sqrt(self.mean(self.centred**2))

    def quantile(self, share: float) -> np.ndarray:
        """Quantile, interpolated linearly."""
        position = share * (self.counts - 1)
        below = np.floor(position).astype(int)
        above = np.minimum(below + 1, self.counts - 1)
        bins = np.arange(len(position))
        lower, upper = self._sorted[bins, below], self._sorted[bins, above]
        return lower + (position - below) * (upper - lower)

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.frames, axis=1)  # NaN last

    def moment(self, order: int) -> np.ndarray:
        """Standardised central moment; 0 for a constant."""
        largest = np.maximum(np.abs(self.quantile(0)), np.abs(self.quantile(1)))
        is_constant = self.std <= 1e-7 * largest
        power = reduce(np.multiply, [self.centred] * order)  # far faster than `**`
        moment = self.mean(power) / np.where(is_constant, 1.0, self.std) ** order
        return np.where(is_constant, 0.0, moment)

    def slope(self) -> np.ndarray:
        """Slope of the least-squares line, per frame."""
        time = np.broadcast_to(np.arange(float(self.frames.shape[1])), self.frames.shape)
        time = time - self.mean(time)[:, np.newaxis]
        spread = self.mean(time**2)
        return self.mean(time * self.frames) / np.where(spread > 0, spread, 1.0)


Statistic = Callable[[Values], np.ndarray]

STATISTICS: dict[str, Statistic] = {
    "mean": Values.mean,
    "std": lambda values: values.std,
    "min": lambda values: values.quantile(0),
    "max": lambda values: values.quantile(1),
    "median": lambda values: values.quantile(0.5),
    "range": lambda values: values.quantile(1) - values.quantile(0),
    "iqr": lambda values: values.quantile(0.75) - values.quantile(0.25),
    "skew": lambda values: values.moment(3),
    "kurtosis": lambda values: values.moment(4) - 3.0,
    "slope": Values.slope,
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
    share = int(percentile[1]) / 100
    return lambda values: values.quantile(share)


def check_statistics(statistics: Sequence[str] | None) -> None:
    """Raise ParameterError unless ``statistics`` is None or a sequence of known names."""
    if statistics is None:
        return
    is_sequence = isinstance(statistics, Sequence) and not isinstance(statistics, str)
    if not is_sequence or not statistics or not all(isinstance(s, str) for s in statistics):
        raise ParameterError(f"statistics must be a sequence of names or None, got {statistics!r}")
    for name in statistics:
        find_statistic(name)
    if len(set(statistics)) < len(statistics):
        raise ParameterError(f"statistics must not repeat a name, got {statistics!r}")


def summarize(frames: np.ndarray, statistics: Sequence[str]) -> np.ndarray:
    """Statistics of each bin over its frames with a value, one statistic after another."""
    values = Values(frames)
    return np.concatenate([find_statistic(name)(values) for name in statistics]).astype(np.float32)
