"""Rows for a network: cropped or padded to its length, and predicted in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

BLOCK_SIZE = 256


def with_frames(sequences: np.ndarray, n_frames: int) -> np.ndarray:
    """Sequences (n, frames, features) cropped, or padded with zeros, to ``n_frames``."""
    n_missing = n_frames - sequences.shape[1]
    if n_missing <= 0:
        return sequences[:, :n_frames]
    return np.pad(sequences, ((0, 0), (0, n_missing), (0, 0)))


def predict_in_blocks(
    predict: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    input_shape: Sequence[int | str | None],
) -> np.ndarray:
    """Predictions for rows, in blocks to bound memory; an axis of any size is not an int."""
    rows = rows.astype(np.float32, copy=False)
    if rows.ndim == 3 and isinstance(input_shape[1], int):
        rows = with_frames(rows, input_shape[1])
    starts = range(0, len(rows), BLOCK_SIZE)
    return np.concatenate([predict(rows[start : start + BLOCK_SIZE]) for start in starts])


def without_nan(rows: np.ndarray) -> np.ndarray:
    """Rows in float32 with zeros for NaN, which networks take for padding."""
    return np.nan_to_num(np.asarray(rows, np.float32), nan=0.0)
