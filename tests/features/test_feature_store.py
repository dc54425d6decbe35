"""FeatureStore: training features within a fitted pipeline."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skser
from skser import AudioLoader, AugmentedClassifier, AugmentedFeatures, FeatureScaler
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.features import FeatureStore
from skser.recipes import functionals, get_recipe, keep_features, standardize_by_corpus
from tests.evaluations import noises, quick_pipeline

RNG = np.random.default_rng(0)
# Of very different scales and positions, as those of levels, rates and frequencies.
X = RNG.normal([0, 1e6, -3, 1e-7, 5], [1, 10, 1e-3, 1e-9, 1e4], (50, 5))
Y = np.repeat(["calm", "sad"], 25)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_are_kept_within_a_thousandth_of_their_deviation(dtype):
    store = FeatureStore().fit(X.astype(dtype), Y)
    assert store.features_.shape == (50, 1, 5)
    assert store.features_.dtype == np.float32
    # The large ones are rounded by float32 itself.
    error = np.abs(store.features_[:, 0] - X.astype(np.float32))
    assert (error < 2e-3 * X.std(axis=0) + np.spacing(np.abs(X).astype(np.float32))).all()
    assert_array_equal(store.labels_, Y)
    assert store.domains_ is None


def test_constants_are_kept():
    constant = np.array([0.0, 7.3, -1e6, 1e-20])
    store = FeatureStore().fit(np.tile(constant, (10, 1)), Y[20:30])
    assert_allclose(store.features_[:, 0], np.tile(constant, (10, 1)), rtol=1e-6)


def test_an_outlier_is_kept():
    values = np.zeros((100_000, 1))
    values[0] = 1e9
    store = FeatureStore().fit(values, np.resize(Y, len(values)))
    assert_allclose(store.features_[0, 0], 1e9, rtol=1e-3)


def test_views_and_domains():
    views = AugmentedFeatures(np.random.default_rng(1).normal(3, 2, (50, 3, 5)))
    domains = np.repeat(["studio", "phone"], 25)
    store = FeatureStore().fit(views, Y, domains=domains)
    assert store.n_features_in_ == 5
    assert_allclose(store.features_, views.values, atol=2e-3 * 2)
    assert_array_equal(store.domains_, domains)
    assert store.transform(views) is views
    assert_allclose(store.transform(X), X)


def test_features_pass_unchanged():
    store = FeatureStore()
    assert_array_equal(store.fit_transform(X, Y), X)
    assert_array_equal(store.transform(X[:3]), X[:3])
    assert store.transform(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("values", "labels", "error", "reason"),
    [
        (X.reshape(10, 5, 5), Y[20:30], DataError, r"X must be vectors .*got shape \(10, 5, 5\)"),
        (
            AugmentedFeatures(np.ones((10, 2, 4, 5))),
            Y[20:30],
            DataError,
            r"X must be vectors .*got shape \(10, 2, 4, 5\)",
        ),
        (np.full((10, 2), np.nan), Y[20:30], DataError, "NaN"),
        (AugmentedFeatures(np.full((10, 2, 3), np.nan)), Y[20:30], DataError, "NaN"),
        (AugmentedFeatures(np.full((10, 2, 3), np.inf)), Y[20:30], DataError, "infinite"),
        (X, None, DataError, "y must be given"),
        (X, Y[:40], DataError, "50 clips, 40 labels"),
        (X, np.full(50, "sad"), DataError, "at least two classes, got one class only: 'sad'"),
    ],
)
def test_bad_input(values, labels, error, reason):
    with pytest.raises(error, match=reason):
        FeatureStore().fit(values, labels)


def test_bad_domains_other_features_and_no_fit():
    with pytest.raises(DataError, match="50 clips, 3"):
        FeatureStore().fit(X, Y, domains=["a", "b", "c"])
    store = FeatureStore().fit(X, Y)
    with pytest.raises(DataError, match=r"X has 4 features, .*expecting 5"):
        store.transform(X[:, :4])
    for use in (lambda step: step.transform(X), lambda step: step.features_):
        with pytest.raises(NotFittedError):
            use(clone(store))


def test_pickle():
    store = FeatureStore().fit(X, Y, domains=Y)
    again = pickle.loads(pickle.dumps(store))
    assert_array_equal(again.features_, store.features_)
    assert_array_equal(again.domains_, Y)
    assert not vars(clone(store))


def test_names_and_tables():
    table = pd.DataFrame(X, columns=list("abcde"))
    store = FeatureStore().set_output(transform="pandas")
    passed = store.fit_transform(table, Y)
    pd.testing.assert_frame_equal(passed, table)
    assert store.get_feature_names_out().tolist() == list("abcde")
    assert FeatureStore().fit(X, Y).get_feature_names_out(list("vwxyz")).tolist() == list("vwxyz")


# --- keep_features --------------------------------------------------------------------------


def test_a_pipeline_predicts_the_same_and_knows_its_features(tmp_path):
    speech = noises()
    pipeline = keep_features(quick_pipeline())
    pipeline.fit(list(speech.waveforms), speech.target)
    plain = quick_pipeline().fit(list(speech.waveforms), speech.target)
    expected = plain.predict_proba(speech.waveforms)
    assert_array_equal(pipeline.predict_proba(speech.waveforms), expected)
    assert_array_equal(pipeline["keep"].labels_, speech.target)
    features = plain[:2].transform(speech.waveforms)
    error = np.abs(pipeline["keep"].features_[:, 0] - features)
    assert (error < 2e-3 * features.std(axis=0)).all()
    skser.save(pipeline, tmp_path / "model.skser")
    loaded = skser.load(tmp_path / "model.skser")
    assert_array_equal(loaded["keep"].features_, pipeline["keep"].features_)
    assert_array_equal(loaded["keep"].labels_, speech.target)
    assert loaded["keep"].domains_ is None
    assert_allclose(loaded.predict_proba(speech.waveforms), expected, atol=1e-6)


def test_corpora_are_kept_if_the_pipeline_is_of_several():
    speech = noises()
    pipeline = keep_features(standardize_by_corpus(quick_pipeline()))
    domains = np.where(speech.groups < "s02", "studio", "phone")
    with config_context(enable_metadata_routing=True):
        pipeline.fit(list(speech.waveforms), speech.target, domains=domains)
    assert_array_equal(pipeline["keep"].domains_, domains)


def test_views_are_kept():
    speech = noises(n_takes=1)
    pipeline = keep_features(functionals(augment__n_views=2, features__blocks=["rms", "zcr"]))
    pipeline.fit(list(speech.waveforms), speech.target)
    assert pipeline["keep"].features_.shape[:2] == (12, 2)


def test_keep_features_does_not_change_its_pipeline():
    pipeline = quick_pipeline()
    assert [name for name, _ in keep_features(pipeline).steps][2:4] == ["keep", "scale"]
    assert "keep" not in pipeline.named_steps


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        (
            get_recipe("residual_network")(),
            "pipeline must not end in a network .*CNNEmotionClassifier.*weights",
        ),
        (get_recipe("default")(), "pipeline must have a scaler among its own steps .*, got load, "),
        (
            make_pipeline(
                AudioLoader(),
                AugmentedClassifier(make_pipeline(FeatureScaler(), LogisticRegression())),
            ),
            "pipeline must have a scaler .*got audioloader, augmentedclassifier",
        ),
    ],
)
def test_pipelines_that_cannot_keep_features(pipeline, reason):
    with pytest.raises(ParameterError, match=reason):
        keep_features(pipeline)
