import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skser import AugmentedFeatures, SpeakerNormalizer
from skser.exceptions import DataError, NotFittedError, ParameterError
from tests.versions import needs_scikit_learn_1_8

SPEAKERS = np.repeat(["ann", "bob", "cem"], [5, 4, 6])


def voices(*shape):
    """Features of fifteen clips by three speakers with other means and deviations."""
    rng = np.random.default_rng(0)
    speaker = np.searchsorted(["ann", "bob", "cem"], SPEAKERS).reshape(-1, *[1] * len(shape))
    return 10.0 * speaker + (1 + speaker) * rng.normal(size=(15, *shape))


def test_each_speaker_is_standardised_as_scikit_learn_does():
    X = voices(3)
    for normalizer in (SpeakerNormalizer(), SpeakerNormalizer(transductive=True)):
        scaled = normalizer.fit_transform(X, groups=SPEAKERS)
        for speaker in np.unique(SPEAKERS):
            own = speaker == SPEAKERS
            assert_allclose(scaled[own], StandardScaler().fit_transform(X[own]), rtol=1e-12)


def test_sequences_with_padding():
    X = voices(7, 2)
    X[::2, 4:] = np.nan
    scaled = SpeakerNormalizer().fit_transform(X, groups=SPEAKERS)
    assert_array_equal(np.isnan(scaled), np.isnan(X))
    for speaker in np.unique(SPEAKERS):
        rows = scaled[speaker == SPEAKERS].reshape(-1, 2)
        assert_allclose(np.nanmean(rows, axis=0), 0, atol=1e-12)
        assert_allclose(np.nanstd(rows, axis=0), 1)


def test_each_view_is_a_voice_of_its_own():
    X = AugmentedFeatures(voices(4, 3))
    scaled = SpeakerNormalizer().fit_transform(X, groups=SPEAKERS)
    assert isinstance(scaled, AugmentedFeatures)
    for view in range(4):
        alone = SpeakerNormalizer().fit_transform(X.values[:, view], groups=SPEAKERS)
        assert_allclose(scaled.values[:, view], alone)
    # Clips without views are as the clean view.
    normalizer = SpeakerNormalizer().fit(X, groups=SPEAKERS)
    clean = normalizer.transform(X.values[:, 0], groups=SPEAKERS)
    assert_allclose(clean, scaled.values[:, 0])


def test_new_speakers_by_their_first_clips():
    X = voices(3)
    normalizer = SpeakerNormalizer(n_calibration=4).fit(X[:5], groups=SPEAKERS[:5])
    scaled = normalizer.transform(X, groups=SPEAKERS)
    assert_allclose(scaled[5:9], StandardScaler().fit_transform(X[5:9]))
    assert_allclose(scaled[9:], StandardScaler().fit(X[9:13]).transform(X[9:]))
    # What comes after changes nothing, and known speakers stay as they were in fit.
    assert_array_equal(scaled[:14], normalizer.transform(X[:14], groups=SPEAKERS[:14]))
    assert_allclose(normalizer.transform(X[:1], groups=["ann"]), scaled[:1])


def test_transductive_statistics_are_of_each_call():
    X = voices(3)
    normalizer = SpeakerNormalizer(transductive=True).fit(X, groups=SPEAKERS)
    scaled = normalizer.transform(X[:3], groups=SPEAKERS[:3])
    assert_allclose(scaled, StandardScaler().fit_transform(X[:3]))


def test_constants_become_zero():
    scaled = SpeakerNormalizer().fit_transform(np.full((4, 2), 3.0), groups=[1, 1, 2, 2])
    assert_array_equal(scaled, np.zeros((4, 2)))


@pytest.mark.parametrize("groups", [None, ["new"] * 15, [None, *["ann"] * 14]])
def test_unknown_groups_have_the_mean_of_the_statistics_of_fit(groups):
    X = voices(3)
    normalizer = SpeakerNormalizer(unknown="average").fit(X, groups=SPEAKERS)
    own = [X[speaker == SPEAKERS] for speaker in np.unique(SPEAKERS)]
    mean, scale = (np.mean([f(rows, axis=0) for rows in own], axis=0) for f in (np.mean, np.std))
    if groups is not None and groups[0] is None:
        with pytest.raises(DataError, match=r"groups .*missing.*None in row 0"):
            normalizer.transform(X, groups=groups)
        return
    assert_allclose(normalizer.transform(X, groups=groups), (X - mean) / scale)
    known = SpeakerNormalizer().fit(X, groups=SPEAKERS)
    assert_allclose(normalizer.transform(X, SPEAKERS), known.transform(X, SPEAKERS))


