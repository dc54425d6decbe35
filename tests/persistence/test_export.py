import json
import re
import subprocess
import sys

import joblib
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser import CNNEmotionClassifier
from skser.classifiers import SoftVotingClassifier
from skser.exceptions import DataError, ModelError
from skser.networks._tensorflow import keras
from skser.persistence import export
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
CLIPS = list(SPEECH.waveforms)


@pytest.fixture(scope="module")
def pipeline():
    network = CNNEmotionClassifier(
        "dense", network__dense_units=(4,), epochs=1, n_networks=2, random_state=0
    )
    return quick_pipeline(classify=network).fit(CLIPS, SPEECH.target)


@pytest.fixture(scope="module")
def exported(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home") / "exported"
    files = export(pipeline, folder)
    assert files == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


def test_files(exported):
    network = {"model.json", "weights.h5", "model.keras", "model.onnx"}
    around = {"scaler.joblib", "encoder.joblib", "model_metadata.json", "network_2"}
    assert {path.name for path in exported.iterdir()} == network | around
    assert {path.name for path in (exported / "network_2").iterdir()} == network


def test_every_form_answers_the_same(pipeline, exported):
    features = pipeline[:2].transform(CLIPS)
    rows = joblib.load(exported / "scaler.joblib").transform(features).astype(np.float32)
    assert_allclose(rows, pipeline[:-1].transform(CLIPS), rtol=1e-5)
    networks = pipeline["classify"].networks_
    for network, folder in zip(networks, (exported, exported / "network_2"), strict=True):
        expected = network.probabilities(rows)
        whole = keras.models.load_model(folder / "model.keras")
        assert_allclose(whole(rows), expected, atol=1e-6)
        in_parts = keras.models.model_from_json((folder / "model.json").read_text())
        in_parts.load_weights(folder / "weights.h5")
        assert_allclose(in_parts(rows), expected, atol=1e-6)
        onnx.checker.check_model(onnx.load(folder / "model.onnx"), full_check=True)
        session = onnxruntime.InferenceSession(folder / "model.onnx")
        assert_allclose(session.run(None, {"rows": rows})[0], expected, atol=1e-5)


def test_labels_and_metadata(pipeline, exported):
    encoder = joblib.load(exported / "encoder.joblib")
    assert_array_equal(encoder.inverse_transform([0, 2]), pipeline.classes_[[0, 2]])
    metadata = json.loads((exported / "model_metadata.json").read_text())
    assert metadata["labels"] == ["angry", "calm", "sad"]
    assert metadata["n_networks"] == 2
    assert metadata["clips"]["duration"] == 0.25
    assert metadata["features"]["hop_length"] == pipeline["features"].hop_length
    assert metadata["feature_names"] == ["zcr_mean", "rms_mean"]
    assert_allclose(metadata["mean"], pipeline["scale"].mean_)


@pytest.mark.slow
def test_keras_finds_layers_of_skser_in_a_new_process(tmp_path):
    network = CNNEmotionClassifier(
        "cnn_bilstm_attention",
        network__filters=(2,),
        network__recurrent_units=2,
        network__attention_units=2,
        network__dense_units=2,
        epochs=1,
        random_state=0,
    )
    sequences = quick_pipeline(classify=network, features__statistics=None)
    export(sequences.fit(CLIPS, SPEECH.target), tmp_path / "exported")
    import_line = re.search("from skser.networks import resnet", export.__doc__).group()
    program = f"""
import keras
{import_line}
network = keras.models.load_model("model.keras")
same = keras.models.model_from_json(open("model.json").read())
same.load_weights("weights.h5")
rows = keras.ops.ones((2, 10, 2))
print(float(keras.ops.max(keras.ops.abs(network(rows) - same(rows)))))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path / "exported",
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-6


def test_of_a_vote_it_is_the_network(tmp_path):
    network = CNNEmotionClassifier("dense", network__dense_units=(4,), epochs=1, random_state=0)
    vote = SoftVotingClassifier([("network", network), ("other", quick_pipeline()["classify"])])
    fitted = quick_pipeline(classify=vote).fit(CLIPS, SPEECH.target)
    export(fitted, tmp_path / "exported")
    found = keras.models.load_model(tmp_path / "exported" / "model.keras")
    rows = fitted[:-1].transform(CLIPS)
    expected = fitted["classify"].named_estimators_["network"].predict_proba(rows)
    assert_allclose(found(rows), expected, atol=1e-6)


def test_an_interrupted_export_leaves_nothing(pipeline, tmp_path, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skser.persistence._export._write_network", fail)
    with pytest.raises(KeyboardInterrupt):
        export(pipeline, tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(pipeline, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(DataError) as caught:
        export(pipeline, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert "not an empty folder" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(DataError, match=r"nowhere does not exist$"):
        export(pipeline, tmp_path / "nowhere" / "exported")


def test_without_a_network(tmp_path):
    with pytest.raises(ModelError, match="pipeline has no fitted network"):
        export(quick_pipeline().fit(CLIPS, SPEECH.target), tmp_path / "exported")
