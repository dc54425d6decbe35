"""skser.adapt: a fitted pipeline learns from a few labelled recordings."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

import skser
from skser import (
    AudioLoader,
    CNNEmotionClassifier,
    FeatureScaler,
    FeatureUnionExtractor,
    SpeakerNormalizer,
    adapt,
    predict_table,
)
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import BlockVotingClassifier, SoftVotingClassifier
from skser.exceptions import (
    AudioNotFoundError,
    DataError,
    NotFittedError,
    ParameterError,
    SkserWarning,
)
from skser.features.extraction import _plan
from skser.persistence._light import load_light
from skser.recipes import functionals, keep_features, standardize_by_corpus
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
CLIPS = list(SPEECH.waveforms)
OWN = noises(n_speakers=2, n_takes=2, seed=1)
OWN_CLIPS = list(5 * OWN.waveforms)  # as by another microphone
TEST = noises(seed=2)
TEST_CLIPS = list(5 * TEST.waveforms)


def fit(pipeline=None, clips=CLIPS, target=SPEECH.target, **metadata):
    pipeline = keep_features(quick_pipeline() if pipeline is None else pipeline)
    with config_context(enable_metadata_routing=bool(metadata)):
        return pipeline.fit(clips, target, **metadata)


@pytest.fixture(scope="module")
def fitted():
    return fit()


@pytest.fixture(scope="module")
def adapted(fitted):
    return adapt(fitted, OWN_CLIPS, OWN.target)


def standardized(features):
    return StandardScaler().fit_transform(features)


def shrunk_scalers(features):
    """Mean and scale of each part; the average of all counts as 8 clips."""
    own = [(X.mean(axis=0), X.std(axis=0)) for X in features]
    average = np.mean(own, axis=0)
    scalers = []
    for X, (mean, scale) in zip(features, own, strict=True):
        share = len(X) / (len(X) + 8)
        variance = share * scale**2 + (1 - share) * average[1] ** 2
        scalers.append((share * mean + (1 - share) * average[0], np.sqrt(variance)))
    return scalers


def by_hand(extract, parts, weights):
    """Predictions for TEST_CLIPS by a classifier of parts, each standardised by itself."""
    features = [extract(clips) for clips, _ in parts]
    weight = np.concatenate(
        [np.full(len(X), w / len(X)) for X, w in zip(features, weights, strict=True)]
    )
    scalers = shrunk_scalers(features)
    classifier = LogisticRegression().fit(
        np.concatenate([(X - m) / s for X, (m, s) in zip(features, scalers, strict=True)]),
        np.concatenate([labels for _, labels in parts]),
        sample_weight=weight * len(weight),
    )
    mean, scale = scalers[-1]
    return classifier.predict_proba((extract(TEST_CLIPS) - mean) / scale)


# --- pipelines that keep their features -----------------------------------------------------


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_equals_a_fit_on_old_and_new_recordings(fitted, share):
    parts = [(CLIPS, SPEECH.target), (OWN_CLIPS, OWN.target)]
    expected = by_hand(fitted[:2].transform, parts, [1 - share, share])
    found = adapt(fitted, OWN_CLIPS, OWN.target, share=share).predict_proba(TEST_CLIPS)
    # Kept features are rounded.
    assert_allclose(found, expected, atol=1e-3)


def test_new_recordings_are_learned_from(fitted, adapted):
    assert adapted.score(TEST_CLIPS, TEST.target) > fitted.score(TEST_CLIPS, TEST.target) + 0.1


def test_recordings_are_standardised_as_the_new_ones(adapted):
    extract = adapted[:2].transform
    mean, scale = shrunk_scalers([extract(CLIPS), extract(OWN_CLIPS)])[1]
    expected = (extract(OWN_CLIPS) - mean) / scale
    assert_allclose(adapted[:-1].transform(OWN_CLIPS), expected, atol=1e-3)


def test_share_by_default(fitted, adapted):
    n, n_own = len(CLIPS), len(OWN_CLIPS)
    as_many = adapt(fitted, OWN_CLIPS, OWN.target, share=n_own / (n + n_own))
    assert_allclose(as_many.predict_proba(TEST_CLIPS), adapted.predict_proba(TEST_CLIPS))
    few = [np.flatnonzero(OWN.target == label)[0] for label in ("angry", "sad")]
    clips, target = [OWN_CLIPS[i] for i in few], OWN.target[few]
    found = [adapt(fitted, clips, target, share=s).predict_proba(TEST_CLIPS) for s in (None, 0.1)]
    assert_allclose(*found)


def test_share(fitted):
    parts = [(CLIPS, SPEECH.target), (OWN_CLIPS, OWN.target)]
    for share, alone in [(1e-6, 0), (1 - 1e-6, 1)]:
        weights = [1 - alone, alone]
        found = adapt(fitted, OWN_CLIPS, OWN.target, share=share).predict_proba(TEST_CLIPS)
        expected = by_hand(fitted[:2].transform, parts, weights)
        assert_allclose(found, expected, atol=2e-3)


def test_corpora_share_the_rest_alike():
    domains = np.where(SPEECH.groups == "s00", "studio", "phone")
    fitted = fit(standardize_by_corpus(quick_pipeline()), domains=domains)
    adapted = adapt(fitted, OWN_CLIPS, OWN.target, share=0.4)
    parts = [
        ([CLIPS[i] for i in np.flatnonzero(domains == name)], SPEECH.target[domains == name])
        for name in ("studio", "phone")
    ]
    parts.append((OWN_CLIPS, OWN.target))
    expected = by_hand(fitted[:2].transform, parts, [0.3, 0.3, 0.4])
    assert_allclose(adapted.predict_proba(TEST_CLIPS), expected, atol=1e-3)
    assert sorted(set(adapted["keep"].domains_)) == ["<adapted>", "phone", "studio"]


def test_a_corpus_of_any_name_is_not_mistaken_for_the_new_recordings():
    domains = np.where(SPEECH.groups == "s00", "adapted", "trained")
    fitted = fit(standardize_by_corpus(quick_pipeline()), domains=domains)
    kept = adapt(fitted, OWN_CLIPS, OWN.target)["keep"]
    assert np.unique(kept.domains_, return_counts=True)[1].tolist() == [12, 9, 27]


def test_adapted_twice(fitted, adapted):
    half = len(OWN_CLIPS) // 2
    order = np.argsort(np.arange(len(OWN_CLIPS)) % 2, kind="stable")  # all labels in both halves
    clips, target = [OWN_CLIPS[i] for i in order], OWN.target[order]
    once = adapt(fitted, clips[:half], target[:half])
    twice = adapt(once, clips[half:], target[half:])
    expected = adapted.predict_proba(TEST_CLIPS)
    assert np.abs(once.predict_proba(TEST_CLIPS) - expected).max() > 0.01
    assert_allclose(twice.predict_proba(TEST_CLIPS), expected, atol=2e-3)
    assert len(twice["keep"].labels_) == len(CLIPS) + len(OWN_CLIPS)


@pytest.mark.parametrize("new", ["bored", "longer than the others"])
def test_new_labels(fitted, new):
    target = np.where(OWN.target == "sad", new, OWN.target)
    with pytest.warns(SkserWarning, match=f"'{new}' of 4 recordings is new to .*angry, calm, sad"):
        adapted = adapt(fitted, OWN_CLIPS, target)
    assert adapted.classes_.tolist() == sorted(["angry", "calm", "sad", new])
    assert new in adapted.predict(OWN_CLIPS)
    with pytest.warns(SkserWarning, match="is new"):
        as_objects = adapt(fitted, OWN_CLIPS, target.astype(object))
    assert_array_equal(as_objects.predict_proba(CLIPS), adapted.predict_proba(CLIPS))
    assert as_objects.classes_.dtype == adapted.classes_.dtype


def test_numbers_as_labels():
    numbers = dict(zip(("angry", "calm", "sad"), range(3), strict=True))
    old, new = ([numbers[label] for label in target] for target in (SPEECH.target, OWN.target))
    adapted = adapt(fit(target=old), OWN_CLIPS, new)
    assert adapted.classes_.tolist() == [0, 1, 2]


def test_the_given_pipeline_stays_as_it_is():
    """Even if its augmenter draws a new seed in every fit."""
    blocks = {"features__blocks": ["rms", "zcr"]}
    pipeline = keep_features(functionals(augment__n_views=2, random_state=None, **blocks))
    pipeline.fit(CLIPS, SPEECH.target)
    before = pickle.dumps(pipeline)
    adapted = adapt(pipeline, OWN_CLIPS, OWN.target)
    assert pickle.dumps(pipeline) == before
    adapted.set_params(load__on_error="silence", features__verbose=1)
    assert pipeline["load"].on_error == "raise"
    assert pipeline["features"].verbose == 0
    assert adapted["keep"].features_.shape == (len(CLIPS) + len(OWN_CLIPS), 2, 40)


def table_of_features():
    """Classes that a first column tells apart, of which a second one is the reverse."""
    rng = np.random.default_rng(0)
    y = np.tile(["calm", "sad"], 20)
    first = rng.normal(size=40) + 3 * (y == "sad")
    return pd.DataFrame({"first": first, "second": -first, "noise": rng.normal(size=40)}), y


@pytest.mark.parametrize(
    "classify",
    [
        LogisticRegression(),
        CNNEmotionClassifier("dense", network__dense_units=(4,), epochs=30, random_state=0),
    ],
    ids=["again", "on"],
)
def test_columns_of_features_keep_their_names(classify):
    X, y = table_of_features()
    steps = [("scale", FeatureScaler()), ("classify", classify)]
    pipeline = Pipeline(steps)
    if isinstance(classify, LogisticRegression):
        pipeline = keep_features(pipeline)
    adapted = adapt(pipeline.fit(X, y), X, y)
    assert adapted.score(X, y) > 0.7
    assert list(adapted[0].feature_names_in_) == list(X)
    for other in (X[["second", "first", "noise"]], X[["first", "second"]]):
        with pytest.raises(DataError, match=r"feature names should match|3 features"):
            adapt(pipeline, other, y)


def test_views_have_statistics_of_their_own():
    pipeline = functionals(augment__n_views=3, features__blocks=["rms", "zcr"], random_state=0)
    adapted = adapt(fit(pipeline), OWN_CLIPS, OWN.target)
    views = adapted["augment"].fit_transform(adapted["load"].transform(OWN_CLIPS))
    features = adapted["features"].transform(views).values
    stored = adapted["keep"].features_
    mean, scale = adapted["scale"].statistics_["<adapted>"]
    for view in range(3):
        expected = shrunk_scalers([stored[: len(CLIPS), view], features[:, view]])[1][0]
        assert_allclose(mean[view], expected, rtol=1e-2, atol=2e-3 * features.std())
    assert mean.shape == scale.shape == (3, features.shape[-1])


def test_scalers_of_the_members_of_a_vote():
    member = make_pipeline(StandardScaler(), LogisticRegression())
    vote = SoftVotingClassifier([("one", member), ("other", LogisticRegression())])
    adapted = adapt(fit(quick_pipeline(classify=vote)), OWN_CLIPS, OWN.target)
    assert adapted.score(TEST_CLIPS, TEST.target) > 0.4
    scaler = adapted["classify"].estimators_[0][0]
    assert set(scaler.statistics_) == {"<adapted>"}


def test_a_bunch_with_speakers_and_corpus(fitted, adapted):
    frame = OWN.frame.assign(corpus="mine")
    own = Bunch(waveforms=OWN_CLIPS, target=OWN.target, groups=OWN.groups, frame=frame)
    found = adapt(fitted, own).predict_proba(TEST_CLIPS)
    assert_array_equal(found, adapted.predict_proba(TEST_CLIPS))


def test_a_calibrated_pipeline(fitted, adapted):
    scaled = TemperatureScaledClassifier.of(fitted, 3.0)
    found = adapt(scaled, OWN_CLIPS, OWN.target)
    assert isinstance(found, Pipeline)
    assert_array_equal(found.predict_proba(TEST_CLIPS), adapted.predict_proba(TEST_CLIPS))


def test_an_adapted_pipeline_adapts_without_labels(adapted):
    batch = [clip / 10 for clip in TEST_CLIPS]
    table = predict_table(adapted, batch, adapt=True)
    expected = adapted[-1].predict_proba(standardized(adapted[:2].transform(batch)))
    assert_allclose(table[adapted.classes_], expected, atol=1e-4)


def test_an_adapted_pipeline_is_evaluated_as_one_of_several_corpora(adapted):
    corpus = np.where(np.arange(len(CLIPS)) % 2, "studio", "phone")
    speech = Bunch(**SPEECH | {"waveforms": CLIPS, "frame": SPEECH.frame.assign(corpus=corpus)})
    evaluation = skser.evaluate(adapted, speech)
    assert "mean and deviation of each corpus" in evaluation.protocol
    assert evaluation.to_frame().loc["uar", "pooled"] > 0.4


def test_model_files(fitted, adapted, tmp_path):
    skser.save(fitted, tmp_path / "general.skser")
    expected = adapted.predict_proba(TEST_CLIPS)
    own = adapt(skser.load(tmp_path / "general.skser"), OWN_CLIPS, OWN.target)
    assert_allclose(own.predict_proba(TEST_CLIPS), expected, atol=1e-6)
    path = tmp_path / "mine.skser"
    skser.save(own, path)
    loaded = skser.load(path)
    assert_allclose(loaded.predict_proba(TEST_CLIPS), expected, atol=1e-6)
    twice = [adapt(p, OWN_CLIPS, OWN.target).predict_proba(TEST_CLIPS) for p in (own, loaded)]
    assert_allclose(*twice, atol=1e-6)


@pytest.mark.slow
def test_a_light_model_needs_no_scikit_learn(tmp_path):
    pipeline = functionals(augment__n_views=2, features__blocks=["rms", "zcr"], random_state=0)
    adapted = adapt(fit(pipeline), OWN_CLIPS, OWN.target)
    path, clip = tmp_path / "mine.skser", tmp_path / "clip.wav"
    skser.save(adapted, path)
    soundfile.write(clip, OWN_CLIPS[0] / 10, 16000)
    found = load_light(path).predict_proba(str(clip))
    assert_allclose(found, adapted.predict_proba([clip])[0], atol=1e-4)
    code = (
        "import sys; from skser.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "assert not {'sklearn', 'pandas', 'tensorflow'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, "predict", str(path), str(clip), "--csv", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("file,emotion")


# --- networks -------------------------------------------------------------------------------

NETWORK = CNNEmotionClassifier(
    "dense",
    network__dense_units=(8,),
    network__dense_dropout=0.0,
    epochs=3,
    optimizer="sgd",
    learning_rate=0.05,
    schedule=None,
    clip_norm=None,
    weight_decay=0,
    random_state=0,
)


@pytest.fixture(scope="module", params=["vectors", "sequences"])
def network(request):
    pipeline = quick_pipeline(classify=NETWORK)
    if request.param == "sequences":
        pipeline.set_params(features=FeatureUnionExtractor(["rms", "zcr"], statistics=None))
    return pipeline.fit(CLIPS, SPEECH.target)


@pytest.mark.slow
def test_networks_go_on_from_their_weights(network):
    before = pickle.dumps(network)
    adapted = adapt(network, OWN_CLIPS, OWN.target, groups=OWN.groups)
    assert pickle.dumps(network) == before
    by_hand = pickle.loads(before)["classify"].set_params(warm_start=True, learning_rate=0.005)
    by_hand.fit(network[:-1].transform(OWN_CLIPS), OWN.target)
    features = network[:-1].transform(TEST_CLIPS)
    assert_allclose(adapted.predict_proba(TEST_CLIPS), by_hand.predict_proba(features), atol=1e-5)
    for name in ("warm_start", "learning_rate", "epochs"):
        assert getattr(adapted["classify"], name) == getattr(network["classify"], name)
    assert_array_equal(adapted["scale"].mean_, network["scale"].mean_)


@pytest.mark.slow
def test_networks_learn_new_labels_and_are_adapted_from_files(network, tmp_path):
    target = np.where(OWN.target == "sad", "bored", OWN.target)
    skser.save(network, tmp_path / "model.skser")
    loaded = skser.load(tmp_path / "model.skser")
    with pytest.warns(SkserWarning, match="'bored' .*is new"):
        adapted = adapt(loaded, OWN_CLIPS, target)
    assert adapted.classes_.tolist() == ["angry", "bored", "calm", "sad"]
    with pytest.warns(SkserWarning, match="'bored' .*is new"):
        expected = adapt(network, OWN_CLIPS, target).predict_proba(TEST_CLIPS)
    assert_allclose(adapted.predict_proba(TEST_CLIPS), expected, atol=1e-4)
    with pytest.warns(SkserWarning, match="starts from new weights"):
        loaded["classify"].fit(loaded[:-1].transform(CLIPS), SPEECH.target)


@pytest.mark.slow
def test_networks_see_new_views():
    pipeline = Pipeline(
        [
            ("load", AudioLoader(duration=0.25)),
            ("augment", skser.Augmenter(n_views=2, random_state=0)),
            ("features", FeatureUnionExtractor(["rms", "zcr"])),
            ("scale", FeatureScaler()),
            ("classify", NETWORK),
        ]
    ).fit(CLIPS, SPEECH.target)
    adapted = adapt(pipeline, OWN_CLIPS, OWN.target)
    views = pipeline["augment"].fit_transform(pipeline["load"].transform(OWN_CLIPS))
    features = pipeline[2:4].transform(views)
    by_hand = pipeline["classify"].set_params(warm_start=True, learning_rate=0.005)
    by_hand.fit(features, OWN.target)
    assert_allclose(
        adapted["classify"].predict_proba(features), by_hand.predict_proba(features), atol=1e-5
    )


def test_a_few_recordings_are_not_held_out(network):
    """Also if the network was trained with a validation part."""
    pipeline = pickle.loads(pickle.dumps(network))
    pipeline["classify"].set_params(validation_fraction=0.3, early_stopping=2)
    few = [np.flatnonzero(OWN.target == label)[0] for label in ("angry", "sad")]
    adapted = adapt(pipeline, [OWN_CLIPS[i] for i in few], OWN.target[few], groups=["me", "me"])
    assert adapted["classify"].early_stopping == 2


# --- errors ---------------------------------------------------------------------------------


class Unweighted(ClassifierMixin, BaseEstimator):
    """A classifier without sample_weight."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def no_extraction(fitted, monkeypatch):
    """Any extraction of features raises."""

    def fail(self, *args):
        raise AssertionError("extracted before the check")

    monkeypatch.setattr(_plan.FeaturePlan, "__call__", fail)


