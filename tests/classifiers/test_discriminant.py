import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skser import AugmentedClassifier, AugmentedFeatures
from skser.classifiers import WeightedLinearDiscriminant
from skser.exceptions import DataError, NotFittedError, ParameterError

SHRINKAGES = [None, "auto", 0.0, 0.3, 1.0]


def clips(n_clips=60, n_features=8, n_classes=3, seed=0):
    """Correlated features away from the origin, one of them constant, and labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_clips)
    mix = np.eye(n_features) + 0.2 * rng.normal(size=(n_features, n_features))
    X = 3.0 + (0.5 * y[:, np.newaxis] + rng.normal(size=(n_clips, n_features))) @ mix
    X[:, -1] = 7.3 if n_features > 1 else X[:, -1]
    return X, np.array(["angry", "calm", "happy", "sad"])[y]


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
@pytest.mark.parametrize(("n_features", "n_classes"), [(8, 3), (8, 2), (1, 2), (100, 4), (100, 2)])
def test_equals_scikit_learn(n_features, n_classes, shrinkage):
    if n_features == 100 and shrinkage in (None, 0.0):
        pytest.skip("scikit-learn's solution of a singular system is rounding errors")
    X, y = clips(60, n_features, n_classes)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)
    discriminant = WeightedLinearDiscriminant(shrinkage=shrinkage).fit(X, y)
    for name in ("coef_", "intercept_", "means_", "priors_"):
        expected = getattr(reference, name)
        assert_allclose(getattr(discriminant, name), expected, rtol=1e-8, atol=1e-10)
    assert_allclose(discriminant.predict_proba(X), reference.predict_proba(X), atol=1e-10)
    assert_allclose(discriminant.decision_function(X), reference.decision_function(X), atol=1e-9)
    assert_array_equal(discriminant.predict(X), reference.predict(X))


def test_given_priors():
    X, y = clips()
    priors = [0.7, 0.2, 0.1]
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2, priors=priors).fit(X, y)
    discriminant = WeightedLinearDiscriminant(shrinkage=0.2, priors=[7, 2, 1]).fit(X, y)
    assert_allclose(discriminant.predict_proba(X), reference.predict_proba(X), atol=1e-10)


@pytest.mark.parametrize("shrinkage", [None, 0.3])
@pytest.mark.parametrize("n_features", [8, 100])
def test_integer_weights_are_repeated_rows(n_features, shrinkage):
    if n_features == 100 and shrinkage is None:
        pytest.skip("the system is singular")
    X, y = clips(n_features=n_features)
    weight = np.random.default_rng(1).integers(0, 4, size=len(y))
    weighted = WeightedLinearDiscriminant(shrinkage=shrinkage).fit(X, y, sample_weight=weight)
    repeated = WeightedLinearDiscriminant(shrinkage=shrinkage)
    repeated.fit(X.repeat(weight, axis=0), y.repeat(weight))
    assert_allclose(weighted.priors_, repeated.priors_)
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-10)


@pytest.mark.parametrize("shrinkage", SHRINKAGES)
def test_the_scale_of_the_weights_does_not_matter(shrinkage):
    X, y = clips()
    weight = np.random.default_rng(1).uniform(0.5, 2.0, size=len(y))
    a, b = (
        WeightedLinearDiscriminant(shrinkage=shrinkage).fit(X, y, sample_weight=w)
        for w in (weight, 1000 * weight)
    )
    assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-12)
    equal = WeightedLinearDiscriminant(shrinkage=shrinkage).fit(X, y, sample_weight=0 * weight + 3)
    plain = WeightedLinearDiscriminant(shrinkage=shrinkage).fit(X, y)
    assert_allclose(equal.predict_proba(X), plain.predict_proba(X), atol=1e-12)


def test_fewer_effective_clips_are_shrunk_more():
    X, y = clips(200, 20)
    weight = np.where(np.arange(200) < 30, 1.0, 1e-6)
    of_few = WeightedLinearDiscriminant(shrinkage="auto").fit(X[:30], y[:30])
    weighted = WeightedLinearDiscriminant(shrinkage="auto").fit(X, y, sample_weight=weight)
    assert_allclose(weighted.predict_proba(X), of_few.predict_proba(X), atol=1e-3)


def test_more_features_than_clips_without_shrinkage():
    X, y = clips(60, 100, 3)
    discriminant = WeightedLinearDiscriminant().fit(X, y)
    assert np.isfinite(discriminant.coef_).all()
    assert np.abs(discriminant.coef_).max() < 1e3


def test_views_have_the_weight_of_their_clip():
    X, y = clips()
    views = AugmentedFeatures(np.stack([X, X + 0.1, X - 0.1], axis=1))
    weight = np.linspace(0.5, 2, len(y))
    wrapped = AugmentedClassifier(WeightedLinearDiscriminant(shrinkage=0.3))
    wrapped.fit(views, y, sample_weight=weight)
    alone = WeightedLinearDiscriminant(shrinkage=0.3)
    alone.fit(views.flatten(), views.repeat(y), sample_weight=views.repeat(weight))
    assert_allclose(wrapped.predict_proba(X), alone.predict_proba(X))


def test_single_precision_and_pickles():
    X, y = clips()
    discriminant = WeightedLinearDiscriminant(shrinkage=0.3).fit(X.astype(np.float32), y)
    exact = WeightedLinearDiscriminant(shrinkage=0.3).fit(X, y)
    assert_allclose(discriminant.predict_proba(X), exact.predict_proba(X), atol=1e-3)
    loaded = pickle.loads(pickle.dumps(discriminant))
    assert_array_equal(loaded.predict_proba(X), discriminant.predict_proba(X))


@pytest.mark.parametrize(
    ("params", "weight", "error", "message"),
    [
        ({"shrinkage": 1.5}, None, ParameterError, r"shrinkage must be .* \[0, 1\] .*got 1.5"),
        ({"shrinkage": "oas"}, None, ParameterError, "shrinkage must be 'auto' .*got 'oas'"),
        ({"priors": [0.5, 0.5]}, None, ParameterError, "priors must be .* 3 classes"),
        ({"priors": [1, -1, 1]}, None, ParameterError, "priors must be .* at least 0"),
        ({}, [-1.0] * 60, DataError, "[Nn]egative"),
        ({}, [1.0] * 59, DataError, "sample_weight"),
        ({}, "angry only", DataError, "sample_weight must be above 0 .* of 'calm'"),
    ],
)
def test_errors(params, weight, error, message):
    X, y = clips()
    weight = (y == "angry").astype(float) if weight == "angry only" else weight
    with pytest.raises(error, match=message):
        WeightedLinearDiscriminant(**params).fit(X, y, sample_weight=weight)


def test_too_few_clips_and_no_fit():
    X, _ = clips(3)
    with pytest.raises(DataError, match="more clips than classes, got 3"):
        WeightedLinearDiscriminant().fit(X, ["a", "b", "c"])
    with pytest.raises(DataError, match="at least two classes, got 1"):
        WeightedLinearDiscriminant().fit(X, ["a", "a", "a"])
    with pytest.raises(NotFittedError):
        WeightedLinearDiscriminant().predict(X)


def test_needs_little_memory_beside_the_features():
    X = np.random.default_rng(0).standard_normal((160_000, 50), np.float32)
    discriminant, y = WeightedLinearDiscriminant(shrinkage="auto"), np.arange(len(X)) % 2
    for method in (lambda: discriminant.fit(X, y), lambda: discriminant.predict_proba(X)):
        tracemalloc.start()
        method()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < X.nbytes
