"""Networks in ONNX, run by onnxruntime without TensorFlow.

A graph has no weights: both forms of a network share one copy, which onnxruntime gets when it loads
the graph.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from .._utils._types import PathLike
from ..exceptions import MissingDependencyError, ModelError, ParameterError
from ._rows import predict_in_blocks

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
DEVICES = tuple(_PROVIDERS)
ROWS = "rows"
WEIGHT = "weight_"
# The protobuf entry of a weight outside the graph: key and value.
_EXTERNAL = b"\n\x08location\x12\x07weights"


def can_run() -> bool:
    """Whether onnxruntime is installed."""
    return find_spec("onnxruntime") is not None


def check_installed(user: str, extra: str) -> None:
    """Raise MissingDependencyError, which names the extra to install, without onnxruntime."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        raise MissingDependencyError(
            f'{user} needs onnxruntime: python -m pip install "skser[{extra}]"'
        ) from None


def check_device(device: str) -> None:
    """Raise ParameterError if the installed onnxruntime does not support a device."""
    import onnxruntime

    if _PROVIDERS[device] not in onnxruntime.get_available_providers():
        raise ParameterError(
            "device must be 'cpu', got 'cuda': this onnxruntime has no CUDA; install"
            " onnxruntime-gpu in its place"
        )


def start_session(
    model: bytes | PathLike,
    *,
    device: str = "cpu",
    n_threads: int = 0,
    weights: Mapping[str, Any] | None = None,
) -> Any:
    """An InferenceSession of onnxruntime on a device; 0 threads are as many as cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised
    options.intra_op_num_threads = n_threads
    # Waiting threads would take time from other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Graphs in another format would be checked less.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if weights:
        options.add_external_initializers(list(weights), list(weights.values()))
    check_device(device)
    content = model if isinstance(model, bytes) else os.fspath(model)
    session = onnxruntime.InferenceSession(content, options, providers=[_PROVIDERS[device]])
    if session.get_providers()[0] != _PROVIDERS[device]:  # onnxruntime falls back to the CPU
        raise ParameterError(
            f"device must be 'cpu', got {device!r}: onnxruntime could not start CUDA; check that"
            " its version is the one that onnxruntime-gpu needs"
        )
    return session


def check_graph(graph: bytes, n_weights: int = 0) -> None:
    """Raise ModelError for a graph with weights from outside the model file."""
    # onnxruntime opens any file that an external weight names under the key "location", so each
    # occurrence of the word must be our own key and value.
    if not graph.count(b"location") == graph.count(_EXTERNAL) <= n_weights:
        raise ModelError("a network in the model file takes weights from another file")


class OnnxFunction:
    """Probabilities of rows, as `PredictionFunction` but without TensorFlow."""

    def __init__(self, graph: bytes, weights: list[np.ndarray]) -> None:
        check_installed('runtime="onnx"', "onnx")
        import onnxruntime

        self._graph = graph
        # onnxruntime does not copy them, so they must stay in memory.
        self._weights = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in weights]
        self._start()
        self._input_shape = self._session.get_inputs()[0].shape

    def _start(self) -> None:
        n_threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
        self._session = start_session(
            self._graph,
            n_threads=int(n_threads) if n_threads.isdigit() else 0,
            weights={f"{WEIGHT}{i}": weight for i, weight in enumerate(self._weights)},
        )
        self._process = os.getpid()

    def __call__(self, X: np.ndarray) -> np.ndarray:
        if self._process != os.getpid():
            # After a fork, the threads of the session are missing, and its end would wait for them.
            _never_free(self._session)
            self._start()
        return predict_in_blocks(
            lambda rows: self._session.run(None, {ROWS: rows})[0], X, self._input_shape
        )


def _never_free(value: object) -> None:
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))