def fitted_with(classifier=None, scale=None):
    params = {} if classifier is None else {"classify": classifier}
    pipeline = quick_pipeline(**params, **({} if scale is None else {"scale": scale}))
    metadata = {"groups": SPEECH.groups} if isinstance(scale, SpeakerNormalizer) else {}
    return fit(pipeline, **metadata)


PLAIN = quick_pipeline().fit(CLIPS, SPEECH.target)
BY_SPEAKER = fitted_with(scale=SpeakerNormalizer(transductive=True))
UNWEIGHTED = fitted_with(Unweighted())
UNWEIGHTED_VOTE = fitted_with(
    BlockVotingClassifier(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1), n_blocks=2)
)


@pytest.mark.usefixtures("no_extraction")
@pytest.mark.parametrize(
    ("pipeline", "error", "reason"),
    [
        (PLAIN, ParameterError, r"keep_features.*--keep-features.*, got .*LogisticRegression"),
        (PLAIN["classify"], ParameterError, r"keep_features.*, got .*LogisticRegression"),
        (
            TemperatureScaledClassifier.of(PLAIN, 2.0),
            ParameterError,
            r"keep_features.*, got .*LogisticRegression",
        ),
        (BY_SPEAKER, ParameterError, "must not standardise by speaker .*standardize_by_corpus"),
        (UNWEIGHTED, ParameterError, "sample_weight, such as .*got Unweighted"),
        (UNWEIGHTED_VOTE, ParameterError, "sample_weight, such as .*got BlockVotingClassifier"),
        (keep_features(quick_pipeline()), NotFittedError, "Pipeline instance is not fitted"),
        (TemperatureScaledClassifier(PLAIN), NotFittedError, "is not fitted"),
    ],
)
def test_pipelines_that_cannot_be_adapted(pipeline, error, reason):
    with pytest.raises(error, match=reason):
        adapt(pipeline, OWN_CLIPS, OWN.target)


