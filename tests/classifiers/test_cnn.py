import pickle
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from skser import (
    AugmentedFeatures,
    Augmenter,
    Clips,
    CNNEmotionClassifier,
    FeatureScaler,
    FeatureUnionExtractor,
)
from skser.classifiers._fitting import network_builder
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.networks._tensorflow import keras
from skser.networks._trained_network import TrainedNetwork

# Clips as they are.
PLAIN = {
    "mixup": 0,
    "label_smoothing": 0,
    "noise": 0,
    "frequency_masks": (0, 0),
    "time_masks": (0, 0),
    "time_scale": (1, 1),
    "gain": (0, 0),
}
# Half the time to trace of what is the default.
QUICK = {"optimizer": "sgd", "schedule": None, "clip_norm": None, "weight_decay": 0}
TINY = {
    **PLAIN,
    **QUICK,
    "architecture": "dense",
    "network__dense_units": (8,),
    "epochs": 3,
    "random_state": 0,
}


def linear(meta, *, activation="softmax"):
    """A network that is quick to build."""
    inputs = keras.Input(meta.input_shape)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(meta.n_classes, activation)(x))


LINEAR = {**PLAIN, **QUICK, "architecture": linear, "epochs": 2, "random_state": 0}


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
        **PLAIN,
        network__filters=(4,),
        epochs=12,
        learning_rate=0.03,
        network__dropout=0.0,
        random_state=0,
    ).fit(X, y)


def test_is_classifier():
    assert is_classifier(CNNEmotionClassifier())


def test_a_step_is_traced_once(monkeypatch):
    """Tracing takes longer than the training of a small network."""
    traced, train_step = [], keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda *args: traced.append(1) or train_step(*args)
    )
    CNNEmotionClassifier(**PLAIN, architecture=linear, epochs=2).fit(*speech_like())
    assert len(traced) == 1


@pytest.mark.slow
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


