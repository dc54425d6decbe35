"""Networks that go on from their weights: ``CNNEmotionClassifier(warm_start=True)``."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skser
from skser import AugmentedFeatures, CNNEmotionClassifier, FeatureScaler
from skser.exceptions import DataError, ModelError, ParameterError, SkserWarning
from skser.networks._tensorflow import keras

from .test_cnn import LINEAR, PLAIN, QUICK, TINY, linear, speech_like

# Steps too small for float32.
STILL = {"learning_rate": 1e-12, "epochs": 1}
VECTORS = {**LINEAR, "epochs": 12, "batch_size": 36, "learning_rate": 1.5}
CLASSES = np.array(["angry", "calm", "happy", "sad"])


def clusters(classes=CLASSES[[0, 1, 3]], n_clips=36, seed=0):
    """Vectors around a corner of a cube for each class."""
    rng = np.random.default_rng(seed)
    y = np.resize(classes, n_clips)
    corners = 2 * np.eye(len(CLASSES), 5)[np.searchsorted(CLASSES, y)]
    return corners + 0.3 * rng.normal(size=(n_clips, 5)), y


def copy_of(classifier, **params):
    return pickle.loads(pickle.dumps(classifier)).set_params(**params)


def more(classifier, **params):
    """A copy that continues."""
    return copy_of(classifier, warm_start=True, **params)


def weights_of(classifier):
    return [network.weights for network in classifier.networks_]


def check_equal_weights(found, expected, *, rtol=1e-7):
    for weights, wanted in zip(weights_of(found), weights_of(expected), strict=True):
        for weight, other in zip(weights, wanted, strict=True):
            assert_allclose(weight, other, rtol=rtol)


@pytest.fixture(scope="module")
def fitted():
    """A linear network of three classes."""
    return CNNEmotionClassifier(**VECTORS).fit(*clusters())


@pytest.fixture(scope="module")
def sequences():
    """Two networks with hidden layers for sequences of 12 frames."""
    return CNNEmotionClassifier(**TINY, n_networks=2).fit(*speech_like())


@pytest.fixture(scope="module", params=["onnx", "tensorflow"])
def loaded(request, fitted, tmp_path_factory):
    if request.param == "onnx":
        pytest.importorskip("tf2onnx")
    path = tmp_path_factory.mktemp("models") / "model.skser"
    pipeline = make_pipeline(FeatureScaler(), copy_of(fitted))
    pipeline[0].fit(clusters()[0])
    skser.save(pipeline, path)
    return skser.load(path, runtime=request.param)


def test_the_loss_goes_on_where_it_ended(fitted):
    X, y = clusters()
    short = {"epochs": 5}
    new = copy_of(fitted, **short).fit(X, y).history_["loss"]
    again = more(fitted, **short).fit(X, y)
    losses = again.history_["loss"]
    last = fitted.history_["loss"][-1]
    assert len(losses) == 5
    assert losses[-1] < losses[0] < 1.01 * last < new[0] / 3
    assert again.histories_ == [again.history_]
    assert more(again).fit(X, y).history_["loss"][0] < losses[-1]


@pytest.mark.slow
def test_weights_are_those_of_the_previous_fit(sequences):
    X, y = speech_like(seed=1)
    again = more(sequences, **STILL).fit(X, y)
    # Batch normalisation moves its averages at any learning rate.
    for found, expected in zip(weights_of(again), weights_of(sequences), strict=True):
        for i in (0, 1, 2, 3, 6, 7):
            assert_allclose(found[i], expected[i], rtol=1e-6)
        assert not np.allclose(found[4], expected[4])
    assert not np.allclose(weights_of(again)[0][0], weights_of(again)[1][0])


@pytest.mark.slow
def test_first_fit_begins_with_new_weights(fitted):
    X, y = clusters()
    check_equal_weights(clone(fitted).set_params(warm_start=True).fit(X, y), fitted)
    check_equal_weights(copy_of(fitted).fit(X, y), fitted)


@pytest.mark.slow
def test_one_seed_one_result(fitted):
    X, y = clusters(seed=1)
    first, second, other = (more(fitted, random_state=n).fit(X, y) for n in (0, 0, 1))
    check_equal_weights(first, second)
    with pytest.raises(AssertionError):
        check_equal_weights(first, other)


@pytest.mark.slow
def test_validation_clips_stay_the_same(fitted):
    X, y = clusters()
    first = copy_of(fitted, validation_fraction=0.25, epochs=1).fit(X, y)
    again = more(first).fit(X, y)
    assert_array_equal(again.validation_clips_, first.validation_clips_)
    assert again.history_["val_loss"][0] < first.history_["val_loss"][0]


@pytest.mark.slow
def test_more_networks_and_fewer(fitted):
    X, y = clusters(seed=1)
    two = more(fitted, n_networks=2, epochs=3).fit(X, y)
    check_first = more(fitted, epochs=3).fit(X, y)
    fresh = clone(fitted).set_params(n_networks=2, epochs=3).fit(X, y)
    for weights, expected in [(0, weights_of(check_first)[0]), (1, weights_of(fresh)[1])]:
        for weight, wanted in zip(weights_of(two)[weights], expected, strict=True):
            assert_allclose(weight, wanted, rtol=1e-6)
    assert [len(history["loss"]) for history in two.histories_] == [3, 3]
    one = more(two, **STILL, n_networks=1).fit(X, y)
    assert len(one.networks_) == 1
    assert_allclose(weights_of(one)[0][0], weights_of(two)[0][0], rtol=1e-6)


@pytest.mark.slow
def test_new_classes_get_units(fitted):
    X, y = clusters(CLASSES)
    still = more(fitted, **STILL).fit(X, y)
    assert_array_equal(still.classes_, CLASSES)
    fresh = clone(fitted).set_params(**STILL).fit(X, y)
    for weight, former, new in zip(
        weights_of(still)[0], weights_of(fitted)[0], weights_of(fresh)[0], strict=True
    ):
        assert_allclose(weight[..., [0, 1, 3]], former, rtol=1e-6)
        assert_allclose(weight[..., 2], new[..., 2], atol=1e-9)
    assert more(fitted).fit(X, y).score(*clusters(CLASSES, seed=1)) > 0.95


def test_classes_without_new_clips_are_kept(fitted):
    few = clusters(CLASSES[[0, 1]], seed=1)
    again = more(fitted, label_smoothing=0.1, mixup=0.2).fit(*few)
    assert_array_equal(again.classes_, fitted.classes_)
    assert_allclose(weights_of(again)[0][1][2], weights_of(fitted)[0][1][2], rtol=1e-5)
    assert not np.allclose(weights_of(again)[0][1][:2], weights_of(fitted)[0][1][:2])
    assert again.history_["loss"][-1] < again.history_["loss"][0]
    # A network that took the two for all classes would never predict the third.
    assert again.score(*clusters(seed=2)) > 0.95


def test_one_class_leaves_and_another_comes(fitted):
    X, y = clusters(CLASSES[[0, 2]])
    again = more(fitted, epochs=20).fit(X, y)
    assert_array_equal(again.classes_, CLASSES)
    assert again.predict_proba(X).shape == (36, 4)
    assert again.score(*clusters(CLASSES[[0, 2]], seed=1)) > 0.95


@pytest.mark.slow
def test_labels_of_another_type(fitted):
    X, y = clusters()
    with pytest.raises(DataError, match=r"y must have labels .* \[0\] beside \['angry'\]"):
        more(fitted).fit(X, np.searchsorted(CLASSES, y))
    again = more(fitted).fit(X, np.array(y, dtype=object))
    assert again.classes_.tolist() == fitted.classes_.tolist()


@pytest.mark.slow
def test_sequences_of_another_length(sequences):
    X, y = speech_like(n_frames=15)
    params = {"validation_fraction": 0.2, "n_networks": 1}
    again = more(sequences, **params).fit(X, y)
    cropped = more(sequences, **params).fit(X[:, :12], y)
    assert again.model_.input_shape == (None, 12, 3)
    # Frames drawn for training are cropped after they are changed, so validation shows it.
    assert len(again.history_["val_loss"]) == 3
    assert_allclose(again.history_["val_loss"], cropped.history_["val_loss"], rtol=1e-5)
    again.fit(speech_like(n_frames=9)[0], y)
    assert again.model_.input_shape == (None, 12, 3)


def test_views_after_clips(fitted):
    X, y = clusters()
    again = more(fitted).fit(AugmentedFeatures(np.stack([X, X], axis=1)), y)
    assert again.score(X, y) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["resnet", "cnn_bilstm_attention"])
def test_networks_for_any_length(architecture, tmp_path, monkeypatch):
    monkeypatch.setattr("skser.networks._onnx_export.can_convert", lambda: False)
    X, y = speech_like()
    small = {"network__filters": (2,), "network__dense_units": 2, "network__attention_units": 2}
    first = CNNEmotionClassifier(architecture, **PLAIN, **QUICK, **small, epochs=2, random_state=0)
    skser.save(first.fit(X, y), tmp_path / "model.skser")
    X, y = speech_like(n_frames=20)
    for classifier in (first, skser.load(tmp_path / "model.skser")):
        again = more(classifier, network__dropout=0.0, epochs=2).fit(X, y)
        assert len(again.history_["loss"]) == 2
        assert '"rate": 0.0,' in again.networks_[0].config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X[..., :2], "warm_start=True .* X has 2 features, .* expecting 3"),
        (lambda X: X[:, 0], "warm_start=True .* X must be sequences as in fit, got vectors"),
    ],
)
def test_other_features(sequences, change, message):
    X, y = speech_like()
    classifier = more(sequences)
    with pytest.raises(DataError, match=message):
        classifier.fit(change(X), y)
    assert_array_equal(classifier.predict_proba(X), sequences.predict_proba(X))


@pytest.mark.slow
def test_other_columns(fitted):
    X, y = clusters()
    table = pd.DataFrame(X, columns=list("abcde"))
    named = copy_of(fitted).fit(table, y)
    with pytest.raises(DataError, match=r"warm_start=True .* feature names should match"):
        more(named).fit(table.rename(columns={"a": "f"}), y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network__dense_units": (9,)}, r"'dense' .*kernel of shape \(36, 9\), not \(36, 8\)"),
        ({"network__dense_units": (8, 8)}, "'dense' .* layers, not "),
        ({"architecture": "cnn256"}, "'cnn256' .* layers, not "),
    ],
)
def test_other_networks(sequences, params, message):
    X, y = speech_like()
    epochs = CountEpochs()
    classifier = more(sequences, **params, callbacks=[epochs])
    with pytest.raises(ParameterError, match=f"^warm_start=True .*architecture {message}"):
        classifier.fit(X, y)
    assert epochs.n == 0


def with_activation(meta, *, activation="relu", units=4, norm=False):
    inputs = keras.Input(meta.input_shape)
    x = keras.layers.Dense(units, activation)(inputs)
    x = keras.layers.LayerNormalization()(x) if norm else keras.layers.Activation("tanh")(x)
    return keras.Model(inputs, keras.layers.Dense(meta.n_classes, "softmax")(x))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"network__activation": "tanh"}, 'Dense with activation="tanh", not "relu"'),
        ({"network__norm": True}, "a layer LayerNormalization, not Activation"),
    ],
)
def test_layers_of_other_meaning(params, message):
    X, y = clusters()
    first = CNNEmotionClassifier(**{**LINEAR, "architecture": with_activation}).fit(X, y)
    with pytest.raises(ParameterError, match=f"with_activation now has {message}"):
        first.set_params(warm_start=True, **params).fit(X, y)


@pytest.mark.slow
def test_hidden_layers_of_as_many_units_as_classes():
    X, y = clusters()
    build = {"architecture": with_units_of_classes}
    first = CNNEmotionClassifier(**{**LINEAR, **build}).fit(X, y)
    first.set_params(warm_start=True).fit(X, y)
    with pytest.raises(ParameterError, match=r"kernel of shape \(4, 4\), not \(3, 3\)"):
        first.fit(*clusters(CLASSES))


def with_units_of_classes(meta):
    return with_activation(meta, units=meta.n_classes)


class CountEpochs(keras.callbacks.Callback):
    """Count epochs, and interrupt at the end of one of them."""

    def __init__(self, interrupt_at=None):
        super().__init__()
        self.n = 0
        self.interrupt_at = interrupt_at

    def on_epoch_end(self, epoch, logs=None):
        self.n += 1
        if self.n == self.interrupt_at:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_checkpoint(fitted, tmp_path):
    X, y = clusters(CLASSES)
    expected = more(fitted, epochs=4).fit(X, y)
    params = {"epochs": 4, "checkpoint": tmp_path}
    interrupted = more(fitted, **params, callbacks=[CountEpochs(2)])
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X, y)
    assert_array_equal(interrupted.classes_, fitted.classes_)
    # Neither new weights nor others take over the state.
    for other in (more(expected), copy_of(fitted)):
        other.set_params(**params, callbacks=[CountEpochs()]).fit(X, y)
        assert other.callbacks[0].n == 4
    epochs = CountEpochs()
    interrupted.set_params(callbacks=[epochs]).fit(X, y)
    assert epochs.n == 3
    check_equal_weights(interrupted, expected, rtol=1e-6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_pipeline_does_not_clone_its_last_step(fitted, tmp_path):
    X, y = clusters()
    pipeline = make_pipeline(FeatureScaler(), clone(fitted), memory=str(tmp_path)).fit(X, y)
    pipeline.set_params(cnnemotionclassifier__warm_start=True, cnnemotionclassifier__epochs=1)
    before = pipeline[-1].history_["loss"]
    after = pipeline.fit(X, y)[-1].history_["loss"]
    assert len(after) == 1
    assert after[0] < 1.01 * before[-1] < before[0] / 3


@pytest.mark.slow
def test_loaded_model_continues(loaded, fitted):
    X, y = clusters(CLASSES)
    pipeline = copy_of(loaded)
    scaled = pipeline[0].transform(X)
    classifier = pipeline[-1].set_params(architecture=linear, warm_start=True)
    again = classifier.fit(scaled, y)
    check_equal_weights(again, more(fitted).fit(scaled, y), rtol=1e-5)
    network = again.networks_[0]
    assert (network.runtime, network.graph, network.is_from_file) == ("tensorflow", None, False)
    assert again.score(scaled, y) > 0.95


@pytest.mark.slow
def test_continued_model_is_saved_with_its_own_graph(loaded, tmp_path):
    X, y = clusters()
    runtime = loaded[-1].networks_[0].runtime
    pipeline = copy_of(loaded).set_params(cnnemotionclassifier__warm_start=True).fit(X, y)
    expected = pipeline.predict_proba(X)
    assert not np.allclose(expected, loaded.predict_proba(X), atol=1e-3)
    skser.save(pipeline, tmp_path / "model.skser")
    again = skser.load(tmp_path / "model.skser", runtime=runtime)
    assert again[-1].warm_start is True
    assert_allclose(again.predict_proba(X), expected, atol=1e-5)


@pytest.mark.slow
def test_loaded_network_of_a_function_continues_without_it(loaded, fitted):
    X, y = clusters()
    classifier = copy_of(loaded)[-1]
    assert repr(classifier.architecture) == "<function linear, not kept>"
    params = {"n_networks": 2, "epochs": 2}
    again = more(classifier, **params).fit(X, y)
    check_equal_weights(again, more(fitted, **params).fit(X, y), rtol=1e-5)
    with pytest.raises(ParameterError, match=r"^dtype_policy .*linear, .* got 'mixed_float16'$"):
        more(classifier, dtype_policy="mixed_float16").fit(*clusters())
    with pytest.raises(ParameterError, match=r"function linear, .* got 4 instead of 3"):
        more(classifier).fit(*clusters(CLASSES))
    with (
        pytest.warns(SkserWarning, match="starts from new weights"),
        pytest.raises(ModelError, match=r"function linear, .* set warm_start=True"),
    ):
        classifier.fit(X, y)


@pytest.mark.slow
def test_loaded_model_warns_that_it_starts_anew(loaded, fitted):
    X, y = clusters()
    pipeline = copy_of(loaded).set_params(cnnemotionclassifier__architecture=linear)
    clone(pipeline).fit(X, y)
    with pytest.warns(SkserWarning, match="set warm_start=True") as caught:
        pipeline[-1].fit(X, y)
    assert caught[0].filename == __file__
    check_equal_weights(pipeline[-1], fitted)
    pipeline[-1].fit(X, y)


def test_parameter(fitted):
    assert CNNEmotionClassifier().warm_start is False
    assert clone(CNNEmotionClassifier(warm_start=True)).get_params()["warm_start"] is True
    with pytest.raises(ParameterError, match="warm_start must be True or False, got 'yes'"):
        more(fitted).set_params(warm_start="yes").fit(*clusters())
