"""SpeechEmbedding with an encoder in an ONNX file, whose values NumPy gives as well."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser import Augmenter, Clips, SpeechEmbedding
from skser.embeddings import _onnx_file
from skser.exceptions import ExtractionError, ModelError, ParameterError

from .test_onnx_file import frames_of, network


@pytest.fixture
def file(tmp_path):
    return network(tmp_path / "Tiny-Net.onnx", only="frames")


@pytest.mark.parametrize("batch_size", [1, 8])
def test_mean_over_frames(file, waveforms, batch_size):
    chosen = [waveform for waveform in waveforms if len(waveform) > 8]
    step = SpeechEmbedding(file, batch_size=batch_size)
    expected = [frames_of(waveform[np.newaxis])[0].mean(axis=0) for waveform in chosen]
    assert_allclose(step.fit_transform(chosen), expected, rtol=1e-4, atol=1e-5)
    assert step.get_feature_names_out().tolist() == [
        f"tiny_net_frames_mean_{i:03d}" for i in range(3)
    ]
    assert set(step.get_feature_blocks_out()) == {"tiny_net_frames"}


def test_frames(file, waveforms):
    chosen = [waveforms[0], waveforms[1]]
    sequences = SpeechEmbedding(file, pooling=None).fit_transform(chosen)
    for sequence, waveform in zip(sequences, chosen, strict=True):
        expected = frames_of(waveform[np.newaxis])[0]
        assert_allclose(sequence[: len(expected)], expected, rtol=1e-4, atol=1e-5)
        assert np.isnan(sequence[len(expected) :]).all()


def test_vector_of_a_long_clip_is_the_mean_over_windows(tmp_path, waveforms):
    file = network(tmp_path / "net.onnx")
    step = SpeechEmbedding(file, layer="mean", max_seconds=0.1)
    (features,) = step.fit_transform(waveforms[:1])  # 15 frames of 20 ms: three windows
    windows = np.split(waveforms[0], [1600, 3200])
    vectors = [frames_of(window[np.newaxis])[0].mean(axis=0) for window in windows]
    assert_allclose(features, np.mean(vectors, axis=0), rtol=1e-4, atol=1e-5)


def test_any_sampling_rate(file, waveforms):
    clips = Clips.from_waveforms(waveforms[:1], sr=8000)
    at_16000 = SpeechEmbedding(file).fit_transform(waveforms[:1])
    assert_allclose(SpeechEmbedding(file).fit_transform(clips), at_16000, atol=1e-6)


def test_views_and_workers(file, waveforms):
    clips = Clips.from_waveforms(waveforms[3:5], sr=16000)
    views = Augmenter(n_views=2, random_state=0).fit_transform(clips)
    features = SpeechEmbedding(file).fit_transform(views)
    assert features.values.shape == (2, 2, 3)
    assert_allclose(features.values[:, 0], SpeechEmbedding(file).fit_transform(clips), atol=1e-5)


@pytest.mark.parametrize("layer", [2, [0, 1]])
def test_layers_are_outputs(file, waveforms, layer):
    with pytest.raises(ParameterError, match=r"^layer .*name of an output .*got "):
        SpeechEmbedding(file, layer=layer).fit(waveforms)


def test_several_outputs(tmp_path, waveforms):
    file = network(tmp_path / "net.onnx")
    with pytest.raises(ParameterError, match=r"'frames'.*'mean'"):
        SpeechEmbedding(file).fit(waveforms)
    with pytest.raises(ParameterError, match=r"'meen'.*did you mean 'mean'"):
        SpeechEmbedding(file, layer="meen").fit(waveforms)


def test_clip_that_is_too_short_is_named(file, waveforms):
    step = SpeechEmbedding(file).fit(waveforms)
    with pytest.raises((ExtractionError, ValueError), match=r"^clip 2: .*1 samples"):
        step.transform(waveforms)


def test_pickle_and_another_file(file, waveforms, tmp_path):
    step = SpeechEmbedding(file)
    features = step.fit_transform(waveforms[:1])
    content = pickle.dumps(step)
    assert len(content) < 2000
    assert_array_equal(pickle.loads(content).transform(waveforms[:1]), features)
    network(file)  # with two outputs
    assert_array_equal(step.transform(waveforms[:1]), features)  # which is still open
    _onnx_file._open.cache_clear()
    with pytest.raises(ModelError, match=r"Tiny-Net\.onnx: holds another encoder"):
        step.transform(waveforms[:1])


def test_file_is_read_once(file, waveforms, monkeypatch):
    """Files may have a gigabyte."""
    expected = SpeechEmbedding(file).fit(waveforms).transform(waveforms[:1])

    def fail(file):
        raise AssertionError("hashed again")

    monkeypatch.setattr(_onnx_file, "_digest", fail)
    step = SpeechEmbedding(file).fit(waveforms)
    assert_array_equal(step.transform(waveforms[:1]), expected)
    assert len(step.get_feature_names_out()) == 3


def test_cached(file, waveforms, tmp_path):
    step = SpeechEmbedding(file, memory=tmp_path / "memory").fit(waveforms)
    features = step.transform(waveforms[:2])
    assert_array_equal(step.transform(waveforms[:2]), features)
    assert step.cache_info()[:3] == (2, 2, 2)