@pytest.mark.usefixtures("no_extraction")
@pytest.mark.parametrize(
    ("X", "y", "error", "reason"),
    [
        (
            OWN_CLIPS,
            np.arange(12) % 3,
            DataError,
            r"y must have labels .* \[0\] beside \['angry'\]",
        ),
        (OWN_CLIPS, ["sad"] * 12, DataError, "at least two classes, got one class only: 'sad'"),
        (OWN_CLIPS, None, DataError, "y must be given"),
        (OWN_CLIPS, ["sad", "calm"], DataError, "12 clips, 2 labels"),
        (
            Bunch(waveforms=OWN_CLIPS, target=OWN.target, sr=800),
            None,
            DataError,
            r"corpus: .* rate .*\[4000, 192000\] Hz, got 800",
        ),
        (["nowhere.wav", "gone.wav"], ["sad", "calm"], AudioNotFoundError, "nowhere.wav: does not"),
    ],
)
def test_unusable_recordings_and_labels(fitted, X, y, error, reason):
    with pytest.raises(error, match=reason):
        adapt(fitted, X, y)


@pytest.mark.usefixtures("no_extraction")
def test_labels_of_another_type_than_those_of_a_network(network):
    with pytest.raises(DataError, match=r"y must have labels .* \[0\] beside \['angry'\]"):
        adapt(network, OWN_CLIPS, np.arange(12) % 3)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, "half"])
def test_bad_share(fitted, share):
    with pytest.raises(ParameterError, match=rf"share must be .*\(0, 1\) or None, got {share!r}"):
        adapt(fitted, OWN_CLIPS, OWN.target, share=share)


def test_features():
    before = quick_pipeline()[:2]
    X, own, test = (before.fit_transform(clips) for clips in (CLIPS, OWN_CLIPS, TEST_CLIPS))
    classifier = Pipeline(quick_pipeline().steps[2:])
    expected = adapt(fit(), OWN_CLIPS, OWN.target).predict_proba(TEST_CLIPS)
    adapted = adapt(fit(classifier, X), own, OWN.target)
    assert_allclose(adapted.predict_proba(test), expected, rtol=1e-5)
    adapted = adapt(fit(classifier, X), Bunch(data=own, target=OWN.target))
    assert_allclose(adapted.predict_proba(test), expected, rtol=1e-5)