def test_unknown_groups_of_sequences_and_views():
    X = voices(7, 2).astype(np.float32)
    X[::2, 4:] = np.nan
    scaled = SpeakerNormalizer(unknown="average").fit(X, groups=SPEAKERS).transform(X)
    assert_array_equal(np.isnan(scaled), np.isnan(X))
    assert scaled.dtype == np.float32
    views = AugmentedFeatures(voices(4, 3))
    normalizer = SpeakerNormalizer(unknown="average").fit(views, groups=SPEAKERS)
    scaled = normalizer.transform(views)
    for view in range(4):
        of_view = views.values[:, view]
        alone = SpeakerNormalizer(unknown="average").fit(of_view, groups=SPEAKERS)
        assert_allclose(scaled.values[:, view], alone.transform(of_view))
    # Clips without views are as the clean view.
    assert_allclose(normalizer.transform(views.values[:, 0]), scaled.values[:, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_stays(dtype):
    X = voices(3).astype(dtype)
    before = X.copy()
    assert SpeakerNormalizer().fit_transform(X, groups=SPEAKERS).dtype == dtype
    assert_array_equal(X, before)


@pytest.mark.parametrize("copied", [clone, lambda fitted: pickle.loads(pickle.dumps(fitted))])
def test_copies(copied):
    X = voices(3)
    normalizer = SpeakerNormalizer(n_calibration=2).fit(X, groups=SPEAKERS)
    again = copied(normalizer)
    assert repr(again) == "SpeakerNormalizer(n_calibration=2)"
    assert_array_equal(
        again.fit(X, groups=SPEAKERS).transform(X, groups=SPEAKERS),
        normalizer.transform(X, groups=SPEAKERS),
    )


@needs_scikit_learn_1_8
@sklearn.config_context(enable_metadata_routing=True)
def test_speakers_are_handed_on_in_a_cross_validation():
    X = voices(3)
    y = np.tile(["angry", "calm", "sad"], 5)
    pipeline = make_pipeline(SpeakerNormalizer(transductive=True), LogisticRegression())
    results = cross_validate(
        pipeline, X, y, cv=GroupKFold(3), params={"groups": SPEAKERS}, return_estimator=True
    )
    for fitted in results["estimator"]:
        assert len(fitted[0].statistics_) == 2
        fitted.predict_proba(X, groups=SPEAKERS)


FITTED = SpeakerNormalizer().fit(voices(3)[:9], groups=SPEAKERS[:9])


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda X: SpeakerNormalizer().fit(X),
            ParameterError,
            r"groups .*got None; .*enable_metadata_routing=True",
        ),
        (
            lambda X: SpeakerNormalizer().fit(X, groups=SPEAKERS[1:]),
            DataError,
            "groups .*15 clips, 14 speakers",
        ),
        (
            lambda X: SpeakerNormalizer().fit(X, groups=[None, *SPEAKERS[1:]]),
            DataError,
            "groups .*missing.*None in row 0",
        ),
        (
            lambda X: SpeakerNormalizer().fit(X[:6], groups=SPEAKERS[:6]),
            DataError,
            "groups .*two clips.*one sample of 'bob'",
        ),
        (
            lambda X: FITTED.transform(X, groups=SPEAKERS),
            DataError,
            "groups .*got 'cem'.*n_calibration, transductive.*unknown='average'",
        ),
        (
            lambda X: (
                SpeakerNormalizer(n_calibration=7)
                .fit(X[:9], groups=SPEAKERS[:9])
                .transform(X, groups=SPEAKERS)
            ),
            DataError,
            "groups .*n_calibration=7 .*got 6 of 'cem'",
        ),
        (
            lambda X: SpeakerNormalizer(n_calibration=3, transductive=True).fit(X, groups=SPEAKERS),
            ParameterError,
            "n_calibration .*transductive=True, got 3",
        ),
        (
            lambda X: SpeakerNormalizer(unknown="average").fit(X),
            ParameterError,
            "groups .*got None",
        ),
        (
            lambda X: SpeakerNormalizer(unknown="mean").fit(X, groups=SPEAKERS),
            ParameterError,
            "unknown .*'error' or 'average', got 'mean'",
        ),
        (
            lambda X: SpeakerNormalizer(transductive=True, unknown="average").fit(X, SPEAKERS),
            ParameterError,
            "unknown .*'error' .*transductive=True, got 'average'",
        ),
        (
            lambda X: SpeakerNormalizer(n_calibration=0).fit(X, groups=SPEAKERS),
            ParameterError,
            "n_calibration .*at least 1 or None, got 0",
        ),
        (
            lambda X: FITTED.transform(X[:, :2], SPEAKERS),
            DataError,
            "X has 2 features.*expecting 3 features",
        ),
    ],
)
def test_errors(use, error, message):
    with pytest.raises(error, match=f"^{message}"):
        use(voices(3))


def test_not_fitted():
    with pytest.raises(NotFittedError):
        SpeakerNormalizer().transform(voices(3), SPEAKERS)
