"""Frames of windows, their batches and their statistics."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser import SpeechEmbedding
from skser.embeddings import _plan
from skser.embeddings._plan import EmbeddingPlan
from tests.features.golden.make_golden import speechlike


def plan_of(encoder, **params):
    """The plan of a fitted step."""
    return EmbeddingPlan.of(SpeechEmbedding(encoder, **params).fit(np.ones((1, 400))))


@pytest.fixture(scope="module")
def long_clip():
    """Of 2.07 seconds."""
    return speechlike(seconds=2.07)


@pytest.mark.parametrize("n_samples", [1, 319, 320, 321, 8000, 8001, 15999, 16000, 16001, 40000])
@pytest.mark.parametrize("max_seconds", [0.1, 0.25, 0.5, 1.0, 30])
def test_windows(encoder, n_samples, max_seconds):
    waveform = np.arange(n_samples, dtype=np.float32)
    windows = plan_of(encoder, max_seconds=max_seconds)._windows(waveform, 16000)
    assert_array_equal(np.concatenate(windows), waveform)
    lengths = np.array([len(window) for window in windows])
    assert lengths.max() <= max_seconds * 16000
    assert (lengths[:-1] % 320 == 0).all()
    assert np.ptp(-(-lengths // 320)) <= 1
    assert len(lengths) == max(1, -(-n_samples // (int(max_seconds * 50) * 320)))


def test_long_clip_is_the_frames_of_its_windows(encoder, long_clip):
    """104 frames, at most 50 at once: 35, 34 and 35."""
    plan = plan_of(encoder, layer=2, max_seconds=1.0)
    by_hand = np.concatenate(
        [
            plan.frames([long_clip[320 * start : 320 * stop]], 16000)[0]
            for start, stop in ((0, 35), (35, 69), (69, 104))
        ]
    )
    (frames,) = plan.frames([long_clip], 16000)
    assert len(frames) == 104
    assert_allclose(frames, by_hand, atol=1e-5)
    (mean,) = plan.of_clips([long_clip[np.newaxis]], 16000)
    assert_allclose(mean[0], by_hand.mean(axis=0), atol=1e-5)


def test_encoder_gets_at_most_max_seconds(encoder, monkeypatch):
    """20 s by 5 s: four windows of 250 frames, whose frames count alike."""
    clip = np.random.default_rng(0).normal(0, 0.1, 20 * 16000).astype(np.float32)
    plan = plan_of(encoder, max_seconds=5.0)
    encode, n_frames = plan.encoder.open("cpu"), []

    def noted(self, device):
        return lambda mels: n_frames.append(mels.shape[-1]) or encode(mels)

    windows = [plan.frames([window], 16000)[0] for window in np.split(clip, 4)]
    monkeypatch.setattr(type(plan.encoder), "open", noted)
    (mean,) = plan.of_clips([clip[np.newaxis]], 16000)
    assert set(n_frames) == {500}
    assert_allclose(mean[0], np.concatenate(windows).mean(axis=0), atol=1e-5)
    (frames,) = plan.frames([clip], 16000)
    assert frames.shape == (1000, 16)


@pytest.mark.parametrize("n_samples", [1, 100, 5000])
def test_silence_has_features(encoder, n_samples):
    (mean,) = plan_of(encoder).of_clips([np.zeros((1, n_samples), np.float32)], 16000)
    assert np.isfinite(mean).all()


def test_clip_at_the_limit_is_not_cut(encoder, long_clip):
    whole = plan_of(encoder, max_seconds=30).frames([long_clip], 16000)[0]
    at_limit = plan_of(encoder, max_seconds=2.1).frames([long_clip], 16000)[0]
    cut = plan_of(encoder, max_seconds=2.0).frames([long_clip], 16000)[0]
    assert_array_equal(at_limit, whole)
    assert np.abs(cut - whole).max() > 1e-3


@pytest.mark.parametrize("pooling", ["mean", "mean_std", None])
def test_pooling(encoder, long_clip, pooling):
    (frames,) = plan_of(encoder).frames([long_clip], 16000)
    (result,) = plan_of(encoder, pooling=pooling).of_clips([long_clip[np.newaxis]], 16000)
    expected = {
        "mean": frames.mean(axis=0),
        "mean_std": np.concatenate([frames.mean(axis=0), frames.std(axis=0)]),
        None: frames,
    }
    assert result.dtype == np.float32
    assert_allclose(result, expected[pooling][np.newaxis], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "mean_std"])
def test_few_windows_of_a_long_clip_are_in_memory_at_once(encoder, long_clip, pooling, monkeypatch):
    """104 frames in windows of 9 or 10, which count by their length."""
    clips = [np.stack([long_clip, long_clip[::-1]]), long_clip[np.newaxis, :700]]
    plan = plan_of(encoder, layer=[2, 0], pooling=pooling, max_seconds=0.2)
    frames = [plan.frames(list(clip), 16000) for clip in clips]
    expected = [np.stack([plan.pool(of_view) for of_view in views]) for views in frames]
    encode, numbers = EmbeddingPlan._encode, []

    def noted(self, windows):
        numbers.append(len(windows))
        return encode(self, windows)

    monkeypatch.setattr(_plan, "_WINDOWS_AT_ONCE", 4)
    monkeypatch.setattr(EmbeddingPlan, "_encode", noted)
    result = plan.of_clips(clips, 16000)
    assert numbers == [4] * 5 + [3]
    for features, by_hand in zip(result, expected, strict=True):
        assert_allclose(features, by_hand, atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 50])
def test_only_clips_of_equal_length_are_batched(encoder, waveforms, batch_size, monkeypatch):
    plan = plan_of(encoder, batch_size=batch_size)
    encode, shapes = plan.encoder.open("cpu"), []

    def noted(self, device):
        return lambda mels: shapes.append(mels.shape) or encode(mels)

    monkeypatch.setattr(type(plan.encoder), "open", noted)
    plan.frames([*waveforms, waveforms[0]], 16000)  # 4800 samples thrice; 1 and 399 are both padded
    lengths = sorted((frames, n) for n, _, frames in shapes)
    expected = {
        1: [(2, 1), (2, 1), (20, 1), (30, 1), (30, 1), (30, 1), (40, 1)],
        2: [(2, 2), (20, 1), (30, 1), (30, 2), (40, 1)],
    }
    assert lengths == expected.get(batch_size, [(2, 2), (20, 1), (30, 3), (40, 1)])
