"""Random encoders in the layout of the Hugging Face Hub."""

import atexit
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

N_POSITIONS = 1500


def write_encoder(
    folder,
    n_layers=2,
    width=16,
    n_heads=2,
    n_mels=80,
    seed=0,
    dtype="float32",
    with_decoder=True,
):
    """Write a random Whisper encoder to a new folder; values that float16 can hold exactly."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "whisper",
        "d_model": width,
        "encoder_layers": n_layers,
        "encoder_attention_heads": n_heads,
        "encoder_ffn_dim": 2 * width,
        "num_mel_bins": n_mels,
        "max_source_positions": N_POSITIONS,
        "activation_function": "gelu",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"sampling_rate": 16000, "feature_size": n_mels, "n_fft": 400})
    )
    tensors = encoder_tensors(n_layers, width, n_mels, seed)
    content = {f"model.encoder.{name}": values for name, values in tensors.items()}
    if with_decoder:
        content |= {
            "model.decoder.embed_tokens.weight": np.ones((50, width)),
            "model.decoder.layers.0.fc1.weight": np.full((2 * width, width), np.nan),
        }
    half = {name: values.astype(np.float16).astype(dtype) for name, values in content.items()}
    save_file(half, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


class RandomEncoder(os.PathLike):
    """Path of a random encoder, written when first asked for, with the same repr in any process."""

    def __fspath__(self):
        return os.fspath(_random_encoder())

    def __repr__(self):
        return "RandomEncoder()"


@cache
def _random_encoder():
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return write_encoder(Path(folder, "whisper-random"))


def encoder_tensors(n_layers, width, n_mels, seed):
    """Random weights by name; the keys have no bias."""
    random = np.random.default_rng(seed)

    def matrix(*shape):
        return random.normal(0, np.prod(shape[1:]) ** -0.5, shape)

    def vector(size, mean=0.0):
        return random.normal(mean, 0.1, size)

    def norm(name):
        return {f"{name}.weight": vector(width, 1.0), f"{name}.bias": vector(width)}

    tensors = {
        "conv1.weight": matrix(width, n_mels, 3),
        "conv1.bias": vector(width),
        "conv2.weight": matrix(width, width, 3),
        "conv2.bias": vector(width),
        "embed_positions.weight": random.normal(0, 0.1, (N_POSITIONS, width)),
        **norm("layer_norm"),
    }
    for block in (f"layers.{i}" for i in range(n_layers)):
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            tensors[f"{block}.self_attn.{part}.weight"] = matrix(width, width)
            if part != "k_proj":
                tensors[f"{block}.self_attn.{part}.bias"] = vector(width)
        tensors |= norm(f"{block}.self_attn_layer_norm") | norm(f"{block}.final_layer_norm")
        tensors |= {
            f"{block}.fc1.weight": matrix(2 * width, width),
            f"{block}.fc1.bias": vector(2 * width),
            f"{block}.fc2.weight": matrix(width, 2 * width),
            f"{block}.fc2.bias": vector(width),
        }
    return tensors
