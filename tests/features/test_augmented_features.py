import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from skser import AugmentedFeatures
from skser.exceptions import DataError


@pytest.fixture
def features():
    """24 clips of 3 classes with 4 views of 5 features, and their labels."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 8)
    centres = np.unique(y, return_inverse=True)[1][:, None, None]
    return AugmentedFeatures(centres + 0.3 * rng.normal(size=(24, 4, 5))), y


@pytest.mark.parametrize("index", [slice(2, 7), [1, 5, 3], np.arange(24) % 2 == 0, np.array([-1])])
def test_index_selects_clips_with_all_views(features, index):
    X, _ = features
    assert_array_equal(X[index].values, X.values[index])
    assert X[index].n_views == 4


def test_one_clip_stays_a_batch(features):
    X, _ = features
    assert X[3].shape == (1, 4, 5)


def test_flatten_and_repeat_belong_together(features):
    X, y = features
    rows, labels = X.flatten(), X.repeat(y)
    assert rows.shape == (96, 5)
    for clip in (0, 11, 23):
        assert_array_equal(rows[labels == y[clip]][0], X[list(y).index(y[clip])].values[0, 0])
        assert_array_equal(labels[4 * clip : 4 * clip + 4], [y[clip]] * 4)


def test_average_undoes_repeat(features):
    X, _ = features
    per_clip = np.random.default_rng(1).normal(size=(24, 3))
    assert_allclose(X.average(X.repeat(per_clip)), per_clip)


def test_no_array():
    X = AugmentedFeatures(np.zeros((2, 3, 4)))
    with pytest.raises(TypeError, match=r"skser\.AugmentedClassifier.*\.values"):
        np.asarray(X)
    with pytest.raises(TypeError, match="AugmentedClassifier"):
        LogisticRegression().fit(X, [0, 1])


@pytest.mark.parametrize("values", [np.zeros((2, 3)), [[[1.0]]]])
def test_bad_values(values):
    with pytest.raises(DataError, match=r"values must be an array of shape \(n_clips, n_views"):
        AugmentedFeatures(values)


def test_pickle_and_repr(features):
    X, _ = features
    assert_array_equal(pickle.loads(pickle.dumps(X)).values, X.values)
    assert repr(X) == "<features of 24 clips, 4 views each of 5>"
