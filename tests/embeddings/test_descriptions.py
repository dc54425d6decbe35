"""What evaluations, reports and the command line say of a pre-trained encoder."""

import json

import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from typer.testing import CliRunner

import skser
from skser import AudioLoader, SpeechEmbedding, cli, evaluate
from skser.embeddings._description import EncoderDescription, public_name
from skser.embeddings._hub import KNOWN
from skser.evaluation._protocol import describe_protocol
from skser.exceptions import DataError
from skser.recipes._steps import pretrained_encoders
from skser.report import write_report
from tests.evaluations import noises, quick_pipeline

SPEECH = noises(n_speakers=2, n_takes=2)
CAVEAT = "training data is not known to us, so test recordings may be in it"
HUB_NAME = "openai/whisper-base"
SPLITS = [(np.arange(2), np.arange(2, 4))]


def make(model, **params):
    return Pipeline(
        [
            ("load", AudioLoader(sr=16000)),
            ("features", SpeechEmbedding(model, **params)),
            ("classify", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        ]
    )


@pytest.fixture(scope="module")
def evaluation(encoder):
    return evaluate(make(encoder, layer=(0, 2)), SPEECH)


def run(*arguments):
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize(
    ("model", "revision", "name"),
    [
        (HUB_NAME, None, HUB_NAME),
        ("somebody/voices", "0" * 40, "somebody/voices"),
        ("/home/somebody/voices", None, "voices"),
        ("C:\\somebody\\voices\\", None, "voices"),
        ("models/voices.onnx", None, "voices.onnx"),
    ],
)
def test_names_without_paths(model, revision, name):
    assert public_name(model, revision) == name


def test_protocol():
    protocol = describe_protocol(make(HUB_NAME), GroupKFold(2), SPLITS, None)
    assert protocol.endswith(f"; features of the pre-trained encoder {HUB_NAME}, whose {CAVEAT}")
    assert "encoder" not in describe_protocol(quick_pipeline(), GroupKFold(2), SPLITS, None)


def test_results(evaluation, encoder):
    assert evaluation.protocol.endswith(f"encoder {encoder.name}, whose {CAVEAT}")
    (described,) = evaluation.encoders
    assert described.layers == (0, 2)
    assert len(described.hash) == 32
    content = json.loads(evaluation.to_json())
    assert content["encoders"] == [described.to_dict()]
    assert EncoderDescription.from_dict(content["encoders"][0]) == described
    assert "encoders" not in json.loads(evaluate(quick_pipeline(), SPEECH).to_json())


def test_fitted_pipelines(encoder):
    pipeline = make(encoder)
    before = pretrained_encoders(pipeline)
    fitted = clone(pipeline).fit(list(SPEECH.waveforms), SPEECH.target)
    assert pretrained_encoders(fitted) == before
    scored = evaluate(fitted, SPEECH, cv="prefit")
    assert scored.encoders == before
    assert CAVEAT in scored.protocol


def test_an_encoder_that_is_not_here():
    (described,) = pretrained_encoders(make("/nowhere/voices", layer=[1, 2]))
    assert described == EncoderDescription("voices", None, (1, 2), None, None)
    assert str(described) == f"voices, layers 1, 2. Licence: unknown. Its {CAVEAT}."


def test_equal_encoders_are_described_once(encoder):
    class Both(BaseEstimator):
        estimators = [("a", SpeechEmbedding(encoder)), ("b", SpeechEmbedding(encoder, n_jobs=2))]

    assert len(pretrained_encoders(Both())) == 1


def test_text():
    revision, licence = KNOWN[HUB_NAME]
    described = EncoderDescription(HUB_NAME, revision, (3,), "ab12", licence)
    assert str(described) == (
        f"{HUB_NAME}, revision {revision}, layer 3, hash ab12. Licence: {licence}. Its {CAVEAT}."
    )


@pytest.mark.parametrize(
    "change", [{"name": "\n"}, {"layers": 3}, {"layers": [None]}, {"hash": 1}, {"more": 1}]
)
def test_damaged_descriptions(change):
    content = EncoderDescription("voices", None, (1,), "ab", None).to_dict()
    with pytest.raises(DataError, match="description of an encoder must be name, revision"):
        EncoderDescription.from_dict(content | change)


@pytest.mark.slow
def test_report(evaluation, encoder, tmp_path):
    write_report(evaluation, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<h2>Pre-trained encoder</h2>" in page
    assert f"<p>{evaluation.encoders[0]}</p>" in page
    write_report(evaluate(quick_pipeline(), SPEECH), tmp_path / "report.html")
    assert "encoder" not in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_train_with_its_encoder(encoder, own_cache, tmp_path):
    for i, (waveform, emotion) in enumerate(zip(SPEECH.waveforms, SPEECH.target, strict=True)):
        (tmp_path / "speech" / emotion).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "speech" / emotion / f"{i}.wav", waveform, 16000)
    settings = ["--set", f"model={encoder}", "--set", "layers=(0, 1)"]
    arguments = ["train", tmp_path / "speech", "--recipe", "whisper", *settings]
    for name, options in {"small": [], "large": ["--include-encoder"]}.items():
        run(*arguments, *options, "--out", tmp_path / f"{name}.skser")
    small, large = (tmp_path / f"{name}.skser" for name in ("small", "large"))
    assert large.stat().st_size > small.stat().st_size + 30_000
    assert "The model file contains it." in run("info", large)
    assert "The model file does not contain it" in run("info", small)
    clip = tmp_path / "speech" / "sad" / "4.wav"
    assert run("predict", small, clip) == run("predict", large, clip)
    assert skser.load(large)["features"].encoder_["graph"]


def test_train_with_its_encoder_in_a_joblib_file(tmp_path):
    """The error comes before the corpus is read."""
    arguments = ["train", str(tmp_path / "no"), "--include-encoder", "--out"]
    done = CliRunner().invoke(cli.app, [*arguments, str(tmp_path / "model.joblib")])
    assert "include_encoder must be False for joblib files" in str(done.exception)
