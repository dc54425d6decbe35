import warnings

import pytest
from numpy.testing import assert_allclose
from sklearn.utils import Bunch

from skser.exceptions import DataError
from skser.leakage import leakage_report
from skser.model_selection import SpeakerTextKFold
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


def test_gap():
    report = leakage_report(quick_pipeline(), SPEECH)
    table = report.to_frame()
    assert_allclose(table["gap"], table["random"] - table["new_speakers"])
    assert report.random.to_frame()["pooled"].uar == table.loc["uar", "random"]
    assert len(report.random.folds) == len(report.new_speakers.folds) == 4
    assert "not speaker-independent" in report.random.protocol
    assert repr(report).startswith(f"<UAR {table.loc['uar', 'random']:.3f} with random folds, ")


def test_report_issues_no_warning_of_what_it_measures():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leakage_report(quick_pipeline(), SPEECH)


def test_report_needs_speakers():
    with pytest.raises(DataError) as caught:
        leakage_report(quick_pipeline(), Bunch(**{**SPEECH, "groups": None, "frame": None}))
    assert str(caught.value) == "corpus must have groups, the speakers, got None"


def test_both_sides_train_on_as_many():
    with pytest.raises(DataError) as caught:
        leakage_report(quick_pipeline(), SPEECH, cv=SpeakerTextKFold())
    assert str(caught.value) == (
        "cv must train on all whom it does not test, as random folds do, but fold 0 leaves clips "
        "out"
    )
