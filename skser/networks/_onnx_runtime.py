"""Networks in ONNX, run by onnxruntime without TensorFlow.

A graph has no weights: both forms of a network share one copy, which onnxruntime gets when it loads
the graph.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import numpy as np

from ..exceptions import MissingDependencyError
from ._rows import predict_in_blocks

ROWS = "rows"
WEIGHT = "weight_"
# The protobuf entry of a weight outside the graph: key and value.
_EXTERNAL = b"\n\x08location\x12\x07weights"


def can_run() -> bool:
    """Whether onnxruntime is installed."""
    return find_spec("onnxruntime") is not None


def check_graph(graph: bytes, n_weights: int) -> None:
    """Raise ValueError for a graph with weights from outside the model file."""
    # onnxruntime opens any file that an external weight names under the key "location", so each
    # occurrence of the word must be our own key and value.
    if not graph.count(b"location") == graph.count(_EXTERNAL) <= n_weights:
        raise ValueError("its network takes weights from another file")


class OnnxFunction:
    """Probabilities of rows, as `PredictionFunction` but without TensorFlow."""

    def __init__(self, graph: bytes, weights: list[np.ndarray]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingDependencyError(
                'runtime="onnx" needs onnxruntime: python -m pip install "skser[onnx]"'
            ) from None

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised
        n_threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
        options.intra_op_num_threads = int(n_threads) if n_threads.isdigit() else 0
        # Waiting threads would take time from other work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # onnxruntime does not copy them, so they must stay in memory.
        self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in weights]
        names = [f"{WEIGHT}{i}" for i in range(len(weights))]
        options.add_external_initializers(names, self._weights)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._input_shape = self._session.get_inputs()[0].shape

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return predict_in_blocks(
            lambda rows: self._session.run(None, {ROWS: rows})[0], X, self._input_shape
        )