@pytest.mark.parametrize("n_padding", [1, 2, 20])
def test_padding_frames_do_not_count(fitted, n_padding):
    X, _ = speech_like(n_frames=16)
    padded = np.pad(X, ((0, 0), (0, n_padding), (0, 0)), constant_values=np.nan)
    assert_allclose(fitted.predict_proba(padded), fitted.predict_proba(X), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("n_features", [1, 195])
def test_vectors_of_any_size(n_features):
    X = np.random.default_rng(0).normal(size=(12, n_features))
    y = ["happy", "sad"] * 6
    classifier = CNNEmotionClassifier(network__filters=(4,), epochs=1, random_state=0).fit(X, y)
    assert classifier.predict_proba(X[:1]).shape == (1, 2)


@pytest.mark.slow
def test_one_frame_is_a_sequence():
    X, y = speech_like(n_frames=1)
    classifier = CNNEmotionClassifier(network__filters=(4,), epochs=1, random_state=0).fit(X, y)
    assert classifier.predict_proba(X[:1]).shape == (1, 3)


def test_networks_that_flatten_take_as_many_frames_as_in_fit():
    X, y = speech_like()
    classifier = CNNEmotionClassifier(**{**TINY, "time_scale": (0.5, 2)}).fit(X, y)
    assert_allclose(
        classifier.predict_proba(np.pad(X, ((0, 0), (0, 3), (0, 0)))), classifier.predict_proba(X)
    )
    assert_allclose(
        classifier.predict_proba(X[:, :9]),
        classifier.predict_proba(np.pad(X[:, :9], ((0, 0), (0, 3), (0, 0)))),
    )


@pytest.mark.parametrize("n_frames", [1, 2, 50])
def test_sequences_of_any_length(fitted, n_frames):
    assert fitted.predict_proba(np.ones((2, n_frames, 3))).shape == (2, 3)


@pytest.mark.slow
def test_one_seed_one_result():
    X, y = speech_like()
    drawn = CNNEmotionClassifier("dense", network__dense_units=(8, 8), epochs=1, random_state=0)
    first, second, other = (
        clone(drawn).set_params(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1)
    )
    assert_array_equal(first, second)
    assert not np.allclose(first, other)


@pytest.mark.slow
def test_a_random_state_goes_on():
    X, y = speech_like()
    seeds = np.random.RandomState(0)
    first, second = (
        CNNEmotionClassifier(**{**LINEAR, "random_state": seeds}).fit(X, y).predict_proba(X)
        for _ in range(2)
    )
    assert not np.allclose(first, second)
    again = CNNEmotionClassifier(**{**LINEAR, "random_state": np.random.RandomState(0)}).fit(X, y)
    assert_array_equal(again.predict_proba(X), first)


def test_no_seed_after_a_seed():
    # scikeras makes TensorFlow deterministic for good, which an unseeded fit must survive.
    X, y = speech_like()
    unseeded = CNNEmotionClassifier(**{**LINEAR, "random_state": None})
    first, second = (clone(unseeded).fit(X, y).predict_proba(X) for _ in range(2))
    assert not np.allclose(first, second)


def test_users_own_code_may_go_unseeded_after_a_fit():
    import tensorflow as tf

    X, y = speech_like()
    CNNEmotionClassifier(**LINEAR).fit(X, y)
    draws = tf.random.uniform([2, 8])
    assert not np.allclose(draws[0], draws[1])


@pytest.mark.slow
def test_numpy_scalars_of_a_search():
    X, y = speech_like()
    params = {
        "network__filters": np.array([4]),
        "network__kernel_size": np.int64(3),
        "network__pool_size": np.int64(2),
        "network__dense_units": np.int32(4),
        "network__dropout": np.float32(0.1),
        "network__dense_dropout": np.float64(0.1),
        "epochs": np.int64(1),
        "batch_size": np.int64(8),
        "learning_rate": np.float32(0.01),
        "weight_decay": np.float64(0.01),
        "clip_norm": np.float32(1),
        "warmup": np.float32(0.1),
        "plateau_factor": np.float64(0.5),
        "plateau_patience": np.int64(1),
        "early_stopping": np.int64(1),
        "label_smoothing": np.float32(0.1),
        "mixup": np.float64(0.2),
        "frequency_masks": np.array([1, 2]),
        "time_masks": (np.int64(1), np.int64(2)),
        "time_scale": np.array([0.9, 1.1]),
        "gain": (np.float32(-1), np.float32(1)),
        "noise": np.float32(0.1),
        "n_networks": np.int64(1),
        "validation_fraction": np.float64(0.3),
        "random_state": np.int64(0),
    }
    found, plain = (
        CNNEmotionClassifier("cnn256", schedule="plateau", **given).fit(X, y).predict_proba(X)
        for given in (params, {name: value.tolist() for name, value in as_arrays(params).items()})
    )
    assert_allclose(found, plain, rtol=1e-4)


def as_arrays(params):
    return {name: np.asarray(value) for name, value in params.items()}


@pytest.mark.slow
def test_the_global_random_state_is_left_alone():
    X, y = speech_like()
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    CNNEmotionClassifier(**LINEAR).fit(X, y)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.slow
def test_all_views_are_rows_in_fit_and_averaged_in_predict():
    X, y = speech_like()
    views = AugmentedFeatures(np.stack([X, X + 0.01], axis=1))
    classifier = CNNEmotionClassifier(**LINEAR, view_sampling="all").fit(views, y)
    rows = CNNEmotionClassifier(**LINEAR).fit(views.flatten(), views.repeat(y))
    assert_array_equal(classifier.predict_proba(X), rows.predict_proba(X))
    assert_allclose(
        classifier.predict_proba(views),
        (classifier.predict_proba(X) + classifier.predict_proba(X + np.float32(0.01))) / 2,
        rtol=1e-4,
    )


class Batches(keras.callbacks.Callback):
    """Count the batches of each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.n = 0

    def on_train_batch_end(self, batch, logs=None):
        self.n += 1


@pytest.mark.slow
@pytest.mark.parametrize(("views", "n"), [("one", 4), ("all", 12)])
def test_views_of_an_epoch(views, n):
    X, y = speech_like()
    X = AugmentedFeatures(np.stack([X, X, X], axis=1))
    batches = Batches()
    CNNEmotionClassifier(**LINEAR, view_sampling=views, batch_size=8, callbacks=[batches]).fit(X, y)
    assert batches.n == n


@pytest.mark.slow
def test_class_weight_balances():
    X, y = speech_like(n_clips=60)
    rare = np.r_[np.flatnonzero(y == "angry")[:2], np.flatnonzero(y != "angry")]
    X, y = np.zeros_like(X[rare]), y[rare]
    prior = CNNEmotionClassifier(**{**LINEAR, "epochs": 20}, batch_size=64, learning_rate=4)
    plain, balanced = (
        clone(prior).set_params(class_weight=weight).fit(X, y).predict_proba(X[:1])[0]
        for weight in (None, "balanced")
    )
    assert_allclose(plain, [2 / 42, 20 / 42, 20 / 42], atol=0.03)
    assert_allclose(balanced, [1 / 3] * 3, atol=0.03)


@pytest.mark.slow
def test_class_weight_equals_sample_weight():
    X, y = speech_like()
    weights = {"angry": 3.0, "calm": 1.0, "sad": 0.5}
    by_class = CNNEmotionClassifier(**LINEAR, class_weight=weights).fit(X, y)
    by_clip = CNNEmotionClassifier(**LINEAR).fit(
        X, y, sample_weight=[weights[label] for label in y]
    )
    plain = CNNEmotionClassifier(**LINEAR).fit(X, y)
    assert not np.allclose(by_class.predict_proba(X), plain.predict_proba(X))
    assert_allclose(by_class.predict_proba(X), by_clip.predict_proba(X), rtol=1e-5)


def test_history(fitted):
    assert set(fitted.history_) == {"loss", "accuracy"}
    assert fitted.histories_ == [fitted.history_]
    assert len(fitted.history_["loss"]) == 12
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]


@pytest.mark.slow
def test_validation_history():
    X, y = speech_like()
    views = AugmentedFeatures(np.stack([X, X + 5], axis=1))
    classifier = CNNEmotionClassifier(**LINEAR, validation_fraction=0.2).fit(views, y)
    assert set(classifier.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    watched = classifier.validation_clips_
    assert_array_equal(np.unique(y[watched], return_counts=True)[1], [2, 2, 2])
    # The clean views are watched.
    loss = log_loss(y[watched], classifier.predict_proba(X[watched]))
    assert_allclose(classifier.history_["val_loss"][-1], loss, rtol=1e-4)


def test_nothing_is_watched_unasked(fitted):
    assert_array_equal(fitted.validation_clips_, [])


def test_early_stopping_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 8)), np.arange(30) % 3
    classifier = CNNEmotionClassifier(
        **{**LINEAR, "epochs": 40},
        learning_rate=1,
        validation_fraction=0.4,
        early_stopping=2,
    ).fit(X, y)
    losses = classifier.history_["val_loss"]
    assert len(losses) == np.argmin(losses) + 3 < 40
    watched = classifier.validation_clips_
    loss = log_loss(y[watched], classifier.predict_proba(X[watched]))
    assert_allclose(loss, min(losses), rtol=1e-4)


@pytest.mark.slow
def test_watched_clips_are_not_trained_on():
    X, y = speech_like()
    classifier = CNNEmotionClassifier(**LINEAR, validation_fraction=0.3)
    watched = classifier.fit(X, y).validation_clips_
    expected = classifier.predict_proba(X)
    changed = X.copy()
    changed[watched] = -X[watched]
    assert_array_equal(clone(classifier).fit(changed, y).predict_proba(X), expected)


def test_watched_speakers_are_whole():
    X, y = speech_like()
    groups = np.repeat(list("abcde"), 6)
    classifier = CNNEmotionClassifier(**LINEAR, validation_fraction=0.2)
    watched = classifier.fit(X, y, groups=groups).validation_clips_
    assert len(watched) == 6
    assert len(set(groups[watched])) == 1
    assert_array_equal(np.unique(y[watched], return_counts=True)[1], [2, 2, 2])
    with pytest.raises(DataError, match=r"groups .* 30 clips, 29 speakers"):
        classifier.fit(X, y, groups=groups[1:])


@pytest.mark.slow
@sklearn.config_context(enable_metadata_routing=True)
def test_speakers_reach_fit_by_metadata_routing():
    X, y = speech_like()
    groups = np.repeat(list("abcde"), 6)
    classifier = CNNEmotionClassifier(**LINEAR, validation_fraction=0.2)
    pipeline = make_pipeline(FeatureScaler(), classifier)
    watched = pipeline.fit(X, y, groups=groups)[-1].validation_clips_
    assert len(set(groups[watched])) == 1
    found = cross_validate(
        pipeline,
        X,
        y,
        cv=GroupKFold(3),
        params={"groups": groups},
        return_estimator=True,
        return_indices=True,
    )
    for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        watched = fitted[-1].validation_clips_
        known = groups[train]
        assert not set(known[watched]) & set(np.delete(known, watched))
        assert 3 <= len(set(known)) <= 4


@pytest.mark.slow
def test_networks_are_averaged():
    X, y = speech_like()
    one = CNNEmotionClassifier(**LINEAR).fit(X, y)
    two = CNNEmotionClassifier(**LINEAR, n_networks=2).fit(X, y)
    assert len(two.networks_) == len(two.histories_) == 2
    each = [network.probabilities(X) for network in two.networks_]
    assert_allclose(two.predict_proba(X), np.mean(each, axis=0))
    assert_array_equal(each[0], one.predict_proba(X))
    assert_array_equal(two.history_["loss"], one.history_["loss"])
    assert not np.allclose(each[0], each[1])


def test_callbacks_are_called_and_the_classifier_pickles():
    X, y = speech_like()
    batches = Batches()
    classifier = CNNEmotionClassifier(
        **LINEAR, callbacks=[batches, keras.callbacks.TerminateOnNaN()], batch_size=10
    ).fit(X, y)
    assert batches.n == 3
    again = pickle.loads(pickle.dumps(classifier))
    assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


class Watching(keras.callbacks.Callback):
    """Looks into the network as soon as it gets it, as TensorBoard does."""

    def set_model(self, model):
        super().set_model(model)
        self.n_layers = len(model.layers)


def test_callbacks_that_look_into_the_network():
    X, y = speech_like()
    watching = Watching()
    CNNEmotionClassifier(**LINEAR, callbacks=(watching,)).fit(X, y)
    assert watching.n_layers == 3


def test_fit_writes_nothing_unasked(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    X, y = speech_like()
    CNNEmotionClassifier(**LINEAR, validation_fraction=0.2).fit(X, y).predict(X)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("schedule", ["plateau", None])
def test_optimizers_and_schedules(optimizer, schedule):
    X, y = speech_like()
    classifier = CNNEmotionClassifier(
        **{**LINEAR, "epochs": 4, "optimizer": optimizer, "schedule": schedule},
        learning_rate=0.05,
    ).fit(X, y)
    losses = classifier.history_["loss"]
    assert losses[-1] < losses[0]


def test_units_of_the_projection():
    network = network_builder(CNNEmotionClassifier(network__projection_units=7), (None, 64), 8)()
    assert 7 in [w.shape[-1] for w in network.get_weights()]


def test_parameters_reach_the_network():
    classifier = CNNEmotionClassifier(
        "cnn_bilstm_attention",
        network__filters=[np.int64(4)],
        network__kernel_size=7,
        network__pool_size=3,
        network__recurrent_units=5,
        network__attention_units=6,
        network__dense_units=np.int64(2),
        network__dropout=0.25,
        network__dense_dropout=0.75,
    )
    network = network_builder(classifier, (12, 3), 8)()
    shapes = [w.shape for w in network.get_weights()]
    assert {(7, 3, 4), (4, 20), (10, 6), (10, 2), (2, 8)} <= set(shapes)
    config = network.to_json()
    assert all(text in config for text in ('"pool_size": [3]', '"rate": 0.25', '"rate": 0.75'))


def test_network_parameters_are_parameters():
    classifier = CNNEmotionClassifier("dense", network__dense_units=(8,))
    assert repr(classifier) == (
        "CNNEmotionClassifier(architecture='dense', network__dense_units=(8,))"
    )
    classifier.set_params(network__dropout=0.5, epochs=3)
    copies = clone(classifier), pickle.loads(pickle.dumps(classifier))
    for copy in copies:
        params = copy.get_params()
        assert params["network__dense_units"] == (8,)
        assert (params["network__dropout"], params["epochs"]) == (0.5, 3)
    default = CNNEmotionClassifier("dense", network__dropout=0.5)
    default.set_params(network__dropout=None)
    sizes = [network_builder(c, (5,), 2)().count_params() for c in (default, classifier)]
    assert sizes[0] > sizes[1] == 5 * 8 + 8 + 4 * 8 + 2 * 8 + 2


def test_unknown_parameters_are_refused():
    with pytest.raises(TypeError, match="no parameter 'epoch'; did you mean 'epochs'"):
        CNNEmotionClassifier(epoch=3)
    with pytest.raises(ValueError, match="Invalid parameter 'filters'"):
        CNNEmotionClassifier().set_params(filters=(3,))


def test_the_keras_model(fitted):
    X, _ = speech_like()
    model = fitted.model_
    assert isinstance(model, keras.Model)
    assert_allclose(np.asarray(model(X)), fitted.predict_proba(X), rtol=1e-4)
    assert "model_" not in vars(fitted)
    assert not hasattr(CNNEmotionClassifier(), "model_")


def test_the_html_view_builds_no_model(fitted, monkeypatch):
    monkeypatch.setattr(TrainedNetwork, "to_keras", lambda self: pytest.fail("model was built"))
    assert "CNNEmotionClassifier" in fitted._repr_html_()


def test_a_function_builds_the_network():
    X, y = speech_like()
    seen = []

    def build(meta, *, filters, scale):
        seen.append((meta.input_shape, meta.n_classes, meta.is_sequence, filters, scale))
        return linear(meta)

    classifier = CNNEmotionClassifier(
        **{**LINEAR, "architecture": build}, network__filters=[7, 8], network__scale=0.5
    )
    assert classifier.fit(X, y).predict_proba(X).shape == (30, 3)
    assert set(seen) == {((12, 3), 3, True, (7, 8), 0.5)}


class Unregistered(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def build_nothing(meta):
    return None


def build_sequential(meta):
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])


def build_two_outputs(meta):
    return linear(type(meta)(meta.input_shape, 2))


def build_unregistered(meta):
    model = linear(meta)
    return keras.Model(model.input, Unregistered()(model.output))


def build_for_other_frames(meta):
    return linear(type(meta)((13, 3), 3))


def build_for_vectors(meta):
    return linear(type(meta)((3,), 3))


def build_two_inputs(meta):
    models = linear(meta), linear(meta)
    outputs = keras.layers.Average()([model.output for model in models])
    return keras.Model([model.input for model in models], outputs)


def build_logits(meta):
    return linear(meta, activation=None)


def build_sigmoid(meta):
    return linear(meta, activation="sigmoid")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (build_nothing, "must return a keras.Model, got None"),
        (build_sequential, r"must return .* \(None, 3\), got None"),
        (build_two_outputs, r"must return .* \(None, 3\), got \(None, 2\)"),
        (build_for_other_frames, r"must take .* \(None, 12, 3\), .* got \(None, 13, 3\)"),
        (build_for_vectors, r"must take .* \(None, 12, 3\), .* got \(None, 3\)"),
        (build_two_inputs, r"must take .* \(None, 12, 3\), .* got \[\(None, 12, 3\), "),
        (build_logits, r"must return probabilities, .* outputs from .* with a sum of "),
        (build_sigmoid, r"must return probabilities, .* outputs from 0.* with a sum of "),
        (build_unregistered, r".*register_keras_serializable.*\(.*class 'Unregistered'\)"),
    ],
)
def test_functions_that_build_an_unusable_network(build, message):
    X, y = speech_like()
    epochs = Batches()
    with pytest.raises(ParameterError, match=f"architecture {build.__name__} {message}"):
        CNNEmotionClassifier(**{**LINEAR, "architecture": build, "callbacks": [epochs]}).fit(X, y)
    assert not hasattr(epochs, "n")


def test_a_network_in_place_of_a_function():
    X, y = speech_like()
    network = keras.Sequential([keras.Input((12, 3)), keras.layers.Flatten()])
    with pytest.raises(ParameterError, match=r"architecture must .* build\(meta.* got <Sequential"):
        CNNEmotionClassifier(network).fit(X, y)


def test_a_network_of_any_number_of_frames():
    X, y = speech_like()

    def build(meta):
        inputs = keras.Input((None, meta.input_shape[1]))
        x = keras.layers.GlobalAveragePooling1D()(inputs)
        return keras.Model(inputs, keras.layers.Dense(meta.n_classes, "softmax")(x))

    CNNEmotionClassifier(**{**LINEAR, "architecture": build}).fit(X, y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"architecture": "dense", "network__dropuot": 3},
            "'dense' .* network__dropuot, only network__dense_units, .*mean 'network__dropout'",
        ),
        (
            {"architecture": build_nothing, "network__filters": (3,)},
            "build_nothing has no parameter network__filters, only none",
        ),
        ({"architecture": "cnn265"}, "architecture .*'resnet' .* got 'cnn265'.* mean 'cnn256'"),
        ({"early_stopping": 3}, "early_stopping=3 needs a validation_fraction above 0, got 0"),
        ({"checkpoint": "somewhere", "random_state": None}, "checkpoint .* random_state.* None"),
    ],
)
def test_parameters_that_do_not_go_together(params, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = speech_like()
    with pytest.raises(ParameterError, match=message):
        CNNEmotionClassifier(**params).fit(X, y)
    assert list(tmp_path.iterdir()) == []


def test_attention_needs_sequences():
    X, y = speech_like()
    with pytest.raises(ParameterError, match=r"needs sequences \(statistics=None\), got vectors$"):
        CNNEmotionClassifier("cnn_bilstm_attention").fit(X[:, 0], y)


def test_all_but_the_architecture_is_given_by_name():
    assert CNNEmotionClassifier("dense").architecture == "dense"
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments but 3 were given"):
        CNNEmotionClassifier("dense", (8,))


def test_pickles_small_and_equal(fitted):
    X, _ = speech_like()
    state = pickle.dumps(fitted)
    assert_array_equal(pickle.loads(state).predict_proba(X), fitted.predict_proba(X))
    weights = sum(w.nbytes for w in fitted.networks_[0].weights)
    assert len(state) < weights + 40_000


def test_predict_traces_once(fitted, monkeypatch):
    from skser.networks._layers import FrameMask

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


@pytest.mark.parametrize(
    ("parameter", "value", "allowed"),
    [
        ("epochs", 0, "an integer of at least 1"),
        ("network__filters", (), "a sequence of integers of at least 1"),
        ("network__filters", (8, 0), "a sequence of integers of at least 1"),
        ("network__filters", "88", "a sequence of integers of at least 1"),
        (
            "network__dense_units",
            0.5,
            "an integer of at least 1 or a sequence of integers of at least 1",
        ),
        ("optimizer", "lion", "'adamw' or 'adam' or 'sgd' or 'rmsprop'"),
        ("warmup", 1, "a number in [0, 0.9]"),
        ("plateau_factor", 1, "a number in (0, 0.99]"),
        ("time_masks", (1,), "a pair (number, largest width) of integers of at least 0"),
        ("time_masks", (1, 0.5), "a pair (number, largest width) of integers of at least 0"),
        ("time_scale", (0, 1), "a pair (low, high) with 0.1 <= low <= high <= 10"),
        ("n_networks", 0, "an integer of at least 1"),
        ("callbacks", Batches, "a list of Keras callbacks or None"),
        ("checkpoint", 3, "a folder or None"),
        ("network__dropout", 1.0, "a number in [0, 0.95]"),
        ("learning_rate", 0, "a number above 0"),
        ("class_weight", "even", "a dict or 'balanced' or None"),
        ("validation_fraction", 1.5, "a number in [0, 0.9]"),
        ("random_state", -1, "an integer in [0, 2**32 - 1], a numpy RandomState or None"),
    ],
)
def test_bad_parameters(parameter, value, allowed):
    X, y = speech_like()
    message = f"{parameter} must be {allowed}, got {value!r}"
    with pytest.raises(ParameterError, match=re.escape(message)):
        CNNEmotionClassifier(**{**TINY, "architecture": "cnn256", parameter: value}).fit(X, y)


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
    with pytest.raises(DataError, match=r"validation_fraction=0.05 of 30 clips"):
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


@pytest.mark.slow
def test_features_on_disk_train_the_same_network(tmp_path):
    """Also after an error in the middle, from the checkpoint."""
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=4000 + 300 * i) for i in range(12)]
    clips = Augmenter(n_views=2, random_state=0).fit_transform(
        Clips.from_waveforms(waveforms, 16000)
    )
    y = np.array(["calm", "sad", "angry"] * 4)
    cnn = CNNEmotionClassifier(
        **{**QUICK, "architecture": linear, "epochs": 3, "random_state": 0},
        view_sampling="all",
        validation_fraction=0.25,
    )
    fitted = []
    for mode in (None, "r"):
        memory = joblib.Memory(tmp_path / "cache", mmap_mode=mode, verbose=0)
        extractor = FeatureUnionExtractor(["mel"], statistics=None, memory=memory)
        pipeline = clone(make_pipeline(extractor, FeatureScaler(), cnn))
        fitted.append(pickle.loads(pickle.dumps(pipeline.fit(clips, y))))
    in_memory, disk = (pipeline[-1] for pipeline in fitted)
    assert disk.histories_ == in_memory.histories_
    assert_same_weights(disk, in_memory)
    assert_array_equal(*(pipeline.predict_proba(clips) for pipeline in fitted))

    X = fitted[1][:-1].transform(clips)
    number = int(np.setdiff1d(np.arange(12), disk.validation_clips_)[0])
    entry = Path(X.values.cache.path(X.values.entries[1].keys[number]))
    content = entry.read_bytes()
    checkpoint = clone(cnn).set_params(checkpoint=tmp_path / "state")
    gone = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: entry.unlink())
    with pytest.raises(DataError, match=f"clip {number}: its features can no longer be read"):
        clone(checkpoint).set_params(callbacks=[gone]).fit(X, y)
    entry.write_bytes(content)
    epochs = []
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    assert_same_weights(checkpoint.set_params(callbacks=[seen]).fit(X, y), disk)
    assert epochs == [1, 2]


def assert_same_weights(first, second):
    for ours, theirs in zip(first.networks_[0].weights, second.networks_[0].weights, strict=True):
        assert_array_equal(ours, theirs)
