"""Training in 16 bits, on the CPU: Keras' policies are the same on a GPU."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser import CNNEmotionClassifier
from skser.networks._batches import NOTHING_DRAWN
from skser.networks._dtype_policy import dtype_policy
from skser.networks._layers import AttentiveStatistics, MaskedBatchNormalization, RelativeToClip
from skser.networks._tensorflow import keras

MIXED = ["mixed_float16", "mixed_bfloat16"]
# Without dropout, whose draws differ between types.
SMALL = {
    **NOTHING_DRAWN,
    "network__filters": (4,),
    "network__projection_units": 6,
    "network__attention_units": 4,
    "network__dense_units": 8,
    "network__dropout": 0,
    "network__dense_dropout": 0,
    "epochs": 2,
    "random_state": 0,
}
RNG = np.random.default_rng(0)
Y = np.repeat(["angry", "calm"], 12)
X = RNG.normal(size=(24, 20, 8)).astype(np.float32) + (Y == "calm")[:, None, None]
X[::3, 15:] = np.nan


class Seen(keras.callbacks.Callback):
    """What layers compute in, and the optimizer, during training."""

    def on_train_begin(self, logs=None):
        self.types = {type(layer).__name__: layer.compute_dtype for layer in self.model.layers}
        self.optimizer = type(self.model.optimizer).__name__


@pytest.fixture(scope="module")
def in_float32():
    return CNNEmotionClassifier(**SMALL).fit(X, Y)


@pytest.fixture(scope="module", params=MIXED)
def mixed(request):
    return CNNEmotionClassifier(**SMALL, dtype_policy=request.param, callbacks=[Seen()]).fit(X, Y)


@pytest.mark.slow
def test_training_in_16_bits_is_close_to_that_in_32(mixed, in_float32):
    (seen,), policy = mixed.callbacks, mixed.dtype_policy
    assert seen.types["Conv2D"] == policy.removeprefix("mixed_")
    assert seen.types["MaskedBatchNormalization"] == "float32"
    assert (seen.optimizer == "LossScaleOptimizer") == (policy == "mixed_float16")
    assert mixed.history_["loss"] != in_float32.history_["loss"]
    assert_allclose(mixed.history_["loss"], in_float32.history_["loss"], rtol=0.02)
    assert_allclose(mixed.predict_proba(X), in_float32.predict_proba(X), atol=0.03)


@pytest.mark.slow
def test_a_network_trained_in_16_bits_is_in_32(mixed, in_float32):
    assert {weight.dtype for weight in mixed.networks_[0].weights} == {np.dtype("float32")}
    assert mixed.dtype_policy not in mixed.networks_[0].config
    layers, expected = (
        [(type(layer), layer.dtype_policy.name) for layer in classifier.model_.layers]
        for classifier in (mixed, in_float32)
    )
    assert layers == expected


def build(meta):
    inputs = keras.Input(meta.input_shape)
    return keras.Model(inputs, keras.layers.Dense(meta.n_classes, "softmax")(inputs))


@pytest.mark.slow
def test_a_policy_of_the_process_does_not_reach_the_model():
    classifier = CNNEmotionClassifier(build, **NOTHING_DRAWN, epochs=1, dtype_policy=MIXED[1])
    with dtype_policy("mixed_float16"):
        classifier.fit(np.nan_to_num(X[:, 0]), Y)
    assert {layer.dtype_policy.name for layer in classifier.model_.layers} == {"float32"}


@pytest.mark.slow
def test_either_goes_on_from_the_weights_of_the_other():
    rows = np.nan_to_num(X[:, 0])
    classifier = CNNEmotionClassifier(build, **NOTHING_DRAWN, epochs=2, random_state=0)
    classifier.fit(rows, Y).set_params(warm_start=True, epochs=1, learning_rate=1e-9)
    before = classifier.predict_proba(rows)
    for policy in ["mixed_float16", "float32"]:
        classifier.set_params(dtype_policy=policy).fit(rows, Y)
        assert_allclose(classifier.predict_proba(rows), before, atol=1e-5)


@pytest.mark.parametrize("policy", MIXED)
def test_layers_over_frames_compute_in_32_bits(policy):
    # Sums over 600 frames of 300 overflow float16, and bfloat16 cannot count to 600.
    frames = RNG.normal(300, 1, size=(2, 600, 4)).astype(np.float32)
    real = (np.arange(600) < [[600], [411]]).astype(np.float32)
    frames *= real[..., None]
    scores = frames[..., :1] - 300
    for kind, inputs in [
        (RelativeToClip, (frames, real)),
        (MaskedBatchNormalization, (frames, real)),
        (AttentiveStatistics, (frames, scores, real)),
    ]:
        expected = kind()(*inputs, training=True) if "Norm" in kind.__name__ else kind()(*inputs)
        with dtype_policy(policy):
            layer = kind()
            found = layer(*inputs, training=True) if "Norm" in kind.__name__ else layer(*inputs)
        assert_array_equal(found, expected)
        assert layer.get_config()["dtype"]["config"]["name"] == "float32"


def test_the_policy_of_the_process_is_left_alone():
    former = keras.config.dtype_policy()
    with dtype_policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy() == former
    with pytest.raises(ValueError, match="float12"), dtype_policy("mixed_float12"):
        pass
    assert keras.config.dtype_policy() == former
    assert keras.layers.Dense(1).compute_dtype == "float32"
