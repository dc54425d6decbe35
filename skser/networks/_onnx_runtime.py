"""Networks in ONNX, run by onnxruntime without TensorFlow.

A graph has no weights: both forms of a network share one copy, which onnxruntime gets when it loads
the graph.
"""

from __future__ import annotations

import ctypes
import io
import os
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import Any
from weakref import WeakSet

import numpy as np

from .._utils._stderr import stderr_closed
from .._utils._types import PathLike
from ..exceptions import MissingDependencyError, ModelError, ParameterError, SkserWarning
from ._rows import predict_in_blocks

# Since 1.29, wheels of all systems report each session to Microsoft unless this is set before the
# import; the thread that does so would also keep a forked child from ending.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

DEVICES = ("auto", "cpu", "cuda")
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_CUDA_OPTIONS = {
    "arena_extend_strategy": "kSameAsRequested",  # by default, each request doubles the memory
    "cudnn_conv_algo_search": "HEURISTIC",  # by default, all algorithms run for each new length
    "use_tf32": "0",  # 10 bits would make features differ from those of the CPU
}
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


def has_cuda() -> bool:
    """Whether the installed onnxruntime is the one for CUDA."""
    import onnxruntime

    return _CUDA in onnxruntime.get_available_providers()


def check_device(device: str) -> None:
    """Raise ParameterError if the installed onnxruntime does not support a device."""
    if device == "cuda" and not has_cuda():
        raise ParameterError(
            "device must be 'auto' or 'cpu', got 'cuda': this onnxruntime has no CUDA; install"
            " onnxruntime-gpu in its place"
        )


def start_session(
    model: bytes | PathLike,
    *,
    device: str = "cpu",
    n_threads: int = 0,
    weights: Mapping[str, Any] | None = None,
) -> Any:
    """An InferenceSession of onnxruntime on a device; 0 threads are as many as cores.

    "auto" is CUDA where onnxruntime-gpu can start it.
    """
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
    if device == "cpu" or not has_cuda():
        return onnxruntime.InferenceSession(content, options, providers=[_CPU])
    # Messages on CUDA come before their causes can be caught.
    with stderr_closed(), redirect_stdout(io.StringIO()):
        if hasattr(onnxruntime, "preload_dlls"):  # since 1.21
            onnxruntime.preload_dlls()  # of the packages nvidia-*
        providers = [(_CUDA, _CUDA_OPTIONS), _CPU]
        session = onnxruntime.InferenceSession(content, options, providers=providers)
    if session.get_providers()[0] != _CUDA:  # onnxruntime falls back to the CPU
        problem = (
            "onnxruntime could not start CUDA; check that there is a GPU, and that CUDA and cuDNN"
            " have the versions that onnxruntime-gpu needs"
        )
        if device == "cuda":
            raise ParameterError(f"device must be 'auto' or 'cpu', got 'cuda': {problem}")
        warnings.warn(f"device='auto' is the CPU: {problem}", SkserWarning, stacklevel=2)
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
