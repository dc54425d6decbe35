import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser.networks._layers import (
    AttentiveStatistics,
    FrameMask,
    MaskedBatchNormalization,
    RelativeToClip,
    ShortenMask,
)
from skser.networks._tensorflow import keras

RNG = np.random.default_rng(0)
LENGTHS = [7, 4, 0]
REAL = (np.arange(7) < np.array(LENGTHS)[:, None]).astype("float32")


def activations(*shape):
    return RNG.normal(1, 2, (3, 7, *shape)).astype("float32")


def test_frame_mask():
    frames = activations(4)
    frames[0, 2, 1] = 0
    frames = frames * REAL[..., None]
    assert_array_equal(FrameMask()(frames), REAL)


def test_relative_to_clip_equals_numpy_over_real_frames():
    frames = activations(4)
    relative = np.asarray(RelativeToClip()(frames, REAL))
    for clip, n in enumerate(LENGTHS):
        real = frames[clip, :n]
        if n:
            assert_allclose(relative[clip, :n], real - real.mean(axis=0), rtol=1e-4, atol=1e-5)
        assert not relative[clip, n:].any()


@pytest.mark.parametrize("strides", [2, 3])
def test_mask_is_shortened_as_strides_do(strides):
    lengths = np.arange(13)
    real = (np.arange(12) < lengths[:, None]).astype("float32")
    shortened = np.asarray(ShortenMask(strides)(real))
    assert_array_equal(shortened.sum(axis=1), -(-lengths // strides))
    assert_array_equal(shortened, np.sort(shortened)[:, ::-1])


@pytest.mark.parametrize("strides", [2, 3])
@pytest.mark.parametrize("n_frames", [1, 11, 12, 13])
def test_mask_is_shortened_as_pooling_does(strides, n_frames):
    real = (np.arange(n_frames) < np.arange(n_frames + 1)[:, None]).astype("float32")
    layer = ShortenMask(strides)
    pooled = keras.layers.MaxPooling1D(strides, padding="same")(real[..., None])[..., 0]
    assert_array_equal(layer(real), pooled)
    assert layer.compute_output_shape((None, n_frames)) == (None, pooled.shape[1])
    assert layer.compute_output_shape((None, None)) == (None, None)


@pytest.mark.parametrize("shape", [(4,), (5, 4)])
@pytest.mark.parametrize("training", [True, False])
def test_normalisation_of_real_frames_only_is_that_of_keras(shape, training):
    x = activations(*shape)
    ours, theirs = MaskedBatchNormalization(), keras.layers.BatchNormalization(momentum=0.9)
    for _ in range(2):  # the second time, what moves has moved
        found = np.asarray(ours(x, np.ones((3, 7), "float32"), training=training))
        assert_allclose(found, theirs(x, training=training), rtol=1e-4, atol=1e-5)
    assert_allclose(ours.mean, theirs.moving_mean, rtol=1e-4)
    assert_allclose(ours.variance, theirs.moving_variance, rtol=1e-4)


@pytest.mark.parametrize("shape", [(4,), (5, 4)])
def test_normalisation_equals_numpy_over_real_frames(shape):
    x = activations(*shape)
    layer = MaskedBatchNormalization(momentum=0.7, epsilon=0.01)
    layer.build(x.shape)
    gamma, beta = RNG.normal(size=(2, 4)).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    found = np.asarray(layer(x, REAL, training=True))
    real = x[REAL > 0].reshape(-1, 4)
    mean, variance = real.mean(axis=0), real.var(axis=0)
    expected = gamma * (x - mean) / np.sqrt(variance + 0.01) + beta
    assert_allclose(found[REAL > 0], expected[REAL > 0], rtol=1e-4, atol=1e-5)
    assert not found[REAL == 0].any()
    assert_allclose(layer.mean, 0.3 * mean, rtol=1e-4)
    assert_allclose(layer.variance, 0.7 + 0.3 * variance, rtol=1e-4)


def test_normalisation_after_training_takes_what_has_moved():
    x = activations(4)
    layer = MaskedBatchNormalization()
    layer(x, REAL, training=True)
    mean, variance = np.asarray(layer.mean), np.asarray(layer.variance)
    expected = (x - mean) / np.sqrt(variance + 1e-3) * REAL[..., None]
    assert_allclose(layer(x, REAL), expected, rtol=1e-4, atol=1e-5)
    assert_array_equal(layer.mean, mean)


def test_normalisation_of_nothing_is_zeros():
    layer = MaskedBatchNormalization()
    assert not np.asarray(layer(activations(4), 0 * REAL, training=True)).any()
    assert np.isfinite(layer.get_weights()).all()


def test_statistics_equal_numpy_over_real_frames():
    frames, scores = activations(4), activations(1)
    pooled = np.asarray(AttentiveStatistics()(frames, scores, REAL))
    assert pooled.shape == (3, 12)
    for clip, n in enumerate(LENGTHS[:2]):
        real = frames[clip, :n]
        weights = np.exp(scores[clip, :n])
        weights /= weights.sum()
        mean = (weights * real).sum(axis=0)
        deviation = np.sqrt((weights * (real - mean) ** 2).sum(axis=0))
        expected = np.concatenate([mean, deviation, real.max(axis=0)])
        assert_allclose(pooled[clip], expected, rtol=1e-4, atol=1e-5)


def test_equal_scores_give_plain_statistics():
    frames = activations(4)
    pooled = np.asarray(AttentiveStatistics()(frames, np.ones((3, 7, 1), "float32"), REAL))[0]
    expected = [frames[0].mean(axis=0), frames[0].std(axis=0), frames[0].max(axis=0)]
    assert_allclose(pooled, np.concatenate(expected), rtol=1e-4)


def test_some_of_the_statistics():
    frames, scores = activations(4), activations(1)
    every = np.asarray(AttentiveStatistics()(frames, scores, REAL))
    for i, name in enumerate(["mean", "deviation", "maximum"]):
        one = AttentiveStatistics(statistics=(name,))
        assert_allclose(one(frames, scores, REAL), every[:, 4 * i : 4 * i + 4])
        assert one.compute_output_shape((None, 7, 4), (None, 7, 1), (None, 7)) == (None, 4)


def test_statistics_of_nothing_are_finite():
    nothing = np.zeros((1, 5, 2), "float32")
    pooled = AttentiveStatistics()(nothing, nothing[..., :1], nothing[..., 0])
    assert_allclose(pooled, np.zeros((1, 6)), atol=2e-3)


@pytest.mark.parametrize(
    "layer",
    [
        FrameMask(name="mask"),
        RelativeToClip(name="relative"),
        ShortenMask(3),
        MaskedBatchNormalization(momentum=0.5, epsilon=0.1),
        AttentiveStatistics(statistics=("mean", "maximum")),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_round_trip_by_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
