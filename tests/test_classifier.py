import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import cross_val_score

from skser import AugmentedFeatures, CNNEmotionClassifier
from skser.exceptions import DataError, NotFittedError, ParameterError

TINY = {"filters": (8,), "dense_units": 8, "epochs": 3, "random_state": 0}


def speech_like(n_clips=30, n_frames=12, n_features=3, seed=0):
    """Sequences of three classes that differ in the mean of a feature."""
    rng = np.random.default_rng(seed)
    y = np.array(["angry", "calm", "sad"])[np.arange(n_clips) % 3]
    X = 0.3 * rng.normal(size=(n_clips, n_frames, n_features)).astype(np.float32)
    X[..., 0] += (np.arange(n_clips) % 3)[:, None] - 1
    return X, y


@pytest.fixture(scope="module")
def fitted():
    X, y = speech_like()
    return CNNEmotionClassifier(
        **{**TINY, "epochs": 30, "learning_rate": 0.02, "dropout": 0.0}
    ).fit(X, y)


def test_is_classifier():
    assert is_classifier(CNNEmotionClassifier())


def test_learns_sequences(fitted):
    X, y = speech_like(seed=1)
    assert fitted.score(X, y) > 0.9
    assert_array_equal(fitted.classes_, ["angry", "calm", "sad"])
    assert fitted.n_features_in_ == 3


def test_probabilities(fitted):
    X, _ = speech_like()
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (30, 3)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(fitted.predict(X), fitted.classes_[probabilities.argmax(axis=1)])


def test_one_clip_is_as_in_a_batch(fitted):
    X, _ = speech_like()
    assert fitted.predict_proba(X[:1]).shape == (1, 3)
    assert_allclose(fitted.predict_proba(X[:1]), fitted.predict_proba(X)[:1], rtol=1e-4)


def test_more_rows_than_a_block(fitted):
    X, _ = speech_like(n_clips=600)
    assert_allclose(fitted.predict_proba(X)[590:], fitted.predict_proba(X[590:]), rtol=1e-4)


