"""Layers of the encoder against plain NumPy in double precision."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from safetensors.numpy import load_file, save_file
from scipy.special import erf

from skser.embeddings._whisper_graph import MEL, output_name, whisper_graph
from skser.embeddings._whisper_weights import WhisperConfig, digest_of, read_tensors
from skser.networks._onnx_runtime import start_session

from .encoders import write_encoder

N_LAYERS, WIDTH, N_HEADS = 3, 12, 3


def gelu(x):
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def norm(x, weights, name):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return centred / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def convolution(x, weights, name, stride):
    """``x`` of shape (n_frames, n_channels), one frame of zeros at either end."""
    kernel = weights[f"{name}.weight"]  # (out, in, 3)
    padded = np.pad(x, ((1, 1), (0, 0)))
    return (
        np.array(
            [
                [np.sum(kernel[i] * padded[start : start + 3].T) for i in range(len(kernel))]
                for start in range(0, len(x), stride)
            ]
        )
        + weights[f"{name}.bias"]
    )


def attention(x, weights, name):
    def dense(x, part):
        return x @ weights[f"{name}.{part}.weight"].T + weights.get(f"{name}.{part}.bias", 0.0)

    queries, keys, values = (dense(x, part) for part in ("q_proj", "k_proj", "v_proj"))
    size = WIDTH // N_HEADS
    heads = []
    for head in range(N_HEADS):
        columns = slice(head * size, (head + 1) * size)
        scores = queries[:, columns] @ keys[:, columns].T / np.sqrt(size)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        heads.append(shares / shares.sum(axis=1, keepdims=True) @ values[:, columns])
    return dense(np.concatenate(heads, axis=1), "out_proj")


def reference_layers(folder, mel):
    """Every layer (n_frames, width) for a spectrogram (n_mels, n_frames)."""
    content = load_file(folder / "model.safetensors")
    weights = {
        name.removeprefix("model.encoder."): values.astype(np.float64)
        for name, values in content.items()
    }
    x = gelu(convolution(mel.T.astype(np.float64), weights, "conv1", 1))
    x = gelu(convolution(x, weights, "conv2", 2))
    x = x + weights["embed_positions.weight"][: len(x)]
    layers = [x]
    for i in range(N_LAYERS):
        block = f"layers.{i}"
        x = x + attention(
            norm(x, weights, f"{block}.self_attn_layer_norm"), weights, f"{block}.self_attn"
        )
        normed = norm(x, weights, f"{block}.final_layer_norm")
        hidden = gelu(normed @ weights[f"{block}.fc1.weight"].T + weights[f"{block}.fc1.bias"])
        x = x + hidden @ weights[f"{block}.fc2.weight"].T + weights[f"{block}.fc2.bias"]
        layers.append(x)
    layers[-1] = norm(x, weights, "layer_norm")
    return layers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(
        tmp_path_factory.mktemp("encoder"), N_LAYERS, WIDTH, N_HEADS, n_mels=10, seed=3
    )


def graph_of(folder, layers):
    tensors = read_tensors(folder, max(layers))
    return whisper_graph(WhisperConfig.read(folder), tensors, layers)


def run_graph(folder, layers, mels):
    session = start_session(graph_of(folder, layers), n_threads=1)
    return session.run([output_name(layer) for layer in layers], {MEL: mels})


@pytest.mark.parametrize("n_frames", [1, 2, 7, 24, 51])
@pytest.mark.parametrize("n_clips", [1, 3])
def test_every_layer(folder, n_frames, n_clips):
    mels = np.random.default_rng(n_frames).normal(size=(n_clips, 10, n_frames)).astype(np.float32)
    layers = range(N_LAYERS + 1)
    results = run_graph(folder, list(layers), mels)
    for clip, mel in enumerate(mels):
        for layer, expected in zip(layers, reference_layers(folder, mel), strict=True):
            assert results[layer].shape == (n_clips, -(-n_frames // 2), WIDTH)
            assert_allclose(results[layer][clip], expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("layers", [[0], [1], [N_LAYERS], [2, 0], [3, 1]])
def test_cut_graph_has_the_layers_asked_for(folder, layers):
    mel = np.random.default_rng(0).normal(size=(10, 9)).astype(np.float32)
    results = run_graph(folder, layers, mel[np.newaxis])
    expected = reference_layers(folder, mel)
    for layer, result in zip(layers, results, strict=True):
        assert_allclose(result[0], expected[layer], rtol=1e-4, atol=2e-5)


def test_cut_graph_is_smaller(folder):
    sizes = [len(graph_of(folder, [layer])) for layer in range(N_LAYERS + 1)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("other", [{"dtype": "float16"}, {"with_decoder": False}])
@pytest.mark.parametrize("layer", [1, N_LAYERS])
def test_same_encoder_in_another_file(folder, tmp_path, other, layer):
    again = write_encoder(tmp_path, N_LAYERS, WIDTH, N_HEADS, n_mels=10, seed=3, **other)
    assert digest_of(again, layer) == digest_of(folder, layer)
    assert graph_of(again, [layer]) == graph_of(folder, [layer])


def test_weights_are_rounded_to_float16(folder, tmp_path):
    write_encoder(tmp_path, N_LAYERS, WIDTH, N_HEADS, n_mels=10, seed=3)
    content = load_file(tmp_path / "model.safetensors")
    nudged = {name: values * np.float32(1 + 1e-5) for name, values in content.items()}
    save_file(nudged, tmp_path / "model.safetensors")
    assert digest_of(tmp_path, N_LAYERS) == digest_of(folder, N_LAYERS)


@pytest.mark.parametrize("other", [{"seed": 4}, {"n_heads": 2}, {"n_layers": 4}])
def test_another_encoder_has_another_hash(folder, tmp_path, other):
    sizes = {"n_layers": N_LAYERS, "width": WIDTH, "n_heads": N_HEADS, "n_mels": 10, "seed": 3}
    write_encoder(tmp_path, **{**sizes, **other})
    assert digest_of(tmp_path, N_LAYERS) != digest_of(folder, N_LAYERS)


def test_hash_is_of_the_layers_used(folder, tmp_path):
    """Weights behind the cut do not count."""
    content = load_file(folder / "model.safetensors")
    content["model.encoder.layers.2.fc1.bias"] += 1
    write_encoder(tmp_path, N_LAYERS, WIDTH, N_HEADS, n_mels=10)
    save_file(content, tmp_path / "model.safetensors")
    assert digest_of(tmp_path, 2) == digest_of(folder, 2)
    assert digest_of(tmp_path, 3) != digest_of(folder, 3)
