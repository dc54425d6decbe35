"""SpeechEmbedding as a step of pipelines: values, names, independence of neighbours, pickles."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skser import (
    AugmentedFeatures,
    Augmenter,
    Clips,
    CNNEmotionClassifier,
    FeatureScaler,
    SpeechEmbedding,
)
from skser.embeddings._plan import EmbeddingPlan
from skser.exceptions import DataError, ModelError, NotFittedError, ParameterError
from skser.features.extraction import _parallel
from tests.evaluations import noises

from .encoders import write_encoder

# --- values ---------------------------------------------------------------------------------


def test_layers_are_side_by_side(encoder, waveforms):
    both = SpeechEmbedding(encoder, layer=[2, 0]).fit_transform(waveforms)
    alone = [SpeechEmbedding(encoder, layer=i).fit_transform(waveforms) for i in (2, 0)]
    assert_allclose(both, np.hstack(alone), atol=1e-6)


def test_statistics_of_a_layer_are_side_by_side(encoder, waveforms):
    both = SpeechEmbedding(encoder, layer=[1, 2], pooling="mean_std").fit_transform(waveforms)
    alone = [
        SpeechEmbedding(encoder, layer=i, pooling="mean_std").fit_transform(waveforms)
        for i in (1, 2)
    ]
    assert_allclose(both, np.hstack(alone), atol=1e-6)


def test_middle_is_half_of_the_layers(encoder, waveforms, tmp_path):
    middle = SpeechEmbedding(encoder).fit_transform(waveforms)
    assert_array_equal(middle, SpeechEmbedding(encoder, layer=1).fit_transform(waveforms))
    of_three = SpeechEmbedding(write_encoder(tmp_path, n_layers=3)).fit(waveforms)
    assert of_three.encoder_["layers"] == (1,)


@pytest.mark.parametrize("layer", [(1, 2), [1, 2], np.array([1, 2])])
def test_kinds_of_sequences_of_layers(encoder, waveforms, layer):
    step = SpeechEmbedding(encoder, layer=layer)
    assert clone(step).fit_transform(waveforms).shape == (6, 32)
    assert step.fit(waveforms).encoder_["layers"] == (1, 2)


def test_mean_and_std_are_of_the_frames(encoder, waveforms):
    sequences = SpeechEmbedding(encoder, pooling=None).fit_transform(waveforms)
    result = SpeechEmbedding(encoder, pooling="mean_std").fit_transform(waveforms)
    expected = np.hstack([np.nanmean(sequences, axis=1), np.nanstd(sequences, axis=1)])
    assert_allclose(result, expected, atol=1e-5)


def test_sequences_have_50_frames_a_second(encoder, waveforms):
    sequences = SpeechEmbedding(encoder, pooling=None).fit_transform(waveforms)
    n_frames = [max(1, -(-(len(waveform) // 160) // 2)) for waveform in waveforms]
    assert n_frames == [15, 10, 1, 15, 20, 1]
    assert sequences.shape == (6, 20, 16)
    for sequence, n in zip(sequences, n_frames, strict=True):
        assert np.isfinite(sequence[:n]).all()
        assert np.isnan(sequence[n:]).all()


# The mean over frames of layer 2, every 48th number, by the modules of transformers in float32.
GOLDEN = np.array([0.84176, 0.65744, 0.83289, 0.46089, 0.35835, 0.706, 0.83159, 0.882])


def test_published_encoder(models_home, chirp):
    step = SpeechEmbedding(models_home / "whisper-tiny.en", layer=2)
    features = step.fit_transform(chirp[np.newaxis])
    assert features.shape == (1, 384)
    error = np.linalg.norm(features[0, ::48] - GOLDEN) / np.linalg.norm(GOLDEN)
    assert error < 2e-3
    assert step.encoder_["licence"] is None  # a folder may hold anything
    assert step.get_feature_names_out()[17] == "whisper_tiny_en_l2_mean_017"


# --- a clip does not depend on others -------------------------------------------------------


def test_long_clips_are_extracted_one_by_one(encoder, waveforms, monkeypatch):
    expected = SpeechEmbedding(encoder).fit_transform(waveforms)
    of_clips, numbers = EmbeddingPlan.of_clips, []

    def noted(self, clips, sr):
        numbers.append(len(clips))
        return of_clips(self, clips, sr)

    monkeypatch.setattr(_parallel, "_SAMPLES_AT_ONCE", 5000)
    monkeypatch.setattr(EmbeddingPlan, "of_clips", noted)
    assert_allclose(SpeechEmbedding(encoder).fit_transform(waveforms), expected, atol=1e-5)
    assert numbers == [2, 3, 1]  # of 4800, 3210, 1, 4800, 6400 and 399 samples


@pytest.mark.parametrize("batch_size", [1, 2, 100])
@pytest.mark.parametrize("pooling", ["mean_std", None])
def test_batch_size_changes_nothing(encoder, waveforms, batch_size, pooling):
    expected = SpeechEmbedding(encoder, pooling=pooling).fit_transform(waveforms * 3)
    step = SpeechEmbedding(encoder, pooling=pooling, batch_size=batch_size)
    assert_allclose(step.fit_transform(waveforms * 3), expected, atol=1e-5)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(chosen=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_neighbours_and_order_change_nothing(encoder, waveforms, chosen):
    clips = Clips.from_waveforms(waveforms, sr=16000)
    step = SpeechEmbedding(encoder).fit(clips)
    assert_allclose(step.transform(clips[chosen]), step.transform(clips)[chosen], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", None])
def test_n_jobs_changes_nothing(encoder, waveforms, pooling):
    clips = Augmenter(n_views=2, random_state=0).fit_transform(
        Clips.from_waveforms(waveforms * 4, sr=16000)
    )
    step = SpeechEmbedding(encoder, pooling=pooling)
    single = step.fit_transform(clips)
    parallel = step.set_params(n_jobs=2).fit_transform(clips)
    assert_allclose(parallel.values, single.values, atol=1e-5)


def test_views(encoder, waveforms):
    clips = Clips.from_waveforms(waveforms, sr=16000)
    augmenter = Augmenter(n_views=3, speed=(0.8, 1.25), random_state=0)
    views = SpeechEmbedding(encoder).fit_transform(augmenter.fit_transform(clips))
    assert isinstance(views, AugmentedFeatures)
    assert views.values.shape == (6, 3, 16)
    plain = SpeechEmbedding(encoder).fit_transform(clips)
    assert_allclose(views.values[:, 0], plain, atol=1e-5)
    assert np.abs(views.values[0, 1] - plain[0]).max() > 1e-3


# --- the estimator --------------------------------------------------------------------------


def test_names(encoder, waveforms):
    step = SpeechEmbedding(encoder, layer=[1, 2], pooling="mean_std").fit(waveforms)
    names = step.get_feature_names_out()
    assert names[[0, 15, 16, 32, 63]].tolist() == [
        "whisper_random_l1_mean_000",
        "whisper_random_l1_mean_015",
        "whisper_random_l1_std_000",
        "whisper_random_l2_mean_000",
        "whisper_random_l2_std_015",
    ]
    assert len(set(names)) == len(names) == step.transform(waveforms).shape[1]
    blocks = step.get_feature_blocks_out()
    assert all(name.startswith(f"{block}_") for name, block in zip(names, blocks, strict=True))
    assert set(blocks) == {"whisper_random_l1", "whisper_random_l2"}


def test_names_of_frames(encoder, waveforms):
    step = SpeechEmbedding(encoder, pooling=None).fit(waveforms)
    assert step.get_feature_names_out()[[0, 15]].tolist() == [
        "whisper_random_l1_000",
        "whisper_random_l1_015",
    ]
    assert set(step.get_feature_blocks_out()) == {"whisper_random_l1"}


def test_pandas(encoder, waveforms):
    step = SpeechEmbedding(encoder).set_output(transform="pandas")
    table = step.fit_transform(waveforms)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == list(step.get_feature_names_out())
    assert step.set_params(pooling=None).fit_transform(waveforms).shape == (6, 20, 16)


def test_clone_and_set_params(encoder, waveforms):
    step = SpeechEmbedding(encoder, pooling="mean_std", max_seconds=5).fit(waveforms)
    copy = clone(step)
    assert copy.get_params() == step.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(waveforms)
    copy.set_params(layer=2, pooling="mean").fit(waveforms)
    assert copy.encoder_["layers"] == (2,)
    assert step.transform(waveforms).shape == (6, 32)


def test_parameters_are_stored_and_not_changed(encoder, waveforms):
    layers = [1, 2]
    step = SpeechEmbedding(encoder, layer=layers).fit(waveforms)
    assert step.layer is layers
    assert step.model is encoder


def test_pickle_is_small(encoder, waveforms):
    step = SpeechEmbedding(encoder).fit(waveforms)
    content = pickle.dumps(step)
    assert len(content) < 2000
    assert_array_equal(pickle.loads(content).transform(waveforms), step.transform(waveforms))


def test_grid_search(encoder):
    speech = noises(n_speakers=2, n_takes=2)
    pipeline = make_pipeline(
        SpeechEmbedding(encoder),
        StandardScaler(),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    )
    grid = {"speechembedding__layer": [0, [1, 2]], "speechembedding__pooling": ["mean", "mean_std"]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(2), error_score="raise")
    search.fit(list(speech.waveforms), speech.target, groups=speech.groups)
    assert len(search.cv_results_["params"]) == 4
    assert set(search.predict(list(speech.waveforms[:5]))) <= {"angry", "calm", "sad"}


@pytest.mark.slow
def test_network_on_frames(encoder):
    speech = noises(n_speakers=2, n_takes=2)
    pipeline = make_pipeline(
        SpeechEmbedding(encoder, pooling=None),
        FeatureScaler(),
        CNNEmotionClassifier("resnet", network__filters=(4,), epochs=1, random_state=0),
    )
    pipeline.fit(list(speech.waveforms), speech.target)
    probabilities = pipeline.predict_proba([*speech.waveforms[:3], np.ones(1234)])
    assert probabilities.shape == (4, 3)
    assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_fit_on_clips_forgets_the_length_of_arrays(encoder, waveforms):
    step = SpeechEmbedding(encoder).fit(np.ones((2, 1000)))
    with pytest.raises(DataError, match=r"2000 features, .*expecting 1000"):
        step.transform(np.ones((2, 2000)))
    step.fit(Clips.from_waveforms(waveforms, sr=16000))
    assert step.transform(np.ones((2, 2000))).shape == (2, 16)


# --- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"model": 3}, "model .*name, folder or file, got 3"),
        ({"revision": 3}, "revision .*got 3"),
        ({"layer": -1}, "layer .*at least 0.*got -1"),
        ({"layer": 3}, "layer .*from 0 to 2, got 3"),
        ({"layer": [0, 3]}, r"layer .*from 0 to 2, got \[0, 3\]"),
        ({"layer": [1, 1]}, r"layer .*got \[1, 1\]"),
        ({"layer": []}, r"layer .*got \[\]"),
        ({"layer": "last"}, "layer .*'middle'.*got 'last'"),
        ({"layer": None}, "layer .*got None"),
        ({"layer": True}, "layer .*got True"),
        ({"layer": 1.0}, "layer .*got 1.0"),
        ({"pooling": "max"}, "pooling .*'mean' or 'mean_std'.*got 'max'"),
        ({"max_seconds": 0.05}, r"max_seconds .*\[0.1, 30\], got 0.05"),
        ({"max_seconds": 31}, r"max_seconds .*\[0.1, 30\], got 31"),
        ({"batch_size": 0}, "batch_size .*at least 1, got 0"),
        ({"device": "gpu"}, "device .*'auto' or 'cpu' or 'cuda', got 'gpu'.*"),
        ({"n_jobs": 0}, "n_jobs .*other than 0.*got 0"),
        ({"memory": 3}, "memory .*folder.*got 3"),
        ({"verbose": -1}, "verbose .*at least 0, got -1"),
    ],
)
def test_bad_parameters(encoder, waveforms, params, reason):
    with pytest.raises(ParameterError, match=f"^{reason}$"):
        SpeechEmbedding(**{"model": encoder, **params}).fit(waveforms)


def test_no_gpu(encoder, waveforms):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is a GPU")
    with pytest.raises(ParameterError, match=r"^device must be .*, got 'cuda'.*onnxruntime-gpu"):
        SpeechEmbedding(encoder, device="cuda").fit(waveforms)


def test_wrong_sampling_rate(encoder, waveforms):
    clips = Clips.from_waveforms(waveforms, sr=8000)
    with pytest.raises(DataError, match=r"16000 Hz .*got 8000 Hz; use AudioLoader\(sr=16000\)"):
        SpeechEmbedding(encoder).fit(clips)
    with pytest.raises(DataError, match=r"sr=16000 .*as in fit, got 8000"):
        SpeechEmbedding(encoder).fit(waveforms).transform(clips)


@pytest.mark.parametrize("method", ["transform", "get_feature_names_out", "get_feature_blocks_out"])
def test_not_fitted(encoder, waveforms, method):
    step = SpeechEmbedding(encoder)
    arguments = [waveforms] if method == "transform" else []
    with pytest.raises(NotFittedError, match="SpeechEmbedding"):
        getattr(step, method)(*arguments)


@pytest.mark.parametrize(
    "model", ["missing/folder/of/it", "whisper-base", "/nowhere/whisper", "./whisper"]
)
def test_no_such_folder(waveforms, model):
    reason = "neither a folder, an .onnx file, nor a name on the Hugging Face Hub"
    with pytest.raises(ModelError, match=f"^{re.escape(model)}: .*{reason}"):
        SpeechEmbedding(model).fit(waveforms)
