import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skser.classifiers import _cnn_parameters as classifier
from skser.exceptions import ModelError, ParameterError
from skser.networks import NetworkMeta, cnn_bilstm_attention, dense, resnet
from skser.networks._architectures import ARCHITECTURES
from skser.networks._trained_network import TrainedNetwork

SMALL = {
    "resnet": {
        "filters": (4, 4),
        "projection_units": 6,
        "attention_units": 3,
        "dense_units": (5, 4),
    },
    "cnn_average_pooling": {"filters": (4, 3), "dense_units": 5},
    "cnn512": {"filters": (4, 3), "dense_units": 5},
    "cnn_bilstm_attention": {
        "filters": (4, 3),
        "recurrent_units": 3,
        "attention_units": 3,
        "dense_units": 5,
    },
    "dense": {"dense_units": (6, 5)},
    "cnn256": {"filters": (4, 3), "dense_units": 5},
}
# One feature, fewer than the filters are long, and many; a single frame, and several.
SHAPES = [(1,), (13,), (1, 3), (16, 5)]
CASES = [
    (name, shape)
    for name in ARCHITECTURES
    for shape in SHAPES
    if len(shape) == 2 or name != "cnn_bilstm_attention"
]


def built(name, shape, **params):
    """A network with weights that are all drawn, since zeros and ones could hide mistakes."""
    model = ARCHITECTURES[name](NetworkMeta(shape, 4), **{**SMALL[name], **params})
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if len(variable.shape) > 1:
            scale = np.sqrt(np.prod(variable.shape[:-1]))
            variable.assign(2 * rng.normal(size=variable.shape) / scale)
        else:
            low = 0.5 if "variance" in variable.path else -0.3
            variable.assign(rng.uniform(low, 0.7, variable.shape))
    return model


def inputs(shape, n=3):
    return np.random.default_rng(1).normal(size=(n, *shape)).astype("float32")


def test_names():
    assert set(classifier.ARCHITECTURES) == set(ARCHITECTURES)


def test_size_of_dense():
    assert dense(NetworkMeta((195,), 8)).count_params() == 277_192


@pytest.fixture(scope="module")
def predictions():
    """Each network as plain data, its input and its output."""
    predictions = {}
    for name, shape in CASES:
        model = built(name, shape)
        X = inputs(shape)
        network = TrainedNetwork(model.to_json(), model.get_weights())
        predictions[name, shape] = network, X, np.asarray(model(X))
    return predictions


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_outputs_are_probabilities(predictions, name, shape):
    _, _, output = predictions[name, shape]
    assert output.shape == (3, 4)
    assert (output >= 0).all()
    assert np.ptp(output, axis=0).max() > 1e-4
    assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_every_network_predicts_the_same_in_a_new_process(predictions, tmp_path):
    # Of each kind the larger input; to trace them all takes long.
    chosen = [p for (_, shape), p in predictions.items() if shape[0] > 1]
    (tmp_path / "networks").write_bytes(pickle.dumps([(n, X) for n, X, _ in chosen]))
    program = (
        "import pickle, sys\n"
        "from pathlib import Path\n"
        "folder = Path(sys.argv[1])\n"
        "networks = pickle.loads((folder / 'networks').read_bytes())\n"
        "outputs = [network.probabilities(X) for network, X in networks]\n"
        "(folder / 'outputs').write_bytes(pickle.dumps(outputs))\n"
        "assert 'skser.networks._architectures' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
    again = pickle.loads((tmp_path / "outputs").read_bytes())
    for output, (_, _, expected) in zip(again, chosen, strict=True):
        assert_allclose(output, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet", "cnn_bilstm_attention"])
@pytest.mark.parametrize("n_padding", [1, 2, 3, 40])
def test_padding_frames_do_not_count(name, n_padding):
    model = built(name, (None, 5))
    X = inputs((16, 5))  # two strides of 2
    padded = np.pad(X, ((0, 0), (0, n_padding), (0, 0)))
    assert_allclose(np.asarray(model(padded)), np.asarray(model(X)), rtol=1e-4)


@pytest.mark.parametrize("build", [resnet, cnn_bilstm_attention])
def test_sequences_of_any_length(build):
    params = SMALL[build.__name__]
    model = build(NetworkMeta((20, 3), 4), **params)
    assert model.input_shape == (None, None, 3)
    for n_frames in (1, 2, 31):
        assert np.isfinite(np.asarray(model(np.zeros((2, n_frames, 3))))).all()


def test_strides_of_resnet():
    model = resnet(NetworkMeta((None, 64), 8))
    block = [layer for layer in model.layers if type(layer).__name__ == "ReLU"][-3]
    assert block.output.shape[2:] == (8, 64)  # 64 bands through three strides


def test_attention_needs_sequences():
    with pytest.raises(ParameterError, match=r"'cnn_bilstm_attention' needs sequences .*vectors"):
        cnn_bilstm_attention(NetworkMeta((195,), 8))


def test_networks_of_older_pickles_predict():
    model = ARCHITECTURES["dense"](NetworkMeta((3,), 2), dense_units=(4,))
    older = TrainedNetwork.__new__(TrainedNetwork)
    vars(older).update(config=model.to_json(), weights=model.get_weights(), _function=None)
    assert older.probabilities(np.zeros((1, 3), np.float32)).shape == (1, 2)


def test_invalid_networks_raise():
    with pytest.raises(ModelError, match=r"^the network cannot be loaded \(") as caught:
        TrainedNetwork("{}", []).probabilities(np.zeros((1, 3), np.float32))
    assert "\n" not in str(caught.value)
