"""Timelines of pipelines with a speech encoder: overlapping windows share its frames."""

import weakref

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skser import AudioLoader, Augmenter, FeatureUnionExtractor, SpeechEmbedding, predict_timeline
from skser._utils._temperature import at_temperature
from skser.calibration import TemperatureScaledClassifier
from skser.embeddings._plan import EmbeddingPlan
from skser.inference._shared_frames import SharedFrames, split_at_embedding
from skser.recipes import keep_features
from tests.embeddings.encoders import write_encoder
from tests.embeddings.test_onnx_file import network as write_onnx
from tests.evaluations import noises

SR = 16000
FRAME = 320  # samples
SPEECH = noises(n_speakers=2)
CLASSES = ["angry", "calm", "sad"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoders") / "whisper-random")


def fit(features, loader=None, augmenter=None):
    steps = [
        ("load", loader or AudioLoader(duration=None, pad=None)),
        ("augment", augmenter),
        ("features", features),
        ("scale", StandardScaler()),
        ("classify", LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.9)),
    ]
    pipeline = Pipeline([step for step in steps if step[1] is not None])
    return pipeline.fit(list(SPEECH.waveforms), SPEECH.target)


@pytest.fixture(scope="module")
def pipeline(folder):
    return fit(SpeechEmbedding(folder))


