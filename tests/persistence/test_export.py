import json
import subprocess
import sys

import joblib
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skser
from skser import CNNEmotionClassifier
from skser.exceptions import DataError, ModelError
from skser.networks._tensorflow import keras
from skser.persistence import export
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import golden_model

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


@pytest.mark.slow
def test_files(exported):
    network = {"model.json", "weights.h5", "model.keras", "model.onnx"}
    around = {"scaler.joblib", "encoder.joblib", "model_metadata.json", "network_2"}
    assert {path.name for path in exported.iterdir()} == network | around
    assert {path.name for path in (exported / "network_2").iterdir()} == network


def test_every_form_answers_the_same(pipeline, exported):
    features = pipeline[:2].transform(CLIPS)
    rows = joblib.load(exported / "scaler.joblib").transform(features).astype(np.float32)
    assert_allclose(rows, pipeline[:-1].transform(CLIPS), rtol=1e-4)
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


@pytest.fixture(scope="module")
def exported_vote(tmp_path_factory):
    """The golden model of the default, whose network masks padding and is a member of a vote."""
    vote = skser.load(golden_model("default"))
    folder = tmp_path_factory.mktemp("home") / "exported"
    export(vote, folder)
    return vote["vote"].named_estimators_["network"]["classify"].networks_[0], folder


@pytest.mark.slow
def test_of_a_vote_it_is_the_network(exported_vote):
    network, folder = exported_vote
    rows = np.random.default_rng(0).normal(size=(2, 60, network.to_keras().input_shape[2]))
    model = keras.models.load_model(folder / "model.keras")
    assert_allclose(model(rows), network.probabilities(rows), atol=1e-5)


@pytest.mark.slow
def test_the_documented_import_registers_layers_with_keras(exported_vote):
    network, folder = exported_vote
    import_line = "from skser.networks import resnet"
    assert import_line in export.__doc__
    rows = np.ones((2, 60, network.to_keras().input_shape[2])).tolist()
    program = f"""
import keras
{import_line}
network = keras.models.load_model("model.keras")
same = keras.models.model_from_json(open("model.json").read())
same.load_weights("weights.h5")
rows = keras.ops.array({rows})
print(*keras.ops.convert_to_numpy(keras.ops.stack([network(rows), same(rows)])).ravel())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    probabilities = np.array(done.stdout.split(), float).reshape(2, 2, -1)
    for answers in probabilities:
        assert_allclose(answers, network.probabilities(np.array(rows)), atol=1e-5)


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
