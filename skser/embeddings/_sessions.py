"""Sessions of onnxruntime for encoders."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from ..exceptions import MissingDependencyError, ParameterError

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
DEVICES = tuple(_PROVIDERS)


def check_device(device: str) -> None:
    """Raise ParameterError if onnxruntime does not support the device here."""
    provider, available = _PROVIDERS[device], _onnxruntime().get_available_providers()
    if provider not in available:
        raise ParameterError(
            f"device must be supported by the onnxruntime installed here, got {device!r} "
            f"(supported: {', '.join(d for d, p in _PROVIDERS.items() if p in available)}); "
            "the package onnxruntime-gpu supports 'cuda'"
        )


def open_session(graph: bytes | Path, device: str, n_threads: int = 1) -> Any:
    """A session on a device; ParameterError if onnxruntime does not support the device here."""
    check_device(device)
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised
    options.intra_op_num_threads = n_threads
    # Waiting threads would take time from other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # In other formats, a graph is checked less.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    content = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(content, options, providers=[_PROVIDERS[device]])


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        raise MissingDependencyError(
            'an encoder needs onnxruntime: python -m pip install "skser[embeddings]"'
        ) from None
    return onnxruntime
