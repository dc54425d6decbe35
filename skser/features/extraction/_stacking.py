"""FeatureStack: features of many clips in one array, put there as they come."""

from __future__ import annotations

import numpy as np

from ...exceptions import DataError


class FeatureStack:
    """Features are held once, in the array that is returned in the end.

    Vectors are sequences of one frame here.

    Parameters
    ----------
    n_clips, n_views : int
        Clips, and views of each.
    n_frames : int
        Frames of the longest sequence, as far as is known. A longer one costs a copy.
    n_features : int
        Features of a frame.
    """

    def __init__(self, n_clips: int, n_views: int, n_frames: int, n_features: int) -> None:
        # Memory that is not written to is not taken from the system.
        self._array = np.empty((n_clips, n_views, n_frames, n_features), np.float32)
        self._lengths = np.zeros((n_clips, n_views), int)

    def put(self, clip: int, first_view: int, features: np.ndarray) -> None:
        """Put features of some views of a clip, (n_views, ..., n_features)."""
        n_clips, n_views, capacity, n_features = self._array.shape
        sequences = features.reshape(len(features), -1, n_features)
        views = slice(first_view, first_view + len(sequences))
        if views.stop > n_views:
            raise DataError(f"clip {clip} has {views.stop} views, its stages promise {n_views}")
        n_frames = sequences.shape[1]
        if n_frames > capacity:
            n_kept = max(n_frames, 3 * capacity // 2)
            larger = np.empty((n_clips, n_views, n_kept, n_features), np.float32)
            larger[:, :, :capacity] = self._array
            self._array = larger
        self._array[clip, views, :n_frames] = sequences
        self._lengths[clip, views] = n_frames

    def finish(self) -> np.ndarray:
        """All features, (n_clips, n_views, n_frames, n_features), padded with NaN."""
        n_clips, n_views, capacity, n_features = self._array.shape
        longest = self._lengths.max()
        if self._lengths.min() == capacity:
            return self._array
        flat = self._array.reshape(-1, n_features)
        for i, length in enumerate(self._lengths.ravel()):
            # A row moves to the front, if at all, where those before it have made room.
            flat[i * longest : i * longest + length] = flat[i * capacity : i * capacity + length]
            flat[i * longest + length : (i + 1) * longest] = np.nan
        kept = flat[: n_clips * n_views * longest]
        return kept.reshape(n_clips, n_views, longest, n_features)
