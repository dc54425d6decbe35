"""Folders with a network and its description, as audonnx publishes models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..exceptions import DataError, MissingDependencyError

_DESCRIPTION = "model.yaml"
_KIND = "$audonnx."


def network_of(folder: Path) -> Path:
    """The ONNX file of a folder, by its description if there is one.

    DataError if the network does not take the waveform itself.
    """
    description = folder / _DESCRIPTION
    if not description.is_file():
        network = folder / "model.onnx"
        if not network.is_file():
            raise DataError(f"{folder}: the folder has neither model.onnx nor {_DESCRIPTION}")
        if (separate := folder / "transform.yaml").is_file():  # of earlier versions
            raise DataError(f"{separate}: {_needs(_load(separate))}")
        return network
    content = _load(description)
    if not isinstance(content, dict) or len(content) != 1:
        raise DataError(f"{description}: describes no model of audonnx")
    ((kind, model),) = content.items()
    if not str(kind).startswith(_KIND) or not isinstance(model, dict):
        raise DataError(f"{description}: describes {str(kind)[:80]!r}, not a model of audonnx")
    path = model.get("path", "model.onnx")
    if not isinstance(path, str) or Path(path).name != path or not path.endswith(".onnx"):
        raise DataError(
            f"{description}: path must be the name of an .onnx file in this folder, got {path!r}"
        )
    if not (folder / path).is_file():
        raise DataError(f"{description}: names {path!r}, which is not in {folder}")
    if not isinstance(model.get("labels"), (dict, list, type(None))):
        labels = model["labels"]
        raise DataError(f"{description}: labels must be lists of names, got {labels!r}")
    transform = model.get("transform")
    if isinstance(transform, dict) and not any(str(key).startswith("$") for key in transform):
        transform = next((value for value in transform.values() if value is not None), None)
    if transform is not None:
        raise DataError(f"{description}: {_needs(transform)}")
    return folder / path


def _needs(transform: Any) -> str:
    """That a network needs a transform, by the name of its class."""
    name = str(next(iter(transform), "")) if isinstance(transform, dict) else str(transform)
    name = name.removeprefix("$").partition("==")[0]
    return f"its network takes the output of the transform {name!r}, but waveforms are given"


def _load(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingDependencyError(
            f"{path}: needs PyYAML, which is not installed;"
            ' python -m pip install "skser[embeddings]" does it'
        ) from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: is not valid YAML ({reason})") from error
