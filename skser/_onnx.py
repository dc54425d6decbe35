"""Networks in ONNX: made of Keras networks by tf2onnx, and asked by onnxruntime.

A graph does not hold its weights: they are kept once, in Keras' order, and handed to onnxruntime
when it loads the graph. So a file with both forms of a network is as large as with one.
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from typing import Any

import numpy as np

from ._rows import ask_in_blocks
from .exceptions import MissingDependencyError, ModelError

_ROWS = "rows"
_WEIGHT = "weight_"
_OPSET = 18
# How a graph says that a weight comes from outside: key and value of an entry, in protobuf.
_OUTSIDE = b"\n\x08location\x12\x07weights"


def can_convert() -> bool:
    """Whether networks can be brought to ONNX here."""
    return find_spec("tf2onnx") is not None and find_spec("onnxruntime") is not None


def can_run() -> bool:
    """Whether networks in ONNX can be asked here."""
    return find_spec("onnxruntime") is not None


def check_graph(graph: bytes, n_weights: int) -> None:
    """Raise ValueError for a graph that takes a weight from any other place than the model file."""
    if not graph.count(b"location") == graph.count(_OUTSIDE) <= n_weights:
        raise ValueError("its network takes weights from another file")


def to_graph(config: str, weights: list[np.ndarray]) -> bytes:
    """A Keras network as an ONNX graph that takes its weights from outside.

    Raises
    ------
    MissingDependencyError
        tf2onnx is not installed.
    ModelError
        The network has a layer that cannot be brought to ONNX, or answers differently there.
    """
    graph = _converted(config, weights).SerializeToString()
    check_graph(graph, len(weights))
    _check(config, weights, graph)
    return graph


def to_model(config: str, weights: list[np.ndarray]) -> bytes:
    """A Keras network as an ONNX model of its own, with its weights in it."""
    import onnx

    model = _converted(config, weights)
    for entry in model.graph.initializer:
        if entry.name.startswith(_WEIGHT):
            weight = weights[int(entry.name.removeprefix(_WEIGHT))]
            entry.CopyFrom(onnx.numpy_helper.from_array(weight, entry.name))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _converted(config: str, weights: list[np.ndarray]) -> Any:
    from . import _layers  # noqa: F401 (Keras loads a network whose layers are registered)
    from ._tensorflow import keras, tf  # before tf2onnx, which would import it aloud

    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise MissingDependencyError(
            'networks are brought to ONNX with tf2onnx: python -m pip install "skser[onnx]"'
        ) from None

    network = keras.models.model_from_json(config)
    network.set_weights(weights)
    places = {id(variable): i for i, variable in enumerate(network.weights)}

    def ask(rows: Any, *values: Any) -> Any:
        # As inputs, weights are neither folded into others nor copied into the graph.
        trained, others = (
            [values[places[id(v)]] if id(v) in places else v.value for v in variables]
            for variables in (network.trainable_variables, network.non_trainable_variables)
        )
        return network.stateless_call(trained, others, rows, training=False)[0]

    signature = [tf.TensorSpec([None, *network.input_shape[1:]], tf.float32, name=_ROWS)]
    signature += [
        tf.TensorSpec(weight.shape, weight.dtype, name=f"{_WEIGHT}{i}")
        for i, weight in enumerate(weights)
    ]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        model, _ = tf2onnx.convert.from_function(
            tf.function(ask), input_signature=signature, opset=_OPSET
        )
    except Exception as error:
        # tf2onnx raises almost anything at a layer that it does not know.
        raise ModelError(f"the network cannot be brought to ONNX ({error})") from error
    inputs = {entry.name: entry for entry in model.graph.input}
    del model.graph.input[:]
    model.graph.input.append(inputs.pop(_ROWS))
    for name in inputs:
        weight = weights[int(name.removeprefix(_WEIGHT))]
        outside = onnx.TensorProto(
            name=name,
            data_type=onnx.helper.np_dtype_to_tensor_dtype(weight.dtype),
            dims=weight.shape,
            data_location=onnx.TensorProto.EXTERNAL,
        )
        outside.external_data.add(key="location", value="weights")
        model.graph.initializer.append(outside)
    return model


def _check(config: str, weights: list[np.ndarray], graph: bytes) -> None:
    """Raise ModelError unless both forms of a network answer alike."""
    from ._keras_backend import PredictionFunction

    keras_function, onnx_function = (
        PredictionFunction(config, weights),
        OnnxFunction(graph, weights),
    )
    shape = [50 if n is None else n for n in keras_function.model.input_shape[1:]]
    rows = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    if len(shape) == 2:
        rows[1, len(rows[1]) // 2 :] = 0.0  # padding
    difference = np.abs(keras_function(rows) - onnx_function(rows)).max()
    if not difference < 1e-5:
        raise ModelError(f"the network answers differently in ONNX (by {difference:.1g})")


class OnnxFunction:
    """From rows to probabilities, as `PredictionFunction` but without TensorFlow."""

    def __init__(self, graph: bytes, weights: list[np.ndarray]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingDependencyError(
                'runtime="onnx" needs onnxruntime: python -m pip install "skser[onnx]"'
            ) from None

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what is wrong is raised
        n_threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
        options.intra_op_num_threads = int(n_threads) if n_threads.isdigit() else 0
        # Threads that wait for work would take time from whatever else there is.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # They are kept, since onnxruntime reads them where they are.
        self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in weights]
        names = [f"{_WEIGHT}{i}" for i in range(len(weights))]
        options.add_external_initializers(names, self._weights)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._input_shape = self._session.get_inputs()[0].shape

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return ask_in_blocks(
            lambda rows: self._session.run(None, {_ROWS: rows})[0], X, self._input_shape
        )
