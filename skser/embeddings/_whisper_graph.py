"""The encoder of Whisper [1]_ as an ONNX graph, cut after the layers asked for.

.. [1] A. Radford et al., "Robust speech recognition via large-scale weak supervision", ICML 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..exceptions import MissingDependencyError
from ._whisper_weights import WhisperConfig

MEL = "mel"
# Changes with the graph, which is kept in the cache folder.
VERSION = 1
_OPSET, _IR_VERSION = 20, 9


def whisper_graph(
    config: WhisperConfig, tensors: dict[str, np.ndarray], layers: Sequence[int]
) -> bytes:
    """A graph from log-mel spectrograms to frames, (n, n_mels, 2 t) to (n, t, width) of each layer.

    Layer 0 is the output of the convolutions. Weights are in float16, computation in float32.
    """
    try:
        from onnx import TensorProto, helper
    except ImportError:
        raise MissingDependencyError(
            'converting an encoder needs onnx: python -m pip install "skser[embeddings]"'
        ) from None

    graph = _Graph(tensors)
    frames = _convolutions(graph)
    if 0 in layers:
        graph.output(frames, 0)
    for layer in range(1, max(layers) + 1):
        frames = _block(graph, frames, f"layers.{layer - 1}", config)
        if layer in layers:
            is_last = layer == config.n_layers
            graph.output(graph.norm(frames, "layer_norm") if is_last else frames, layer)
    mel = helper.make_tensor_value_info(MEL, TensorProto.FLOAT, ["n", config.n_mels, "t"])
    outputs = [
        helper.make_tensor_value_info(
            output_name(layer), TensorProto.FLOAT, ["n", "frames", config.width]
        )
        for layer in layers
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "encoder", [mel], outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    return model.SerializeToString()


def output_name(layer: int) -> str:
    """The output of the graph with the frames of a layer."""
    return f"layer_{layer}"


def _convolutions(graph: _Graph) -> str:
    """Two convolutions, the second of which halves the rate, and positions."""
    frames = MEL
    for name, stride in (("conv1", 1), ("conv2", 2)):
        weights = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
        frames = graph.add("Conv", frames, *weights, pads=[1, 1], strides=[stride])
        frames = graph.add("Gelu", frames)
    frames = graph.add("Transpose", frames, perm=[0, 2, 1])
    zero = graph.constant(np.array([0], np.int64))
    n_frames = graph.add("Shape", frames, start=1, end=2)
    positions = graph.add("Slice", graph.weight("embed_positions.weight"), zero, n_frames, zero)
    return graph.add("Add", frames, positions)


def _block(graph: _Graph, frames: str, name: str, config: WhisperConfig) -> str:
    """A transformer block: attention and a dense part, each after a normalisation."""
    width, n_heads = config.width, config.n_heads
    split = graph.constant(np.array([0, 0, n_heads, width // n_heads], np.int64))
    join = graph.constant(np.array([0, 0, width], np.int64))
    scale = graph.constant(np.float32((width // n_heads) ** -0.5))

    normed = graph.norm(frames, f"{name}.self_attn_layer_norm")
    queries, keys, values = (
        graph.add("Reshape", graph.dense(normed, f"{name}.self_attn.{part}_proj"), split)
        for part in "qkv"
    )
    queries = graph.add("Transpose", queries, perm=[0, 2, 1, 3])
    keys = graph.add("Transpose", keys, perm=[0, 2, 3, 1])
    values = graph.add("Transpose", values, perm=[0, 2, 1, 3])
    scores = graph.add("Mul", graph.add("MatMul", queries, keys), scale)
    heads = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), values)
    heads = graph.add("Reshape", graph.add("Transpose", heads, perm=[0, 2, 1, 3]), join)
    frames = graph.add("Add", frames, graph.dense(heads, f"{name}.self_attn.out_proj"))

    normed = graph.norm(frames, f"{name}.final_layer_norm")
    hidden = graph.add("Gelu", graph.dense(normed, f"{name}.fc1"))
    return graph.add("Add", frames, graph.dense(hidden, f"{name}.fc2"))


class _Graph:
    """Nodes and weights of a graph; methods return the name of their result."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self._tensors = tensors

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node."""
        from onnx import helper

        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: np.ndarray | np.generic) -> str:
        """Add a constant."""
        from onnx import numpy_helper

        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def weight(self, name: str) -> str:
        """Add a tensor, stored in float16, as float32; matrices are transposed for ``MatMul``."""
        from onnx import TensorProto

        tensor = self._tensors[name]
        is_matrix = tensor.ndim == 2 and not name.startswith("embed")
        half = self.constant(np.ascontiguousarray(tensor.T) if is_matrix else tensor)
        return self.add("Cast", half, to=TensorProto.FLOAT)

    def dense(self, frames: str, name: str) -> str:
        """Add a matrix product, and a bias if there is one."""
        product = self.add("MatMul", frames, self.weight(f"{name}.weight"))
        if f"{name}.bias" not in self._tensors:
            return product
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def norm(self, frames: str, name: str) -> str:
        """Add a layer normalisation."""
        weights = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", frames, *weights, axis=-1, epsilon=1e-5)

    def output(self, frames: str, layer: int) -> None:
        """Name the frames of a layer as an output."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [frames], [output_name(layer)]))
