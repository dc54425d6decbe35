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
from weakref import WeakSet

import numpy as np

from .._utils._types import PathLike
from ..exceptions import MissingDependencyError, ModelError, ParameterError
from ._rows import predict_in_blocks

# Since 1.29, wheels of all systems report each session to Microsoft unless this is set before the
# import; the thread that does so would also keep a forked child from ending.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

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
        self._session: Any = None
        self._input_shape = self._start().get_inputs()[0].shape
        _functions.add(self)

    def _start(self) -> Any:
        n_threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
        self._session = start_session(
            self._graph,
            n_threads=int(n_threads) if n_threads.isdigit() else 0,
            weights={f"{WEIGHT}{i}": weight for i, weight in enumerate(self._weights)},
        )
        return self._session

    def __call__(self, X: np.ndarray) -> np.ndarray:
        session = self._session or self._start()
        return predict_in_blocks(
            lambda rows: session.run(None, {ROWS: rows})[0], X, self._input_shape
        )

    def forget_session(self) -> None:
        """Start another session at the next call, in a forked child.

        The threads of the session exist in the parent alone, and its destructor, which never comes,
        would wait for them.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
        self._session = None


_functions: WeakSet[OnnxFunction] = WeakSet()


def _after_fork() -> None:
    for function in _functions:
        function.forget_session()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
