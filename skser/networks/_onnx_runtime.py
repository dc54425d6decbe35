"""Networks in ONNX, run by onnxruntime without TensorFlow.

A graph does not hold its weights: they are kept once, in Keras' order, and handed to onnxruntime
when it loads the graph. So a file with both forms of a network is as large as with one.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import numpy as np

from ..exceptions import MissingDependencyError
from ._rows import ask_in_blocks

ROWS = "rows"
WEIGHT = "weight_"
# How a graph says that a weight comes from outside: key and value of an entry, in protobuf.
_OUTSIDE = b"\n\x08location\x12\x07weights"


def can_run() -> bool:
    """Whether onnxruntime is installed."""
    return find_spec("onnxruntime") is not None


def check_graph(graph: bytes, n_weights: int) -> None:
    """Raise ValueError for a graph that takes a weight from any other place than the model file."""
    # onnxruntime opens any file that an external weight names under the key "location", so each
    # occurrence of the word must be our own key and value.
    if not graph.count(b"location") == graph.count(_OUTSIDE) <= n_weights:
        raise ValueError("its network takes weights from another file")


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
        names = [f"{WEIGHT}{i}" for i in range(len(weights))]
        options.add_external_initializers(names, self._weights)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )
        self._input_shape = self._session.get_inputs()[0].shape

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return ask_in_blocks(
            lambda rows: self._session.run(None, {ROWS: rows})[0], X, self._input_shape
        )
