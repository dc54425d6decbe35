import json
from threading import Event

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

import skser
from skser import cli
from skser.classifiers import SoftVotingClassifier
from skser.serving import Limits
from skser.serving._models import ServedModel
from skser.serving._uploads import Upload
from tests.evaluations import noises

from .conftest import recording


def test_probabilities_in_single_precision_are_those_of_the_command(tmp_path):
    speech = noises()
    pipeline = make_pipeline(
        skser.AudioLoader(), skser.FeatureUnionExtractor(["rms"]), LinearDiscriminantAnalysis()
    )
    pipeline.fit(speech["waveforms"], speech["target"])
    model, file = tmp_path / "single.skser", tmp_path / "a.wav"
    skser.save(pipeline, model)
    file.write_bytes(recording())
    assert skser.load(model).predict_proba([file.read_bytes()]).dtype == "float32"
    upload = Upload(None, file.read_bytes())
    (answer,) = ServedModel(model).answers([upload], Limits(), Event(), abstain_below=None)
    done = CliRunner().invoke(cli.app, ["predict", str(model), str(file), "--json", "-"])
    assert answer["probabilities"] == json.loads(done.stdout)["probabilities"]


def test_a_vote_whose_members_load_recordings(tmp_path):
    speech = noises()
    member = make_pipeline(
        skser.AudioLoader(), skser.FeatureUnionExtractor(["rms"]), LinearDiscriminantAnalysis()
    )
    vote = make_pipeline(SoftVotingClassifier([("one", member), ("other", member)]))
    skser.save(vote.fit(list(speech["waveforms"]), speech["target"]), tmp_path / "vote.skser")
    served, uploads = ServedModel(tmp_path / "vote.skser"), [Upload(None, recording())]
    (answer,) = served.answers(uploads, Limits(), Event(), abstain_below=None)
    assert answer["emotion"] in served.emotions
    (silent,) = served.answers(
        [Upload(None, recording(level=0.0))], Limits(), Event(), abstain_below=None
    )
    assert (silent["silence"], silent["emotion"]) == (True, None)