@pytest.mark.parametrize("n_padding", [1, 4, 20])
def test_padding_frames_do_not_count(fitted, n_padding):
    X, _ = speech_like(n_frames=16)
    padded = np.pad(X, ((0, 0), (0, n_padding), (0, 0)), constant_values=np.nan)
    assert_allclose(fitted.predict_proba(padded), fitted.predict_proba(X), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("n_features", [1, 2, 3, 13, 195])
def test_vectors_of_any_size(n_features):
    X = np.random.default_rng(0).normal(size=(12, n_features))
    y = ["happy", "sad"] * 6
    classifier = CNNEmotionClassifier(filters=(4, 4, 4), epochs=1, random_state=0).fit(X, y)
    assert classifier.predict_proba(X[:1]).shape == (1, 2)


@pytest.mark.parametrize("n_frames", [1, 2, 50])
def test_sequences_of_any_length(fitted, n_frames):
    assert fitted.predict_proba(np.ones((2, n_frames, 3))).shape == (2, 3)


def test_one_seed_one_result():
    X, y = speech_like()
    first, second = (CNNEmotionClassifier(**TINY).fit(X, y).predict_proba(X) for _ in range(2))
    assert_array_equal(first, second)
    other = CNNEmotionClassifier(**{**TINY, "random_state": 1}).fit(X, y).predict_proba(X)
    assert not np.allclose(first, other)


def test_no_seed_after_a_seed():
    # scikeras makes TensorFlow deterministic for good, which an unseeded fit must survive.
    X, y = speech_like()
    unseeded = CNNEmotionClassifier(**{**TINY, "random_state": None, "epochs": 1})
    first, second = (clone(unseeded).fit(X, y).predict_proba(X) for _ in range(2))
    assert not np.allclose(first, second)


def test_users_own_code_may_go_unseeded_after_a_fit():
    import tensorflow as tf

    X, y = speech_like()
    CNNEmotionClassifier(**{**TINY, "epochs": 1}).fit(X, y)
    draws = tf.random.uniform([2, 8])
    assert not np.allclose(draws[0], draws[1])


def test_padding_does_not_change_what_is_learnt():
    X, y = speech_like()
    padded = np.pad(X, ((0, 0), (0, 20), (0, 0)), constant_values=np.nan)
    classifier = CNNEmotionClassifier(**{**TINY, "dropout": 0.0, "filters": (8, 8)})
    plain, masked = (clone(classifier).fit(Z, y).predict_proba(X) for Z in (X, padded))
    assert_allclose(masked, plain, rtol=1e-2, atol=1e-3)


def test_numpy_scalars_of_a_search():
    X, y = speech_like()
    CNNEmotionClassifier(
        filters=np.array([4, 4]),
        kernel_size=np.int64(3),
        dense_units=np.int32(4),
        dropout=np.float32(0.1),
        epochs=np.int64(1),
        batch_size=np.int64(8),
        learning_rate=np.float32(0.01),
    ).fit(X, y)


def test_the_global_random_state_is_left_alone():
    X, y = speech_like()
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    CNNEmotionClassifier(**{**TINY, "epochs": 1}).fit(X, y)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_views_are_rows_in_fit_and_averaged_in_predict():
    X, y = speech_like()
    views = AugmentedFeatures(np.stack([X, X + 0.01], axis=1))
    classifier = CNNEmotionClassifier(**TINY).fit(views, y)
    rows = CNNEmotionClassifier(**TINY).fit(views.flatten(), views.repeat(y))
    assert_array_equal(classifier.predict_proba(X), rows.predict_proba(X))
    assert_allclose(
        classifier.predict_proba(views),
        (classifier.predict_proba(X) + classifier.predict_proba(X + np.float32(0.01))) / 2,
        rtol=1e-4,
    )


def test_class_weight_balances():
    X, y = speech_like(n_clips=60)
    rare = np.r_[np.flatnonzero(y == "angry")[:2], np.flatnonzero(y != "angry")]
    X, y = np.zeros_like(X[rare]), y[rare]
    prior = CNNEmotionClassifier(
        filters=(4,), epochs=80, batch_size=64, dropout=0.0, learning_rate=0.05, random_state=0
    )
    plain, balanced = (
        clone(prior).set_params(class_weight=weight).fit(X, y).predict_proba(X[:1])[0]
        for weight in (None, "balanced")
    )
    assert_allclose(plain, [2 / 42, 20 / 42, 20 / 42], atol=0.03)
    assert_allclose(balanced, [1 / 3] * 3, atol=0.03)


def test_class_weight_equals_sample_weight():
    X, y = speech_like()
    weights = {"angry": 3.0, "calm": 1.0, "sad": 0.5}
    by_class = CNNEmotionClassifier(**TINY, class_weight=weights).fit(X, y)
    by_clip = CNNEmotionClassifier(**TINY).fit(X, y, sample_weight=[weights[label] for label in y])
    assert_allclose(by_class.predict_proba(X), by_clip.predict_proba(X), rtol=1e-5)


def test_history(fitted):
    assert set(fitted.history_) == {"loss", "accuracy"}
    assert len(fitted.history_["loss"]) == 30
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]


def test_validation_part_is_whole_clips_of_every_class(monkeypatch):
    from skser import _keras_backend

    seen = {}

    def spy(X, y, **kwargs):
        seen.update(X=X, y=y, validation=kwargs["validation"])
        raise InterruptedError

    monkeypatch.setattr(_keras_backend, "train", spy)
    _, y = speech_like()
    clip_numbers = np.arange(30, dtype=np.float32).reshape(30, 1, 1) + 1
    views = AugmentedFeatures(np.broadcast_to(clip_numbers, (30, 4, 5)).copy())
    with pytest.raises(InterruptedError):
        CNNEmotionClassifier(**TINY, validation_fraction=0.2).fit(views, y)
    watched, labels = seen["validation"]
    assert_array_equal(np.bincount(labels), [8, 8, 8])
    assert not set(watched[:, 0]) & set(seen["X"][:, 0])
    assert len(watched) + len(seen["X"]) == 120


