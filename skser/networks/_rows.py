"""Rows on their way to a network: so many at a time, with as many frames as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_ROWS_AT_ONCE = 256


def with_frames(sequences: np.ndarray, n_frames: int) -> np.ndarray:
    """Sequences (n, frames, features) cropped, or padded with zeros, to ``n_frames``."""
    missing = n_frames - sequences.shape[1]
    if missing <= 0:
        return sequences[:, :n_frames]
    return np.pad(sequences, ((0, 0), (0, missing), (0, 0)))


def ask_in_blocks(
    ask: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, input_shape: Sequence[Any]
) -> np.ndarray:
    """What a network says of all rows, asked of a few at a time, which bounds memory.

    ``input_shape`` is the network's, with its rows; what is no number in it may be any.
    """
    rows = rows.astype(np.float32, copy=False)
    if rows.ndim == 3 and isinstance(input_shape[1], int):
        rows = with_frames(rows, input_shape[1])
    starts = range(0, len(rows), _ROWS_AT_ONCE)
    return np.concatenate([ask(rows[start : start + _ROWS_AT_ONCE]) for start in starts])


def without_nan(rows: np.ndarray) -> np.ndarray:
    """Rows in float32 with padding as zeros, which networks take for padding."""
    return np.nan_to_num(rows.astype(np.float32, copy=False), nan=0.0)
