"""The encoder of Whisper by transformers, for `embeddings.py`, in an interpreter that has it.

``python _whisper_reference.py MODEL CLIPS.npz`` answers each line of JSON on stdin once it has
the features. A line has ``clips`` (names), ``layer``, ``how`` ("whole", "cut" or "unpadded") and
``out``, a file for the features, or null.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

GELU = torch.nn.functional.gelu


def load_encoder(folder: str) -> WhisperEncoder:
    """The encoder with the weights of a folder in float32."""
    encoder = WhisperEncoder(WhisperConfig.from_pretrained(folder)).eval()
    weights = load_file(f"{folder}/model.safetensors")
    prefix = "model.encoder."
    encoder.load_state_dict(
        {name[len(prefix) :]: w.float() for name, w in weights.items() if name.startswith(prefix)}
    )
    return encoder


def cut_frames(encoder: WhisperEncoder, mels: torch.Tensor, layer: int) -> torch.Tensor:
    """Frames of a layer by the encoder's own modules, which take any length and stop there."""
    frames = GELU(encoder.conv2(GELU(encoder.conv1(mels)))).permute(0, 2, 1)
    frames = frames + encoder.embed_positions.weight[: frames.shape[1]]
    for block in encoder.layers[:layer]:
        result = block(frames, None)
        frames = result[0] if isinstance(result, tuple) else result
    return encoder.layer_norm(frames) if layer == len(encoder.layers) else frames


def main() -> None:
    folder, clips = sys.argv[1:]
    torch.set_num_threads(1)
    waveforms = dict(np.load(clips))
    extractor = WhisperFeatureExtractor.from_pretrained(folder)
    encoder = load_encoder(folder)
    print("ready", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        chosen = [waveforms[name] for name in task["clips"]]
        padding = {} if task["how"] != "unpadded" else {"padding": False, "truncation": False}
        with torch.inference_mode():
            mels = extractor(chosen, sampling_rate=16000, return_tensors="pt", **padding)
            mels = mels.input_features
            if task["how"] == "whole":
                states = encoder(mels, output_hidden_states=True).hidden_states
                frames = states[task["layer"]]
            else:
                frames = cut_frames(encoder, mels, task["layer"])
            n_frames = [-(-(len(waveform) // 160) // 2) for waveform in chosen]
            means = [f[:n].mean(dim=0) for f, n in zip(frames, n_frames, strict=True)]
        if task["out"]:
            np.save(task["out"], torch.stack(means).numpy())
        print("done", flush=True)


if __name__ == "__main__":
    main()
