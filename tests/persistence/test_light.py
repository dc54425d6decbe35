import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

import skser
from skser import (
    AudioLoader,
    AugmentedClassifier,
    Augmenter,
    FeatureUnionExtractor,
)
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import WeightedLinearDiscriminant
from skser.exceptions import AudioError
from skser.persistence._light import load_light
from skser.recipes import standardize_by_corpus
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import CLIP, contents_of, forge, golden_model, quick_model

HEAVY = ("sklearn", "pandas", "tensorflow", "keras", "librosa", "joblib", "numba", "scipy")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 20000), 16000)
    return str(path)


@pytest.mark.parametrize("emotions", [("angry", "calm", "sad"), ("angry", "sad")])
def test_answers_as_the_pipeline_does(emotions, clip, tmp_path):
    speech = noises(emotions=emotions)
    pipeline = quick_model()[0].fit(list(speech.waveforms), speech.target)
    skser.save(pipeline, tmp_path / "model.skser")
    light = load_light(tmp_path / "model.skser")
    assert_allclose(light.predict_proba(clip), pipeline.predict_proba([clip])[0], rtol=1e-5)
    assert light.classes_.tolist() == list(emotions)


def test_what_has_no_light_form_is_left_to_load(tmp_path, monkeypatch):
    speech = noises()
    clips = list(speech.waveforms)
    path = tmp_path / "model.skser"
    skser.save(quick_pipeline().fit(clips, speech.target), path)  # logistic regression
    assert load_light(path) is None
    monkeypatch.setattr("skser.networks._onnx_export.can_convert", lambda: False)
    skser.save(skser.load(golden_model("dense_195")), path)
    assert load_light(path) is None


def test_a_bad_recording_is_named(tmp_path):
    skser.save(quick_model()[0], tmp_path / "model.skser")
    with pytest.raises(AudioError, match=r"^nowhere\.wav: does not exist$"):
        load_light(tmp_path / "model.skser").predict_proba("nowhere.wav")


@pytest.mark.slow
def test_the_command_imports_nothing_heavy(tmp_path):
    models = [str(golden_model(name)) for name in ("default", "functionals", "calibrated")]
    manifest, entries = contents_of(models[1])
    text = json.dumps(manifest).replace('"trim_db": null', '"trim_db": 30')
    forge(tmp_path / "trimmed.skser", text, entries)
    program = (
        "import sys; from skser import cli\n"
        "for model in sys.argv[2:]:\n"
        "    cli.app(['predict', model, sys.argv[1]], standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, CLIP, *models, tmp_path / "trimmed.skser"],
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[]"


def test_calibrated(clip, tmp_path):
    scaled = TemperatureScaledClassifier.of(quick_model()[0], 2.5)
    skser.save(scaled, tmp_path / "model.skser")
    expected = scaled.predict_proba([clip])
    assert_array_equal(skser.load(tmp_path / "model.skser").predict_proba([clip]), expected)
    light = load_light(tmp_path / "model.skser")
    assert_allclose(light.predict_proba(clip), expected[0], rtol=1e-5)


def test_standardised_by_corpus(clip, tmp_path):
    corpora = np.repeat(["near", "far"], 18)
    steps = quick_pipeline(classify=WeightedLinearDiscriminant(shrinkage=0.3))
    pipeline = standardize_by_corpus(steps)
    speech = noises()
    with config_context(enable_metadata_routing=True):
        pipeline.fit(list(speech.waveforms), speech.target, domains=corpora)
    skser.save(pipeline, tmp_path / "model.skser")
    light = load_light(tmp_path / "model.skser")
    assert_allclose(light.predict_proba(clip), pipeline.predict_proba([clip])[0], rtol=1e-4)
    # A speaker's own statistics need the name of the speaker.
    pipeline["scale"].unknown = "error"
    skser.save(pipeline, tmp_path / "model.skser")
    assert load_light(tmp_path / "model.skser") is None


def test_views_in_prediction_have_no_light_form(tmp_path):
    speech = noises()
    pipeline = Pipeline(
        [
            ("load", AudioLoader(duration=0.25)),
            ("augment", Augmenter(n_views=2, test_time=True, random_state=0)),
            ("features", FeatureUnionExtractor(["zcr", "rms"])),
            ("classify", AugmentedClassifier(LinearDiscriminantAnalysis())),
        ]
    )
    skser.save(pipeline.fit(list(speech.waveforms), speech.target), tmp_path / "model.skser")
    assert load_light(tmp_path / "model.skser") is None
