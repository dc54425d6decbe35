"""Folders that hold no encoder, or a damaged one: the message says what is there instead."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from skser import Clips, SpeechEmbedding
from skser.embeddings._whisper_encoder import WhisperEncoder
from skser.exceptions import ExtractionError, ModelError

from .encoders import write_encoder

CLIPS = np.ones((1, 800), np.float32)


@pytest.fixture
def folder(tmp_path):
    return write_encoder(tmp_path / "whisper")


def check(folder, reason):
    with pytest.raises(ModelError, match=reason):
        SpeechEmbedding(folder).fit(CLIPS)


def change_config(folder, **content):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **content}))


def change_tensor(folder, name, change):
    content = load_file(folder / "model.safetensors")
    changed = change(content.pop(f"model.encoder.{name}"))
    if changed is not None:
        content[f"model.encoder.{name}"] = changed
    save_file(content, folder / "model.safetensors")


def test_no_config(folder):
    (folder / "config.json").unlink()
    check(folder, r"whisper: has no config\.json, only model\.safetensors, preprocessor_config")


def test_no_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    check(folder, r"whisper: has no model\.safetensors, only config\.json, .*pytorch_model\.bin")


def test_empty_folder(tmp_path):
    check(tmp_path, r"is empty; config\.json and model\.safetensors")


@pytest.mark.parametrize("kind", ["bert", "wav2vec2", None])
def test_other_model(folder, kind):
    change_config(folder, model_type=kind)
    check(folder, rf"config\.json: .*type {kind!r}, but only 'whisper' .*ONNX")


def test_other_activation(folder):
    change_config(folder, activation_function="relu")
    check(folder, r"config\.json: activation_function must be 'gelu', got 'relu'")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe{", b"<html>"])
def test_config_that_is_no_json(folder, content):
    (folder / "config.json").write_bytes(content)
    check(folder, r"config\.json: cannot be read as JSON \(.+\)")


@pytest.mark.parametrize("content", ["[1]", "3", "null", '"whisper"'])
def test_config_of_something_else(folder, content):
    (folder / "config.json").write_text(content)
    check(folder, r"config\.json: describes a model of type None")


@pytest.mark.parametrize(
    "size",
    [
        {"d_model": 0},
        {"d_model": "16"},
        {"encoder_attention_heads": 3},
        {"encoder_layers": None},
        {"num_mel_bins": -80},
        {"encoder_ffn_dim": 1.5},
    ],
)
def test_wrong_sizes(folder, size):
    change_config(folder, **size)
    check(folder, rf"config\.json: must have valid sizes .*{next(iter(size))}.*, got \[.*\]")


@pytest.mark.parametrize(
    ("content", "beginning"),
    [
        (b"<!DOCTYPE html><html><body>Not found", "<!DOCTYPE html><html><bo"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "version https://git-lfs"),
        (b"", ""),
        (b"PK\x03\x04" + bytes(100), r"PK\\x03\\x04"),
    ],
)
def test_weights_that_are_another_file(folder, content, beginning):
    (folder / "model.safetensors").write_bytes(content)
    check(folder, rf"model\.safetensors: cannot be read as safetensors .*begins with '{beginning}")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_truncated_weights(folder, share):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    check(folder, r"model\.safetensors: cannot be read as safetensors")


@pytest.mark.parametrize(
    "name", ["conv1.weight", "embed_positions.weight", "layers.0.fc1.bias", "layers.0.fc2.weight"]
)
@pytest.mark.parametrize("cut", [lambda values: values[:5], lambda values: values[np.newaxis]])
def test_wrong_shape(folder, name, cut):
    change_tensor(folder, name, lambda values: np.ascontiguousarray(cut(values)))
    check(folder, rf"tensor model\.encoder\.{name} must be of shape \(.*\).*, got \(.*\)")


def test_missing_tensor(folder):
    change_tensor(folder, "layers.0.fc1.bias", lambda values: None)
    check(folder, r"has no tensor model\.encoder\.layers\.0\.fc1\.bias, but 38 others such as")


def test_more_layers_promised_than_there_are(folder):
    change_config(folder, encoder_layers=6)
    check(folder, r"has no tensor model\.encoder\.layers\.2\.\S+, but 39 others")


def test_decoder_may_be_anything(folder):
    """Its tensors are NaN in these encoders, and are not read."""
    content = load_file(folder / "model.safetensors")
    decoder = [values for name, values in content.items() if name.startswith("model.decoder.")]
    assert any(np.isnan(values).any() for values in decoder)
    assert np.isfinite(SpeechEmbedding(folder).fit_transform(CLIPS)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_weights_that_are_not_finite(folder, value):
    change_tensor(folder, "layers.0.fc1.bias", lambda values: np.full_like(values, value))
    check(folder, r"tensor model\.encoder\.layers\.0\.fc1\.bias .*not finite in float16")


@pytest.mark.parametrize("change", [lambda frames: frames + np.inf, lambda frames: frames[:, :0]])
@pytest.mark.parametrize("pooling", ["mean", None])
def test_clip_whose_frames_are_not_finite_or_missing_is_named(
    encoder, waveforms, monkeypatch, change, pooling
):
    opened = WhisperEncoder.open

    def spoiled(self, device):
        encode = opened(self, device)
        n_spoiled = self.prepare(waveforms[1]).shape[1]
        return lambda mels: change(encode(mels)) if mels.shape[2] == n_spoiled else encode(mels)

    monkeypatch.setattr(WhisperEncoder, "open", spoiled)
    step = SpeechEmbedding(encoder, pooling=pooling).fit(waveforms)
    with pytest.raises(ExtractionError, match=r"^clip 1: whisper_random_l1: .*not finite$"):
        step.transform(waveforms)
    clips = Clips.from_waveforms(waveforms, sr=16000)
    assert len(step.transform(clips[[0, 2, 3]])) == 3
