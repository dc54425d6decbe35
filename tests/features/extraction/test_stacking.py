"""FeatureStack: whatever comes in whatever order, one array."""

import numpy as np
import pytest

from skser.exceptions import DataError
from skser.features.extraction._stacking import FeatureStack


def sequence(n_views, n_frames, n_features=3, seed=0):
    shape = (n_views, n_frames, n_features)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("expected", [1, 4, 9, 20])
def test_sequences_are_padded_to_the_longest(expected):
    stack = FeatureStack(3, 2, expected, 3)
    sequences = [sequence(2, n_frames, seed=n_frames) for n_frames in (4, 9, 1)]
    for clip in (2, 0, 1):
        stack.put(clip, 0, sequences[clip])
    features = stack.finish()
    assert features.shape == (3, 2, 9, 3)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    for row, kept in zip(features, sequences, strict=True):
        np.testing.assert_array_equal(row[:, : kept.shape[1]], kept)
        assert np.isnan(row[:, kept.shape[1] :]).all()


def test_views_come_apart():
    stack = FeatureStack(2, 3, 5, 3)
    clean, added = sequence(1, 5), sequence(2, 3, seed=1)
    for clip in range(2):
        stack.put(clip, 1, added)
        stack.put(clip, 0, clean)
    features = stack.finish()
    np.testing.assert_array_equal(features[:, :1], [clean] * 2)
    np.testing.assert_array_equal(features[:, 1:, :3], [added] * 2)
    assert np.isnan(features[:, 1:, 3:]).all()


def test_vectors_are_sequences_of_one_frame():
    stack = FeatureStack(2, 1, 1, 4)
    vectors = np.arange(8, dtype=np.float32).reshape(2, 1, 4)
    for clip, vector in enumerate(vectors):
        stack.put(clip, 0, vector)
    np.testing.assert_array_equal(stack.finish()[:, :, 0], vectors)


def test_nothing_is_copied_where_the_length_is_known():
    stack = FeatureStack(2, 1, 6, 3)
    array = stack._array
    for clip in range(2):
        stack.put(clip, 0, sequence(1, 6))
    assert stack.finish() is array


def test_more_views_than_promised():
    stack = FeatureStack(2, 1, 6, 3)
    with pytest.raises(DataError) as caught:
        stack.put(1, 0, sequence(2, 6))
    assert str(caught.value) == "clip 1 has 2 views, its stages promise 1"
