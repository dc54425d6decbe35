"""FeatureScaler against scikit-learn's StandardScaler, and on more axes than that knows."""

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skser import AugmentedFeatures, FeatureScaler
from skser.exceptions import DataError, NotFittedError, ParameterError


@pytest.fixture
def X():
    return np.random.default_rng(0).normal([5.0, -300.0, 0.01], [2.0, 50.0, 0.001], size=(60, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_vectors_as_standard_scaler(X, dtype, with_mean, with_std):
    X = X.astype(dtype)
    ours = FeatureScaler(with_mean=with_mean, with_std=with_std).fit_transform(X)
    theirs = StandardScaler(with_mean=with_mean, with_std=with_std).fit_transform(X)
    assert ours.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=10 * tolerance)


def test_more_rows_than_are_taken_at_once():
    X = np.random.default_rng(0).normal(3, 2, size=(10_000, 2))
    scaler, reference = FeatureScaler().fit(X), StandardScaler().fit(X)
    np.testing.assert_allclose(scaler.mean_, reference.mean_, rtol=1e-12)
    np.testing.assert_allclose(scaler.scale_, reference.scale_, rtol=1e-12)


@pytest.mark.parametrize("shape", [(6, 10, 3), (5, 2, 6, 3)])
def test_last_axis_holds_the_features(X, shape):
    scaled = FeatureScaler().fit_transform(X.reshape(shape))
    assert scaled.shape == shape
    np.testing.assert_array_equal(scaled.reshape(X.shape), FeatureScaler().fit_transform(X))


@pytest.mark.parametrize("shape", [(20, 3, 3), (5, 2, 6, 3)])
def test_augmented_features(X, shape):
    scaler = FeatureScaler()
    scaled = scaler.fit_transform(AugmentedFeatures(X.reshape(shape)))
    assert isinstance(scaled, AugmentedFeatures)
    np.testing.assert_array_equal(scaled.values.reshape(X.shape), FeatureScaler().fit_transform(X))
    # Features without views follow from the same fit.
    np.testing.assert_array_equal(scaler.transform(X), scaled.values.reshape(X.shape))


@pytest.mark.parametrize("wrap", [lambda values: values, AugmentedFeatures])
def test_nan_frames_are_left_out_and_stay(X, wrap):
    sequences = X.reshape(4, 15, 3)
    padded = np.pad(sequences, [(0, 0), (0, 7), (0, 0)], constant_values=np.nan)
    scaled = FeatureScaler().fit_transform(wrap(padded))
    values = scaled.values if isinstance(scaled, AugmentedFeatures) else scaled
    assert np.isnan(values[:, 15:]).all()
    np.testing.assert_allclose(values[:, :15], FeatureScaler().fit_transform(sequences), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.0, 0.1, -12345.678])
def test_constant_feature_becomes_zero(dtype, constant):
    scaler = FeatureScaler().fit(np.full((37, 1), constant, dtype))
    assert scaler.scale_ == [1.0]
    scaled = scaler.transform(np.full((3, 1), constant, dtype))
    np.testing.assert_allclose(scaled, 0, atol=1e-15 * abs(constant))


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_large_offset_costs_no_precision(offset):
    steps = np.arange(-8, 8, dtype=float)[:, np.newaxis] / 8  # exact at any of the offsets
    scaled = FeatureScaler().fit_transform(steps + offset)
    np.testing.assert_allclose(scaled, FeatureScaler().fit_transform(steps), rtol=1e-9, atol=1e-9)


def test_float32_sums_do_not_drift():
    X = np.full((200_000, 1), 1000.1, np.float32)
    X[::2] += 1
    scaler = FeatureScaler().fit(X)
    assert scaler.mean_[0] == pytest.approx(X.astype(np.float64).mean(), rel=1e-12)
    assert scaler.scale_[0] == pytest.approx(0.5, rel=1e-6)


def test_input_is_not_changed(X):
    before = X.copy()
    FeatureScaler().fit_transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "wrap", [lambda values: values[:, 0], lambda values: values, AugmentedFeatures]
)
def test_wrong_number_of_features(wrap):
    scaler = FeatureScaler().fit(np.ones((4, 3)))
    with pytest.raises(DataError, match=r"X has 5 features, .*expecting 3 features"):
        scaler.transform(wrap(np.ones((4, 2, 5))))


def test_feature_that_is_nan_everywhere():
    X = np.ones((4, 2, 3))
    X[..., 1] = np.nan
    with pytest.raises(DataError, match=r"feature 1 of 3 .*NaN"):
        FeatureScaler().fit(X)


@pytest.mark.parametrize("name", ["with_mean", "with_std"])
def test_bad_parameters(name):
    with pytest.raises(ParameterError, match=f"^{name} .*True or False, got 'yes'$"):
        FeatureScaler(**{name: "yes"}).fit(np.ones((2, 2)))


def test_not_fitted():
    with pytest.raises(NotFittedError, match="FeatureScaler instance is not fitted yet"):
        FeatureScaler().transform(np.ones((2, 2)))


def test_clone_and_pickle(X):
    scaler = FeatureScaler(with_mean=False).fit(X)
    assert clone(scaler).get_params() == {"with_mean": False, "with_std": True}
    again = pickle.loads(pickle.dumps(scaler))
    np.testing.assert_array_equal(again.transform(X), scaler.transform(X))


def test_pandas_output(X):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    scaled = FeatureScaler().set_output(transform="pandas").fit_transform(frame)
    assert scaled.columns.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(scaled.to_numpy(), FeatureScaler().fit_transform(X), rtol=1e-9)


def test_needs_memory_for_its_result_alone():
    X = np.random.default_rng(0).normal(size=(20_000, 8, 50)).astype(np.float32)
    tracemalloc.start()
    FeatureScaler().fit_transform(AugmentedFeatures(X))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * X.nbytes
