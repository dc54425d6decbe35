import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from skser import predict_table
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.inference import TrainingAudio
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


@pytest.fixture(scope="module")
def pipeline():
    return quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)


@pytest.fixture(scope="module")
def training(pipeline):
    return TrainingAudio.of(pipeline, SPEECH.waveforms)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two recordings, of which the second is much quieter, a cut one, and one that is not there."""
    folder = tmp_path_factory.mktemp("speech")
    good, quiet, cut = (str(folder / f"{name}.wav") for name in ("good", "quiet", "cut"))
    soundfile.write(good, SPEECH.waveforms[0], 16000, subtype="FLOAT")
    soundfile.write(quiet, 0.001 * SPEECH.waveforms[0], 16000, subtype="FLOAT")
    soundfile.write(cut, SPEECH.waveforms[1], 16000)
    with open(cut, "r+b") as file:
        file.truncate(4000)
    return [good, cut, quiet, str(folder / "missing.wav")]


def test_rows_are_those_of_predict(pipeline):
    table = predict_table(pipeline, SPEECH.waveforms)
    columns = ["file", "emotion", "confidence", "silence", "error"]
    assert table.columns.tolist() == [*columns, *pipeline.classes_]
    assert not table["silence"].any()
    probabilities = pipeline.predict_proba(SPEECH.waveforms)
    np.testing.assert_allclose(table[pipeline.classes_], probabilities)
    np.testing.assert_allclose(table["confidence"], probabilities.max(axis=1))
    assert table["emotion"].tolist() == pipeline.predict(SPEECH.waveforms).tolist()
    assert table["error"].tolist() == [None] * len(table)
    assert table["file"].tolist() == [f"recording {i}" for i in range(len(table))]


def test_a_file_that_cannot_be_used_costs_no_other(pipeline, training, files):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = predict_table(pipeline, files, abstain_below=0.0, training_audio=training)
    assert table["file"].tolist() == files
    assert table["error"].tolist()[::2] == [None, None]
    assert table["error"][1].startswith("is truncated, its header promises 8000 bytes")
    assert table["error"][3] == "does not exist"
    assert table["emotion"].tolist() == [
        pipeline.predict(files[:1])[0],
        None,
        pipeline.predict(files[2:3])[0],
        None,
    ]
    assert table.loc[[1, 3], ["confidence", *pipeline.classes_]].isna().all().all()
    assert table["ood_reasons"].tolist()[::3] == ["", None]
    assert table["ood_reasons"][2] == "; ".join(training.ood_reasons(files[2]))
    assert "level" in table["ood_reasons"][2]


def test_no_emotion_is_named_below_the_threshold(pipeline):
    full = predict_table(pipeline, SPEECH.waveforms)
    threshold = float(full["confidence"].median())
    table = predict_table(pipeline, SPEECH.waveforms, abstain_below=threshold)
    is_named = table["emotion"].notna()
    assert is_named.tolist() == (full["confidence"] >= threshold).tolist()
    assert table["emotion"][is_named].tolist() == full["emotion"][is_named].tolist()
    assert table.drop(columns="emotion").equals(full.drop(columns="emotion"))


def test_labels_that_are_numbers_stay_numbers():
    numbers = np.searchsorted(["angry", "calm", "sad"], SPEECH.target)
    fitted = quick_pipeline().fit(SPEECH.waveforms, numbers)
    table = predict_table(fitted, SPEECH.waveforms[:2], abstain_below=1.0)
    assert table["emotion"].tolist() == [None, None]
    assert set(predict_table(fitted, SPEECH.waveforms)["emotion"]) <= {0, 1, 2}


def test_content_and_files_that_are_open(pipeline, files):
    with open(files[0], "rb") as file:
        table = predict_table(pipeline, [file.read(), b"", files[0]])
        file.seek(0)
        opened = predict_table(pipeline, [file])
    assert table["error"].tolist() == [None, "is empty (0 bytes)", None]
    assert table["file"].tolist() == ["recording 0", "recording 1", files[0]]
    assert table["confidence"][0] == table["confidence"][2] == opened["confidence"][0]


def test_a_recording_that_training_audio_cannot_read_has_an_error(pipeline, files):
    begins_later = quick_pipeline(load__offset=0.2)
    longer = [np.tile(wave, 2) for wave in SPEECH.waveforms]
    table = predict_table(
        pipeline, files[:1], training_audio=TrainingAudio.of(begins_later, longer)
    )
    assert table["error"].tolist() == [None]
    begins_late = quick_pipeline(load__offset=0.4)
    training = TrainingAudio.of(begins_late, longer)
    table = predict_table(pipeline, files[:1], training_audio=training)
    assert table["error"].tolist() == ["is 0.25 s long, so nothing is left from offset=0.4 s"]
    assert table["emotion"].tolist() == [None]
    assert table[["confidence", "angry", "calm", "sad"]].isna().all().all()


def test_training_audio_as_in_a_model_file(pipeline, training, files):
    expected = predict_table(pipeline, files, training_audio=training)
    table = predict_table(pipeline, files, training_audio=training.to_dict())
    pd.testing.assert_frame_equal(table, expected)
    with pytest.raises(DataError, match="to_dict"):
        predict_table(pipeline, files, training_audio={})


@pytest.mark.parametrize(("name", "value"), [("abstain_below", 1.5), ("training_audio", "loud")])
def test_bad_parameters(pipeline, name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be .* or None, got {value!r}$"):
        predict_table(pipeline, SPEECH.waveforms, **{name: value})


def test_pipelines_that_give_no_probabilities(pipeline):
    with pytest.raises(NotFittedError):
        predict_table(quick_pipeline(), SPEECH.waveforms)
    ridge = quick_pipeline(classify=RidgeClassifier()).fit(SPEECH.waveforms, SPEECH.target)
    with pytest.raises(ParameterError, match=r"predict_proba.*RidgeClassifier"):
        predict_table(ridge, SPEECH.waveforms)


def test_no_emotion_may_be_named_as_another_column():
    labels = np.where(SPEECH.target == "calm", "error", "sad")
    with pytest.raises(DataError, match=r"emotion 'error'.*column"):
        predict_table(quick_pipeline().fit(SPEECH.waveforms, labels), SPEECH.waveforms)


def test_there_must_be_recordings(pipeline):
    with pytest.raises(DataError, match="recordings must hold at least one recording, got none"):
        predict_table(pipeline, [])
    with pytest.raises(DataError, match=r"recordings must be a sequence .*got 'a.wav'"):
        predict_table(pipeline, "a.wav")


def test_features_are_no_recordings():
    model = LogisticRegression().fit(np.eye(4), ["calm", "sad"] * 2)
    for features, kind in ((np.eye(4), "ndarray"), (pd.DataFrame(np.eye(4)), "DataFrame")):
        with pytest.raises(
            DataError, match=f"list of recordings, got a {kind} of numbers, .* feat"
        ):
            predict_table(model, features)
