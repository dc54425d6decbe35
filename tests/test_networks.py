import numpy as np
import pytest
from numpy.testing import assert_allclose

from skser._tensorflow import keras
from skser.networks import FrameMask, MaskedPooling, NetworkMeta, conv1d


def test_pooling_equals_numpy_over_real_frames():
    frames = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")
    frames[1, 4:] = 0
    pooled = np.asarray(MaskedPooling()(frames, FrameMask()(frames)))
    for clip, n in ((0, 7), (1, 4)):
        real = frames[clip, :n]
        expected = np.concatenate([real.mean(axis=0), real.std(axis=0), real.max(axis=0)])
        assert_allclose(pooled[clip], expected, rtol=1e-4, atol=1e-4)


def test_pooling_of_nothing_is_finite():
    frames = np.zeros((1, 5, 2), "float32")
    assert np.isfinite(np.asarray(MaskedPooling()(frames, FrameMask()(frames)))).all()


@pytest.mark.parametrize("shape", [(2,), (195,), (None, 2), (None, 64)])
def test_conv1d_round_trip_by_configuration(shape):
    model = conv1d(NetworkMeta(shape, 4), filters=(4, 4))
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    X = np.random.default_rng(0).normal(size=(3, *(n or 9 for n in shape))).astype("float32")
    assert_allclose(np.asarray(again(X)), np.asarray(model(X)), rtol=1e-5)
    assert model.output_shape == (None, 4)
