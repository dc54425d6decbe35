"""Conversion of Keras networks to ONNX with tf2onnx."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..exceptions import MissingDependencyError, ModelError
from ._onnx_runtime import ROWS, WEIGHT, OnnxFunction, can_run, check_graph

_OPSET = 18


def can_convert() -> bool:
    """Whether the packages to convert networks to ONNX and check them are installed."""
    return find_spec("tf2onnx") is not None and can_run()


def to_graph(config: str, weights: list[np.ndarray]) -> bytes:
    """A Keras network as an ONNX graph without weights; ModelError if it predicts differently."""
    graph = _converted(config, weights).SerializeToString()
    check_graph(graph, len(weights))
    _check(config, weights, graph)
    return graph


def to_model(config: str, weights: list[np.ndarray]) -> bytes:
    """A Keras network as an ONNX model with weights."""
    import onnx

    model = _converted(config, weights)
    for entry in model.graph.initializer:
        if entry.name.startswith(WEIGHT):
            weight = weights[int(entry.name.removeprefix(WEIGHT))]
            entry.CopyFrom(onnx.numpy_helper.from_array(weight, entry.name))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _converted(config: str, weights: list[np.ndarray]) -> Any:
    from ._predict import build_model
    from ._tensorflow import tf  # before tf2onnx, which would import it with messages

    try:
        import onnx
        import tf2onnx
    except ImportError:
        raise MissingDependencyError(
            'conversion to ONNX needs tf2onnx: python -m pip install "skser[onnx]"'
        ) from None

    network = build_model(config, weights)
    indices = {id(variable): i for i, variable in enumerate(network.weights)}

    def predict(rows: tf.Tensor, *values: tf.Tensor) -> tf.Tensor:
        # As inputs, weights are neither merged nor copied into the graph.
        trained, untrained = (
            [values[indices[id(v)]] if id(v) in indices else v.value for v in variables]
            for variables in (network.trainable_variables, network.non_trainable_variables)
        )
        return network.stateless_call(trained, untrained, rows, training=False)[0]

    signature = [tf.TensorSpec([None, *network.input_shape[1:]], tf.float32, name=ROWS)]
    signature += [
        tf.TensorSpec(weight.shape, weight.dtype, name=f"{WEIGHT}{i}")
        for i, weight in enumerate(weights)
    ]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        model, _ = tf2onnx.convert.from_function(
            tf.function(predict), input_signature=signature, opset=_OPSET
        )
    except Exception as error:
        # tf2onnx raises almost any error for an unknown layer.
        raise ModelError(f"the network cannot be converted to ONNX ({error})") from error
    inputs = {entry.name: entry for entry in model.graph.input}
    del model.graph.input[:]
    model.graph.input.append(inputs.pop(ROWS))
    for name in inputs:
        weight = weights[int(name.removeprefix(WEIGHT))]
        external = onnx.TensorProto(
            name=name,
            data_type=onnx.helper.np_dtype_to_tensor_dtype(weight.dtype),
            dims=weight.shape,
            data_location=onnx.TensorProto.EXTERNAL,
        )
        external.external_data.add(key="location", value="weights")
        model.graph.initializer.append(external)
    return model


def _check(config: str, weights: list[np.ndarray], graph: bytes) -> None:
    """Raise ModelError unless both forms of a network give equal probabilities."""
    from ._predict import PredictionFunction, build_model
    from ._tensorflow import tf

    with tf.device("CPU"):  # a GPU may round the factors of products
        model = build_model(config, weights)
        shape = [50 if n is None else n for n in model.input_shape[1:]]
        rows = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
        if len(shape) == 2:
            rows[1, len(rows[1]) // 2 :] = 0.0  # padding
        expected = PredictionFunction(model)(rows)
    difference = np.abs(OnnxFunction(graph, weights)(rows) - expected).max()
    if not difference < 1e-5:
        raise ModelError(f"the network gives different probabilities in ONNX (by {difference:.1g})")
