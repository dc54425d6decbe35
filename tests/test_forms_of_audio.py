"""Waveforms at their own rate, in everything that takes recordings."""

import io

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.model_selection import cross_val_predict
from sklearn.utils import Bunch

import skser
from skser import Clips, cross_corpus, evaluate, predict_table, predict_timeline
from skser.evaluation._corpus import read_corpus
from skser.exceptions import LeakageWarning, SkserWarning
from skser.inference import TrainingAudio

from .audio.samples import encode
from .evaluations import noises, quick_pipeline

SR = 22050
SPEECH = noises()
WAVEFORMS = [waveform.astype(np.float32) for waveform in SPEECH.waveforms]
FORMS = {
    "as librosa": lambda: [(waveform, SR) for waveform in WAVEFORMS],
    "as gradio": lambda: [(SR, waveform) for waveform in WAVEFORMS],
    "rows": lambda: [{"array": waveform, "sampling_rate": SR} for waveform in WAVEFORMS],
    "bytes in rows": lambda: [{"path": None, "bytes": content} for content in contents()],
    "clips": lambda: Clips.from_waveforms(WAVEFORMS, SR),
}


def contents():
    return [encode(waveform, SR, "WAV/FLOAT") for waveform in WAVEFORMS]


@pytest.fixture(scope="module")
def pipeline():
    return quick_pipeline().fit(contents(), SPEECH.target)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_fit_predict_and_tables(form, pipeline):
    X = form()
    fitted = quick_pipeline().fit(X, SPEECH.target)
    expected = pipeline.predict_proba(contents())
    assert_allclose(fitted.predict_proba(X), expected, rtol=1e-6)
    table = predict_table(fitted, X)
    assert table["file"].tolist() == [f"recording {i}" for i in range(len(X))]
    assert_allclose(table[fitted.classes_], expected, rtol=1e-6)
    assert table["error"].isna().all()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_evaluate(form):
    result = evaluate(quick_pipeline(), form(), SPEECH.target, groups=SPEECH.groups)
    expected = evaluate(quick_pipeline(), contents(), SPEECH.target, groups=SPEECH.groups)
    assert_frame_equal(
        result.predictions.drop(columns="path"), expected.predictions.drop(columns="path")
    )


def test_a_corpus_of_another_rate():
    corpus = Bunch(**{**SPEECH, "waveforms": WAVEFORMS, "sr": SR})
    clips = read_corpus(corpus, pipeline=quick_pipeline())
    assert clips.frame["path"].tolist() == [f"waveform {i}" for i in range(len(WAVEFORMS))]
    result = evaluate(quick_pipeline(), corpus)
    expected = evaluate(quick_pipeline(), contents(), SPEECH.target, groups=SPEECH.groups)
    columns = ["angry", "calm", "sad"]
    assert_array_equal(result.predictions[columns], expected.predictions[columns])
    other = noises(seed=1)
    table = cross_corpus(quick_pipeline(), {"a": corpus, "b": Bunch(**{**other, "sr": 16000})})
    assert table.notna().any(axis=None)


def test_equal_waveforms_of_one_rate_leak():
    groups = [*SPEECH.groups, "new"]
    target = [*SPEECH.target, SPEECH.target[0]]
    same = [(waveform, SR) for waveform in [*WAVEFORMS, WAVEFORMS[0]]]
    with pytest.warns(LeakageWarning, match="waveform 0 and waveform 36"):
        evaluate(quick_pipeline(), same, target, groups=groups)


def test_folds_of_scikit_learn():
    y = SPEECH.target
    of_pairs = cross_val_predict(quick_pipeline(), FORMS["as librosa"](), y, cv=3)
    assert_array_equal(of_pairs, cross_val_predict(quick_pipeline(), contents(), y, cv=3))


def test_finished_folds_are_found_again(tmp_path):
    first = evaluate(
        quick_pipeline(),
        FORMS["as librosa"](),
        SPEECH.target,
        groups=SPEECH.groups,
        checkpoint=tmp_path,
    )
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    again = evaluate(
        quick_pipeline(),
        FORMS["as gradio"](),
        SPEECH.target,
        groups=SPEECH.groups,
        checkpoint=tmp_path,
    )
    assert files
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert_frame_equal(again.predictions, first.predictions)


@pytest.mark.parametrize(
    "form",
    [
        lambda w: (w, SR),
        lambda w: (SR, w),
        lambda w: (np.c_[w, w], SR),
        lambda w: {"array": w, "sampling_rate": SR},
        lambda w: {"bytes": encode(w, SR, "WAV/FLOAT"), "path": None},
        lambda w: Clips.from_waveforms([w], SR),
    ],
)
def test_timeline(form, pipeline):
    recording = np.concatenate(WAVEFORMS[:12])
    content = encode(recording, SR, "WAV/FLOAT")
    expected = predict_timeline(pipeline, content, window=0.25, hop=0.25)
    result = predict_timeline(pipeline, form(recording), window=0.25, hop=0.25)
    assert_frame_equal(result, expected, atol=1e-4)


def test_training_audio():
    training = TrainingAudio.of(quick_pipeline(), FORMS["as librosa"]())
    expected = TrainingAudio.of(quick_pipeline(), contents())
    assert training.rates == {SR: len(WAVEFORMS)}
    assert training.length == expected.length
    assert_allclose(training.level, expected.level)
    assert training.ood_reasons((WAVEFORMS[0], SR)) == ()
    assert "rate 8000 Hz" in training.ood_reasons((8000, WAVEFORMS[0]))[0]


def test_a_rate_that_is_not_known_is_said(pipeline, tmp_path):
    path = tmp_path / "model.skser"
    skser.save(pipeline, path)
    recording = np.concatenate(WAVEFORMS)
    for model in (pipeline, skser.load(path)):
        for predict in (
            lambda model=model: model.predict(WAVEFORMS[:2]),
            lambda model=model: predict_table(model, WAVEFORMS[:2]),
            lambda model=model: predict_timeline(model, recording, window=0.25),
        ):
            with pytest.warns(SkserWarning, match=r"sr=16000 Hz.*\(waveform, sr\)") as caught:
                predict()
            assert len(caught) == 1


def test_a_table_names_what_is_no_path(pipeline):
    file = io.BytesIO()
    soundfile.write(file, WAVEFORMS[0], SR, format="WAV")
    base64 = "UklGRiQAAABXQVZF" * 500
    table = predict_table(pipeline, [file, "https://example.org/a.wav", base64])
    assert table["error"][0] is None
    assert table["error"][1].startswith("is an address")
    assert table["error"][2].startswith("is text in base64")
