"""The encoder half of a Whisper model, read from a folder in the layout of the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from .._utils._files import file_signature
from ..exceptions import MissingDependencyError, ModelError

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_SIZES = (
    "d_model",
    "encoder_layers",
    "encoder_attention_heads",
    "num_mel_bins",
    "encoder_ffn_dim",
)
_PREFIXES = ("model.encoder.", "encoder.")
_BLOCK = (
    *("self_attn_layer_norm.weight", "self_attn_layer_norm.bias"),
    *("self_attn.q_proj.weight", "self_attn.q_proj.bias", "self_attn.k_proj.weight"),
    *("self_attn.v_proj.weight", "self_attn.v_proj.bias"),
    *("self_attn.out_proj.weight", "self_attn.out_proj.bias"),
    *("final_layer_norm.weight", "final_layer_norm.bias"),
    *("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"),
)
_STEM = ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "embed_positions.weight")
_N_POSITIONS = 1500  # of 30 seconds
_NORM = ("layer_norm.weight", "layer_norm.bias")


@dataclass(frozen=True)
class WhisperConfig:
    """Sizes of an encoder."""

    width: int
    n_layers: int
    n_heads: int
    n_mels: int
    dense_width: int

    @classmethod
    def read(cls, folder: Path) -> WhisperConfig:
        """Sizes in a folder's ``config.json``; ModelError if it holds another kind of model."""
        path = folder / CONFIG
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise _missing(folder, CONFIG) from None
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read as JSON ({error})") from error
        kind = content.get("model_type") if isinstance(content, dict) else None
        if kind != "whisper":
            raise ModelError(
                f"{path}: describes a model of type {kind!r}, but only 'whisper' is supported; "
                "convert other encoders to ONNX and pass the .onnx file"
            )
        if (activation := content.get("activation_function", "gelu")) != "gelu":
            raise ModelError(f"{path}: activation_function must be 'gelu', got {activation!r}")
        sizes = [content.get(name) for name in _SIZES]
        if not all(isinstance(size, int) and size > 0 for size in sizes) or sizes[0] % sizes[2]:
            raise ModelError(f"{path}: must have valid sizes {', '.join(_SIZES)}, got {sizes}")
        return cls(*sizes)

    def names(self, n_layers: int) -> list[str]:
        """Names of the tensors up to a layer."""
        blocks = [f"layers.{i}.{name}" for i in range(n_layers) for name in _BLOCK]
        return [*_STEM, *blocks, *(_NORM if n_layers == self.n_layers else ())]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor."""
        width, kind = self.width, name.rpartition(".")[2]
        special = {
            "conv1.weight": (width, self.n_mels, 3),
            "conv2.weight": (width, width, 3),
            "embed_positions.weight": (_N_POSITIONS, width),
            "fc1.weight": (self.dense_width, width),
            "fc1.bias": (self.dense_width,),
            "fc2.weight": (width, self.dense_width),
        }
        is_matrix = kind == "weight" and "norm" not in name
        short = name.split(".", 2)[-1] if name.startswith("layers.") else name
        return special.get(short, (width, width) if is_matrix else (width,))


def read_tensors(folder: Path, n_layers: int) -> dict[str, np.ndarray]:
    """Tensors up to a layer in float16, without loading others; ModelError if one is missing."""
    return dict(_tensors(folder, WhisperConfig.read(folder), n_layers))


def digest_of(folder: Path, n_layers: int) -> str:
    """Hash of an encoder up to a layer, the same for weights in float32 and float16."""
    return _digest_of(folder, n_layers, _signature(folder, CONFIG), _signature(folder, WEIGHTS))


@lru_cache(maxsize=16)
def _digest_of(folder: Path, n_layers: int, *signatures: object) -> str:
    config = WhisperConfig.read(folder)
    digest = hashlib.sha256(f"{config.n_heads} heads".encode())
    for name, tensor in _tensors(folder, config, n_layers):
        digest.update(f"{name} {tensor.shape} ".encode() + tensor.astype("<f2").tobytes())
    return digest.hexdigest()[:32]


def _tensors(
    folder: Path, config: WhisperConfig, n_layers: int
) -> Iterator[tuple[str, np.ndarray]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingDependencyError(
            'reading an encoder needs safetensors: python -m pip install "skser[embeddings]"'
        ) from None
    path = folder / WEIGHTS
    if not path.is_file():
        raise _missing(folder, WEIGHTS)
    try:
        with safe_open(path, "numpy") as file:
            held = set(file.keys())
            prefix = next((p for p in _PREFIXES if p + _STEM[0] in held), _PREFIXES[0])
            for name in config.names(n_layers):
                if prefix + name not in held:
                    raise ModelError(
                        f"{path}: has no tensor {prefix + name}, but {len(held)} others such as "
                        f"{min(held, default='none')}"
                    )
                tensor = file.get_tensor(prefix + name)
                expected = config.shape(name)
                if tensor.shape != expected:
                    raise ModelError(
                        f"{path}: tensor {prefix + name} must be of shape {expected}, as "
                        f"{CONFIG} says, got {tensor.shape}"
                    )
                with np.errstate(over="ignore"):
                    half = tensor.astype(np.float16)
                if not np.isfinite(half).all():
                    raise ModelError(
                        f"{path}: tensor {prefix + name} has values that are not finite in float16"
                    )
                yield name, half
    except (OSError, SafetensorError, TypeError) as error:
        raise ModelError(
            f"{path}: cannot be read as safetensors ({error}); it begins with {_beginning(path)!r}"
        ) from error


def _beginning(path: Path) -> str:
    """The first characters of a file, which reveal a web page or a pointer of Git LFS."""
    with path.open("rb") as file:
        return file.read(24).decode("ascii", "replace")


def _signature(folder: Path, name: str) -> tuple[str, int, int]:
    try:
        return file_signature(folder / name)
    except OSError:
        raise _missing(folder, name) from None


def _missing(folder: Path, name: str) -> ModelError:
    if not folder.is_dir():
        return ModelError(f"{folder}: no such folder")
    files = sorted(path.name for path in folder.iterdir())[:8]
    if not files:
        return ModelError(
            f"{folder}: is empty; {CONFIG} and {WEIGHTS} of a Whisper model are needed"
        )
    return ModelError(f"{folder}: has no {name}, only {', '.join(files)}")
