import json
import re

import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from skser import evaluate
from skser.calibration import calibrate
from skser.cli._scores import read_scores
from skser.exceptions import DataError, LeakageWarning
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
CORPUS = Bunch(paths=range(len(SPEECH.target)), target=SPEECH.target)


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(quick_pipeline(), SPEECH)


@pytest.fixture
def folder(evaluation, tmp_path):
    evaluation.save(tmp_path)
    return tmp_path


def test_of_the_same_pipeline(evaluation, folder):
    pipeline = quick_pipeline()
    score, temperature = read_scores(folder, pipeline, CORPUS)
    uar = evaluation.to_frame().loc["uar"]
    assert score["protocol"] == evaluation.protocol
    assert score["uar"] == pytest.approx(uar["pooled"])
    assert (score["low"], score["high"]) == pytest.approx((uar["low"], uar["high"]))
    clips = list(SPEECH.waveforms)
    expected = calibrate(pipeline.fit(clips, SPEECH.target), evaluation)
    assert temperature == pytest.approx(expected.temperature_, rel=1e-4)


def test_of_another_pipeline(folder):
    reason = "scores of another pipeline; --recipe, --seed and --set must be the same"
    with pytest.raises(DataError, match=f"^{re.escape(str(folder))}: .*{reason}"):
        read_scores(folder, quick_pipeline(classify__C=2.0), CORPUS)


def test_of_other_recordings(folder):
    fewer_clips = Bunch(paths=range(3), target=SPEECH.target)
    fewer_classes = Bunch(paths=CORPUS.paths, target=noises(emotions=("calm", "sad")).target)
    for speech in (fewer_clips, fewer_classes):
        with pytest.raises(DataError, match="scores of other recordings"):
            read_scores(folder, quick_pipeline(), speech)


def test_of_random_folds(tmp_path):
    with pytest.warns(LeakageWarning):
        evaluate(quick_pipeline(), SPEECH, cv=StratifiedKFold(3)).save(tmp_path)
    with pytest.raises(DataError, match="not speaker-independent"):
        read_scores(tmp_path, quick_pipeline(), CORPUS)


@pytest.mark.parametrize("content", [None, "{}", "[]", "no json", json.dumps({"scores": 1})])
def test_without_scores(content, tmp_path):
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    start = f"^{re.escape(str(tmp_path))}: holds no scores of `skser evaluate --out` \\("
    with pytest.raises(DataError, match=start):
        read_scores(tmp_path, quick_pipeline(), CORPUS)