def test_validation_history():
    X, y = speech_like()
    classifier = CNNEmotionClassifier(**TINY, validation_fraction=0.2).fit(X, y)
    assert set(classifier.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_pickles_small_and_equal(fitted):
    X, _ = speech_like()
    state = pickle.dumps(fitted)
    assert_array_equal(pickle.loads(state).predict_proba(X), fitted.predict_proba(X))
    weights = sum(w.nbytes for w in fitted.network_.weights)
    assert len(state) < weights + 20_000


def test_loads_in_a_new_process(fitted, tmp_path):
    X, _ = speech_like()
    joblib.dump((fitted, X), tmp_path / "model.joblib")
    program = (
        "import joblib, sys; model, X = joblib.load(sys.argv[1]);"
        "print(model.predict_proba(X).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "model.joblib"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == fitted.predict_proba(X).tobytes().hex()
    assert done.stderr == ""


def test_predict_traces_once(fitted, monkeypatch):
    from skser.networks import FrameMask

    traces = []
    call = FrameMask.call

    def counted(self, frames):
        traces.append(frames)
        return call(self, frames)

    # Python runs a layer's call only while the graph is traced.
    monkeypatch.setattr(FrameMask, "call", counted)
    model = pickle.loads(pickle.dumps(fitted))
    X, _ = speech_like()
    model.predict(X[:1])
    n_traces = len(traces)
    for n in (1, 2, 7, 30):
        model.predict(X[:n, : n + 2])
    assert len(traces) == n_traces > 0


def test_in_cross_validation_and_parallel():
    X, y = speech_like()
    alone, parallel = (
        cross_val_score(CNNEmotionClassifier(**TINY), X, y, cv=2, n_jobs=n) for n in (1, 2)
    )
    assert_allclose(alone, parallel)


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("epochs", 0, "an integer of at least 1"),
        ("filters", (), "a sequence of integers of at least 1"),
        ("filters", (8, 0), "a sequence of integers of at least 1"),
        ("dropout", 1.0, "a number in [0, 0.95]"),
        ("learning_rate", 0, "a number above 0"),
        ("class_weight", "even", "a dict or 'balanced' or None"),
        ("validation_fraction", 1.5, "a number in [0, 0.9]"),
        ("random_state", -1, "an integer in [0, 2**32 - 1], a numpy RandomState or None"),
    ],
)
def test_bad_parameters(parameter, value, allowed):
    X, y = speech_like()
    with pytest.raises(ParameterError) as error:
        CNNEmotionClassifier(**{**TINY, parameter: value}).fit(X, y)
    assert str(error.value) == f"{parameter} must be {allowed}, got {value!r}"


def test_bad_input(fitted):
    X, y = speech_like()
    with pytest.raises(NotFittedError, match="This CNNEmotionClassifier instance is not fitted"):
        CNNEmotionClassifier().predict(X)
    with pytest.raises(DataError, match="X must be sequences as in fit, got vectors"):
        fitted.predict(X[:, 0])
    with pytest.raises(
        DataError, match="X has 2 features, but CNNEmotionClassifier is expecting 3"
    ):
        fitted.predict(X[..., :2])
    with pytest.raises(DataError, match=r"X must be of shape \(n_clips, n_features\) or"):
        CNNEmotionClassifier().fit(X[:, :, None], y)
    with pytest.raises(DataError, match="y must have at least two classes"):
        CNNEmotionClassifier().fit(X, ["calm"] * 30)
    with pytest.raises(DataError, match=r"validation_fraction=0.05 of 30 clips cannot be taken"):
        CNNEmotionClassifier(**TINY, validation_fraction=0.05).fit(X, y)


def test_nan_fills_whole_frames_only(fitted):
    X, y = speech_like()
    X[3, 5, 1] = np.nan
    with pytest.raises(DataError, match="X must have NaN only where it fills whole frames"):
        fitted.predict(X)
    with pytest.raises(DataError, match="X must have NaN only where it fills whole frames"):
        CNNEmotionClassifier().fit(AugmentedFeatures(X), y)  # views of vectors
    X[3, 5, 1] = np.inf
    with pytest.raises(DataError, match="X must not have infinite values"):
        fitted.predict(AugmentedFeatures(X[:, None]))
    with pytest.raises(DataError, match="X must hold numbers, got dtype object"):
        fitted.predict(AugmentedFeatures(X[:, None].astype(object)))


def test_bad_weights():
    X, y = speech_like()
    with pytest.raises(DataError, match="Negative values in data"):
        CNNEmotionClassifier(**TINY).fit(X, y, sample_weight=-np.ones(30))
    with pytest.raises(DataError, match="are not in class_weight"):
        CNNEmotionClassifier(**TINY, class_weight={"joy": 2}).fit(X, y)
