"""Derivatives over time (deltas), as librosa makes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._filters import DELTA_WIDTH, delta_weights

_PREFIXES = ("", "delta_", "delta2_")


def with_deltas(features: np.ndarray, n_orders: int) -> np.ndarray:
    """Features (n_bins, n_frames), below them their first ``n_orders`` derivatives."""
    if not n_orders:
        return features
    return np.concatenate([features, *(delta(features, order) for order in range(1, n_orders + 1))])


def names_with_deltas(names: Sequence[object], n_orders: int) -> list[str]:
    """Names of the bins of `with_deltas`."""
    return [f"{prefix}{name}" for prefix in _PREFIXES[: n_orders + 1] for name in names]


def delta(features: np.ndarray, order: int) -> np.ndarray:
    """Derivative over time by the polynomial of degree ``order`` through 9 frames around each.

    The first and last frames have that of the nearest such polynomial, which is constant. Where
    one of the frames has no value (NaN), the derivative has none.
    """
    from ._kernels import derivatives

    if features.shape[1] >= DELTA_WIDTH:
        return derivatives(features, delta_weights(order))
    margin = DELTA_WIDTH // 2
    padded = np.pad(features, ((0, 0), (margin, margin)), mode="edge")
    return derivatives(padded, delta_weights(order))[:, margin:-margin]
