"""The whole chain, from paths to emotions, in scikit-learn's hands."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skser import (
    AudioLoader,
    AugmentedClassifier,
    AugmentedFeatures,
    Augmenter,
    CNNEmotionClassifier,
    FeatureScaler,
    FeatureUnionExtractor,
    make_emotion_pipeline,
)
from skser.datasets import load_ravdess, make_emotional_speech
from skser.exceptions import SkserError
from skser.recipes import functionals, residual_network

from .classifiers.test_cnn import LINEAR, speech_like

TINY = {
    "load__duration": 0.5,
    "features__mel__n_mels": 16,
    "augment__n_views": 1,
    "classify__network__filters": (8,),
    "classify__epochs": 2,
    "classify__optimizer": "sgd",  # with the next three, half the time to trace
    "classify__schedule": None,
    "classify__clip_norm": None,
    "classify__weight_decay": 0,
}
TINY_VOTE = {
    name if name.startswith(("load", "augment")) else f"vote__network__{name}": value
    for name, value in TINY.items()
}


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """Files of three speakers with three emotions, four clips each."""
    return make_emotional_speech(
        tmp_path_factory.mktemp("speech"),
        n_speakers=3,
        emotions=("angry", "neutral", "sad"),
        n_sentences=2,
        n_takes=2,
        random_state=0,
    )


def quick_pipeline(classifier=None, **augment):
    """A pipeline without a network, for what does not concern it."""
    return Pipeline(
        [
            ("load", AudioLoader(duration=1.0)),
            ("augment", Augmenter(random_state=0, **augment)),
            ("features", FeatureUnionExtractor(["mfcc", "rms"], statistics=("mean", "std"))),
            ("scale", FeatureScaler()),
            ("classify", AugmentedClassifier(classifier or LogisticRegression(max_iter=1000))),
        ]
    )


@pytest.fixture(scope="module")
def fitted(speech):
    return make_emotion_pipeline(random_state=0, **TINY_VOTE).fit(speech.paths, speech.target)


def test_steps():
    pipeline = make_emotion_pipeline()
    assert [name for name, _ in pipeline.steps] == ["load", "augment", "vote"]
    assert is_classifier(pipeline)


def test_parameters_reach_the_steps():
    pipeline = make_emotion_pipeline(
        random_state=3, n_jobs=2, memory="cache", verbose=1, load__sr=8000
    )
    params = pipeline.get_params()
    assert params["load__sr"] == 8000
    assert params["augment__random_state"] == 3
    assert params["vote__network__classify__random_state"] == 3
    assert params["vote__network__classify__verbose"] == 1
    for member in ("functionals", "network"):
        assert params[f"vote__{member}__features__n_jobs"] == 2
        assert params[f"vote__{member}__features__memory"] == "cache"
        assert params[f"vote__{member}__features__verbose"] == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("classify__epochs", "'vote__network__classify__epochs'"),
        ("load__duratoin", "'load__duration'"),
        ("xyz", ""),
    ],
)
def test_unknown_parameter(name, hint):
    with pytest.raises(SkserError, match=rf"no parameter {name!r}.*{hint}"):
        make_emotion_pipeline(**{name: 3})


def test_members_are_the_recipes_of_their_own():
    pipeline = make_emotion_pipeline(random_state=0, n_jobs=2)
    for name, recipe in (("functionals", functionals), ("network", residual_network)):
        alone = recipe(random_state=0, n_jobs=2)
        member = pipeline["vote"].named_estimators[name]
        assert repr(pipeline[:2].steps + member.steps) == repr(alone.steps)


@pytest.mark.slow
def test_both_members_vote(fitted, speech):
    clips = fitted["load"].transform(speech.paths[:5])
    functionals, network = (
        member.predict_proba(clips) for member in fitted["vote"].named_estimators_.values()
    )
    assert_allclose(fitted.predict_proba(speech.paths[:5]), 0.3 * functionals + 0.7 * network)


@pytest.mark.slow
def test_a_member_can_be_left_out(speech):
    short = {"random_state": 0, "load__duration": 0.5, "augment__n_views": 1}
    pipeline = make_emotion_pipeline(vote__network="drop", **short)
    pipeline.fit(speech.paths, speech.target)
    alone = functionals(**short).fit(speech.paths, speech.target)
    assert_allclose(pipeline.predict_proba(speech.paths[:5]), alone.predict_proba(speech.paths[:5]))


@pytest.mark.slow
def test_speakers_reach_the_network_of_the_default(speech):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_emotion_pipeline(random_state=0, **TINY_VOTE)
        network = pipeline["vote"].named_estimators["network"]["classify"]
        network.set_params(validation_fraction=0.3)
        pipeline.fit(speech.paths, speech.target, groups=speech.groups)
    watched = pipeline["vote"].named_estimators_["network"]["classify"].validation_clips_
    assert len(set(speech.groups[watched])) == 1
    assert len(watched) == (speech.groups == speech.groups[watched[0]]).sum()


@pytest.mark.slow
def test_functionals_tell_emotions_of_strangers(speech, tmp_path):
    predicted = cross_val_predict(
        functionals(random_state=0, memory=tmp_path),
        speech.paths,
        speech.target,
        groups=speech.groups,
        cv=LeaveOneGroupOut(),
    )
    assert balanced_accuracy_score(speech.target, predicted) > 0.6


def test_paths_to_emotions(fitted, speech):
    probabilities = fitted.predict_proba(speech.paths[:5])
    assert probabilities.shape == (5, 3)
    assert_array_equal(fitted.predict(speech.paths[:5]), fitted.classes_[probabilities.argmax(1)])
    assert_array_equal(fitted.classes_, ["angry", "neutral", "sad"])


@pytest.mark.slow
def test_clone_and_new_process_give_identical_probabilities(fitted, speech, tmp_path):
    expected = fitted.predict_proba(speech.paths[:6])
    again = clone(fitted).fit(speech.paths, speech.target)
    assert_array_equal(again.predict_proba(speech.paths[:6]), expected)
    joblib.dump((fitted, speech.paths[:6]), tmp_path / "model.joblib")
    program = (
        "import joblib, sys; model, paths = joblib.load(sys.argv[1]);"
        "print(model.predict_proba(paths).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, tmp_path / "model.joblib"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected.tobytes().hex()


@pytest.mark.slow
def test_grid_search_over_all_steps_in_two_processes(speech):
    search = GridSearchCV(
        residual_network(random_state=0, **TINY, classify__architecture="cnn_average_pooling"),
        [
            {"load__duration": [0.5], "features__mel__n_mels": [8]},
            {"classify__network__dropout": [0.2]},
        ],
        cv=GroupKFold(2),
        scoring="balanced_accuracy",
        n_jobs=2,
        error_score="raise",
    )
    search.fit(speech.paths, speech.target, groups=speech.groups)
    assert len(search.cv_results_["params"]) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(speech.paths[:2]).shape == (2,)


@pytest.mark.slow
def test_networks_in_two_processes_learn_the_same():
    """Beside the search above, whose processes have imported TensorFlow."""
    X, y = speech_like()
    alone, parallel = (
        cross_val_score(CNNEmotionClassifier(**LINEAR), X, y, cv=2, n_jobs=n) for n in (1, 2)
    )
    assert_allclose(alone, parallel)


def test_cross_val_score_by_speaker(speech):
    scores = cross_val_score(
        quick_pipeline(),
        speech.paths,
        speech.target,
        groups=speech.groups,
        cv=LeaveOneGroupOut(),
        scoring="balanced_accuracy",
    )
    assert scores.shape == (3,)
    assert scores.mean() > 1 / 3


class Recorder(LogisticRegression):
    """Keeps the rows that it is fitted on and asked about."""

    seen: list = []

    def fit(self, X, y, sample_weight=None):
        Recorder.seen.append(("fit", X.copy()))
        return super().fit(X, y, sample_weight)

    def predict(self, X):
        Recorder.seen.append(("predict", X.copy()))
        return super().predict(X)


@pytest.mark.slow
def test_views_never_cross_folds_and_nothing_is_augmented_at_predict(speech):
    n_views = 3
    # No scaler: then the features of a clip are the same in every fold.
    steps = quick_pipeline(Recorder(max_iter=2000), n_views=n_views).steps
    pipeline = Pipeline([step for step in steps if step[0] != "scale"])
    clean = make_pipeline(*(step for name, step in steps[:3] if name != "augment"))
    clean_rows = clean.fit_transform(speech.paths)
    views = pipeline[:3].fit_transform(speech.paths).values
    assert_array_equal(views[:, 0], clean_rows)

    Recorder.seen = []
    n_folds = 0
    for train, test in GroupKFold(3).split(speech.paths, speech.target, speech.groups):
        clone(pipeline).fit(speech.paths[train], speech.target[train]).predict(speech.paths[test])
        (_, fitted_rows), (_, asked_rows) = Recorder.seen[2 * n_folds :]
        # Exactly the views of the training clips, and no view of a test clip.
        assert_array_equal(fitted_rows, views[train].reshape(len(train) * n_views, -1))
        assert not {row.tobytes() for row in views[test].reshape(-1, views.shape[2])} & {
            row.tobytes() for row in fitted_rows
        }
        # Exactly the clean test clips, one row each.
        assert_array_equal(asked_rows, clean_rows[test])
        n_folds += 1
    assert n_folds == 3


def test_test_time_views_are_averaged(speech):
    pipeline = quick_pipeline(n_views=3, test_time=True).fit(speech.paths, speech.target)
    features = pipeline[:4].transform(speech.paths[:4])
    assert isinstance(features, AugmentedFeatures)
    rows = pipeline[-1].estimator_.predict_proba(features.flatten())
    assert_allclose(pipeline.predict_proba(speech.paths[:4]), rows.reshape(4, 3, 3).mean(axis=1))


@pytest.mark.slow
def test_subset_order_and_processes_give_identical_features(speech):
    extract = quick_pipeline(n_views=2)[:3]
    everything = extract.fit_transform(speech.paths).values
    order = np.random.default_rng(0).permutation(len(speech.paths))[:10]
    assert_array_equal(extract.fit_transform(speech.paths[order]).values, everything[order])
    parallel = clone(extract).set_params(features__n_jobs=2)
    assert_array_equal(parallel.fit_transform(speech.paths).values, everything)


def test_any_scikit_learn_classifier_without_augmentation(speech):
    pipeline = make_pipeline(
        AudioLoader(duration=1.0), FeatureUnionExtractor(["mfcc"]), StandardScaler(), SVC()
    )
    predicted = cross_val_predict(
        pipeline, speech.paths, speech.target, groups=speech.groups, cv=GroupKFold(3)
    )
    assert balanced_accuracy_score(speech.target, predicted) > 1 / 3


def test_augmented_features_tell_what_to_do(speech):
    pipeline = make_pipeline(AudioLoader(), Augmenter(), FeatureUnionExtractor(["rms"]), SVC())
    with pytest.raises(TypeError, match=r"skser\.AugmentedClassifier"):
        pipeline.fit(speech.paths, speech.target)


@pytest.fixture
def no_extraction(monkeypatch):
    from skser.features.extraction import _parallel

    monkeypatch.setattr(_parallel, "_extract_chunk", lambda *_: pytest.fail("extraction began"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda y: y[:-1], "y must have .* 36 clips, 35 labels"),
        (lambda y: ["calm"] * len(y), "y must have at least two classes.* 'calm'"),
        (lambda y: [None, *y[1:]], "y must have no missing labels, got None in row 0"),
    ],
)
@pytest.mark.usefixtures("no_extraction")
def test_bad_labels_come_before_extraction(speech, labels, message):
    with pytest.raises(SkserError, match=message):
        make_emotion_pipeline(**TINY_VOTE).fit(speech.paths, labels(speech.target))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"augment__n_views": 0}, "n_views must be .* got 0"),
        ({"augment__noise": (30, 15)}, r"noise must be .* got \(30, 15\)"),
        ({"load__sr": 100}, "sr must be .* got 100"),
        ({"features__hop_length": 0}, "hop_length must be .* got 0"),
    ],
)
@pytest.mark.usefixtures("no_extraction")
def test_bad_parameters_come_before_extraction(speech, parameters, message):
    with pytest.raises(SkserError, match=message):
        residual_network(**{**TINY, **parameters}).fit(speech.paths, speech.target)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("load__sr", "sr must be .* got 0"),
        ("vote__functionals__features__hop_length", "hop_length must be .* got 0"),
    ],
)
@pytest.mark.usefixtures("no_extraction")
def test_bad_parameters_of_the_default_come_before_extraction(speech, name, message):
    with pytest.raises(SkserError, match=message):
        make_emotion_pipeline(**{name: 0}).fit(speech.paths, speech.target)


@pytest.mark.usefixtures("no_extraction")
def test_missing_file_comes_before_extraction(speech):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav: does not exist"):
        make_emotion_pipeline(**TINY_VOTE).fit(
            [*speech.paths, "nowhere.wav"], [*speech.target, "sad"]
        )


def test_names_of_features(speech):
    pipeline = quick_pipeline(n_views=1)[:-1].fit(speech.paths)
    names = pipeline.get_feature_names_out()
    assert len(names) == pipeline.transform(speech.paths[:1]).shape[1]
    assert names[-1] == "rms_std"


@pytest.mark.parametrize("as_type", [list, np.asarray, pd.Series])
def test_paths_without_a_loader(speech, as_type):
    with pytest.raises(SkserError, match="recordings must go through an AudioLoader first"):
        FeatureUnionExtractor(["rms"]).fit(as_type(speech.paths))


def test_unfitted_pipeline(speech):
    with pytest.raises(ValueError, match="not fitted yet"):
        make_emotion_pipeline().predict(speech.paths)


@pytest.mark.slow
def test_real_speech(speech_home):
    ravdess = load_ravdess(speech_home / "ravdess")
    some = ravdess.groups <= "ravdess-04"
    paths, target, groups = ravdess.paths[some], ravdess.target[some], ravdess.groups[some]
    pipeline = quick_pipeline(SVC(C=10), n_views=1).set_params(load__trim_db=30)
    predicted = cross_val_predict(pipeline, paths, target, groups=groups, cv=LeaveOneGroupOut())
    assert balanced_accuracy_score(target, predicted) > 0.2