def recording(seconds, seed=0):
    """Noise whose level changes four times a second."""
    rng = np.random.default_rng(seed)
    levels = np.exp(rng.normal(-3, 1, int(np.ceil(4 * seconds))))
    noise = rng.normal(size=round(seconds * SR))
    return (np.repeat(levels, SR // 4)[: len(noise)] * noise).astype(np.float32)


def cutter(waveform):
    return lambda spans: (waveform[start:stop] for start, stop in spans)


def windows(embedding, waveform, starts, length):
    """Features of windows that start at some samples."""
    spans = np.stack([starts, np.add(starts, length)], axis=1)
    shared = SharedFrames(embedding, length)
    return np.stack(list(shared.features(spans, len(waveform), cutter(waveform))))


def frames_by_hand(embedding, waveform, length):
    """Frames of consecutive blocks, each encoded with a quarter of its length on either side."""
    whole = SpeechEmbedding(embedding.model, pooling=None, max_seconds=embedding.max_seconds)
    sequences = []
    for start in range(0, len(waveform), length):
        first = max(0, start - length // 4)
        frames = whole.fit_transform([waveform[first : start + 5 * length // 4]])[0]
        n_frames = -(-min(length, len(waveform) - start) // FRAME)
        sequences.append(frames[(start - first) // FRAME :][:n_frames])
    return np.concatenate(sequences)


@pytest.fixture
def encoded(monkeypatch):
    """Lengths in samples of all waveforms that are encoded, and the frames that are in memory."""
    lengths, in_memory = [], weakref.WeakValueDictionary()
    original = EmbeddingPlan.frames

    def frames(self, waveforms, sr):
        results = original(self, waveforms, sr)
        for waveform, result in zip(waveforms, results, strict=True):
            in_memory[len(lengths)] = result
            lengths.append(len(waveform))
        return results

    monkeypatch.setattr(EmbeddingPlan, "frames", frames)
    return lengths, in_memory


# --- values ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [6.0, 7.3])
def test_windows_side_by_side_are_predicted_as_clips(pipeline, seconds):
    waveform = recording(seconds)
    timeline = predict_timeline(pipeline, waveform, window=2.0, hop=2.0, smoothing=None)
    starts = [0, 2 * SR, 4 * SR, len(waveform) - 2 * SR][: len(timeline)]
    clips = [waveform[start : start + 2 * SR] for start in starts]
    assert_allclose(timeline[CLASSES], pipeline.predict_proba(clips), atol=1e-5)


@pytest.mark.parametrize("max_seconds", [15.0, 1.5])
@pytest.mark.parametrize("n_samples", [8 * SR, 8 * SR + 7, 8 * SR + 200, 9 * SR - 1])
def test_windows_pool_the_frames_of_blocks(folder, max_seconds, n_samples):
    """Also with a last block of a few samples, and with blocks that the encoder gets in parts."""
    embedding = SpeechEmbedding(folder, max_seconds=max_seconds).fit([np.ones(SR)])
    waveform = recording(9.0)[:n_samples]
    starts = np.unique([*range(0, n_samples - 2 * SR, SR // 2), n_samples - 2 * SR])
    found = windows(embedding, waveform, starts, 2 * SR)
    frames = frames_by_hand(embedding, waveform, 2 * SR)
    for features, start in zip(found, starts, strict=True):
        first = min(round(start / FRAME), -(-n_samples // FRAME) - 100)
        assert_allclose(features, frames[first : first + 100].mean(axis=0), atol=1e-5)


def test_timeline_of_overlapping_windows(pipeline):
    waveform = recording(8.0)
    timeline = predict_timeline(pipeline, waveform, window=2.0, hop=0.5, smoothing=None)
    frames = frames_by_hand(pipeline["features"], waveform, 2 * SR)
    middles = 0.25 + 0.5 * np.arange(16)
    starts = (middles - 1).clip(0, 6)
    pooled = [frames[round(50 * t) : round(50 * t) + 100].mean(axis=0) for t in starts]
    assert_allclose(timeline[CLASSES], pipeline[2:].predict_proba(pooled), atol=1e-5)


@pytest.mark.parametrize("seconds", [0.01, 0.4, 1.0])
def test_recordings_shorter_than_a_window(pipeline, seconds):
    waveform = recording(seconds)
    timeline = predict_timeline(pipeline, waveform, window=3.0, hop=0.5, smoothing=None)
    expected = pipeline.predict_proba([waveform])
    assert_allclose(timeline[CLASSES], np.repeat(expected, len(timeline), axis=0), atol=1e-5)


def test_files_give_the_same_as_waveforms(pipeline, tmp_path):
    waveform = recording(70.0)  # of several blocks of the decoder
    soundfile.write(tmp_path / "a.wav", waveform, SR, subtype="FLOAT")
    options = {"window": 2.0, "hop": 1.0}
    expected = predict_timeline(pipeline, waveform, **options)
    found = predict_timeline(pipeline, tmp_path / "a.wav", **options)
    assert_allclose(found[CLASSES], expected[CLASSES], atol=1e-6)


def test_a_calibrated_pipeline(pipeline):
    options = {"window": 2.0, "hop": 0.5, "smoothing": None}
    plain = predict_timeline(pipeline, recording(6.0), **options)
    scaled = TemperatureScaledClassifier.of(pipeline, 3.0)
    cooler = predict_timeline(scaled, recording(6.0), **options)
    assert_allclose(cooler[CLASSES], at_temperature(plain[CLASSES].to_numpy(), 3.0), rtol=1e-6)


# --- work and memory ------------------------------------------------------------------------


def test_each_block_is_encoded_once(pipeline, encoded):
    predict_timeline(pipeline, recording(10.5), window=2.0, hop=0.25)
    lengths, _ = encoded
    margin = SR // 2
    assert lengths == [2 * SR + margin, *[2 * SR + 2 * margin] * 4, SR // 2 + margin]


def test_silence_is_not_encoded(pipeline, encoded):
    waveform = recording(40.0)
    waveform[8 * SR : 34 * SR] = 0
    timeline = predict_timeline(pipeline, waveform, window=2.0, hop=0.5)
    assert timeline["silence"].sum() > 45
    lengths, _ = encoded
    # Windows around the first and last voiced rows reach into silence.
    assert len(lengths) <= 5 + 4
    lengths.clear()
    silent = np.zeros(4 * SR, np.float32)
    assert predict_timeline(pipeline, silent, window=2.0, hop=0.5)["silence"].all()
    assert lengths == []


def test_few_blocks_are_kept(pipeline, encoded):
    lengths, in_memory = encoded
    waveform = recording(20.0)
    starts = np.arange(0, 20 * SR - SR // 5, SR // 10)
    spans = np.stack([starts, starts + SR // 5], axis=1)
    most = 0
    shared = SharedFrames(pipeline["features"], SR // 5)
    for _ in shared.features(spans, len(waveform), cutter(waveform)):
        most = max(most, len(in_memory))
    assert len(lengths) == 100
    assert most <= 10


# --- pipelines that are not split -----------------------------------------------------------


def test_pipelines_that_are_split(folder, pipeline):
    embedding, rest = split_at_embedding(pipeline)
    assert embedding is pipeline["features"]
    assert [name for name, _ in rest.steps] == ["scale", "classify"]
    views = Augmenter(n_views=2, noise=None, spacing="even", random_state=0)
    augmented = Pipeline([*pipeline.steps[:1], ("augment", views), *pipeline.steps[1:]])
    assert split_at_embedding(augmented)[0] is pipeline["features"]
    kept = keep_features(pipeline).fit(list(SPEECH.waveforms), SPEECH.target)
    assert list(split_at_embedding(kept)[1].named_steps) == ["keep", "scale", "classify"]


@pytest.mark.parametrize(
    ("params", "augmenter"),
    [
        ({"trim_db": 30}, None),
        ({"normalize": "rms"}, None),
        ({"pad": "end", "duration": 2.0}, None),
        ({}, Augmenter(n_views=2, noise=None, test_time=True, random_state=0)),
    ],
)
def test_steps_that_change_a_window(folder, pipeline, params, augmenter):
    loader = AudioLoader(**{"duration": None, "pad": None, **params})
    steps = [("load", loader), *([("augment", augmenter)] if augmenter else [])]
    assert split_at_embedding(Pipeline([*steps, *pipeline.steps[1:]])) is None


def test_sequences_and_other_features(folder, pipeline):
    sequences = SpeechEmbedding(folder, pooling=None).fit(list(SPEECH.waveforms))
    others = FeatureUnionExtractor(["rms"]).fit(list(SPEECH.waveforms))
    for step in (sequences, others):
        steps = [pipeline.steps[0], ("features", step), *pipeline.steps[2:]]
        assert split_at_embedding(Pipeline(steps)) is None


def test_windows_of_a_trimming_pipeline_are_clips(folder):
    pipeline = fit(SpeechEmbedding(folder), AudioLoader(duration=None, pad=None, trim_db=30))
    waveform = recording(6.0)
    timeline = predict_timeline(pipeline, waveform, window=2.0, hop=1.0, smoothing=None)
    starts = np.array([0, 0.5, 1.5, 2.5, 3.5, 4.0]) * SR
    clips = [waveform[int(start) : int(start) + 2 * SR] for start in starts]
    assert_allclose(timeline[CLASSES], pipeline.predict_proba(clips), atol=1e-5)


def test_windows_of_an_onnx_file_are_clips(tmp_path):
    """It is not known where its frames are."""
    path = write_onnx(tmp_path / "encoder.onnx")
    pipeline = fit(SpeechEmbedding(path, layer="frames"))
    assert split_at_embedding(pipeline) is None
    waveform = recording(5.0)
    timeline = predict_timeline(pipeline, waveform, window=2.0, hop=1.0, smoothing=None)
    expected = pipeline.predict_proba([waveform[SR // 2 : SR // 2 + 2 * SR]])
    assert_array_equal(timeline["start"], np.arange(5))
    assert_allclose(timeline[CLASSES].iloc[[1]], expected, atol=1e-5)
