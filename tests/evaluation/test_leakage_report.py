import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import GroupKFold

from skser.evaluation import leakage_report
from skser.exceptions import DataError
from skser.model_selection import SpeakerTextKFold
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


def test_gap(report, evaluation):
    table = report.to_frame()
    assert_allclose(table["gap"], table["random"] - table["new_speakers"])
    assert report.random.to_frame()["pooled"].uar == table.loc["uar", "random"]
    assert_allclose(report.new_speakers.probabilities, evaluation.probabilities)
    assert len(report.random.folds) == len(report.new_speakers.folds) == 4
    assert "not speaker-independent" in report.random.protocol
    assert repr(report).startswith(f"<UAR {table.loc['uar', 'random']:.3f} with random folds, ")


def test_recordings_labels_and_speakers(report):
    again = leakage_report(
        quick_pipeline(), SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups, cv=GroupKFold(4)
    )
    assert_allclose(again.random.probabilities, report.random.probabilities)


def test_report_needs_speakers():
    with pytest.raises(DataError, match=r"^corpus must have groups.*got None"):
        leakage_report(quick_pipeline(), SPEECH.waveforms, SPEECH.target)


def test_both_scores_train_on_as_many():
    with pytest.raises(DataError, match=r"^cv must train on all .* fold 0"):
        leakage_report(quick_pipeline(), SPEECH, cv=SpeakerTextKFold())


def test_progress_names_the_folds(capsys):
    leakage_report(quick_pipeline(), SPEECH, verbose=1)
    lines = capsys.readouterr().err.splitlines()
    begun = [line for line in lines if line.startswith("folds") and line.endswith(" folds")]
    assert begun == ["folds (leave one speaker out): 4 folds", "folds (clips at random): 4 folds"]
