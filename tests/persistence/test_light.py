import subprocess
import sys

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

import skser
from skser import (
    AudioLoader,
    AugmentedClassifier,
    Augmenter,
    CNNEmotionClassifier,
    FeatureUnionExtractor,
)
from skser.calibration import TemperatureScaledClassifier
from skser.exceptions import AudioError
from skser.persistence._light import load_light
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import quick_model

HEAVY = ("sklearn", "pandas", "tensorflow", "keras", "librosa", "joblib", "scipy.signal")


def network():
    return CNNEmotionClassifier("dense", network__dense_units=(4,), epochs=1, random_state=0)


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
    skser.save(quick_pipeline(classify=network()).fit(clips, speech.target), path)
    assert load_light(path) is None


def test_a_bad_recording_is_named(tmp_path):
    skser.save(quick_model()[0], tmp_path / "model.skser")
    with pytest.raises(AudioError, match=r"^nowhere\.wav: does not exist$"):
        load_light(tmp_path / "model.skser").predict_proba("nowhere.wav")


def test_the_command_imports_nothing_heavy(clip, tmp_path):
    speech = noises()
    pipeline = quick_pipeline(
        classify=network(),
        load__trim_db=30,
        features__blocks=["mfcc", "zcr", "rms", "pitch"],
        features__deltas=1,
    )
    pipeline.fit(list(speech.waveforms), speech.target)
    skser.save(pipeline, tmp_path / "model.skser")
    program = (
        "import sys; from skser import cli; cli.app(sys.argv[1:], standalone_mode=False);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, "predict", tmp_path / "model.skser", clip],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""


def test_calibrated(clip, tmp_path):
    scaled = TemperatureScaledClassifier.of(quick_model()[0], 2.5)
    skser.save(scaled, tmp_path / "model.skser")
    expected = scaled.predict_proba([clip])
    assert_array_equal(skser.load(tmp_path / "model.skser").predict_proba([clip]), expected)
    light = load_light(tmp_path / "model.skser")
    assert_allclose(light.predict_proba(clip), expected[0], rtol=1e-5)


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
