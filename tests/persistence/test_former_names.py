"""Names of earlier versions of skser in model files; golden models are read in another test."""

import pytest
from sklearn.base import BaseEstimator

from skser.persistence._allowed import AllowList
from skser.persistence._former_names import CLASSES, current_state


class Before(BaseEstimator):
    def __init__(self, filters=None, dropout=None, network_params=None, views="sample"):
        """As it was."""


class After(BaseEstimator):
    def __init__(self, view_sampling="one", **network_params):
        """As it is."""


Before.__name__ = After.__name__ = "CNNEmotionClassifier"
STATE = {"filters": [4], "dropout": None, "network_params": {"units": 3}, "views": "sample"}


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        (Before, STATE, STATE),
        (
            After,
            STATE,
            {"network__filters": [4], "network__units": 3, "view_sampling": "one"},
        ),
        (After, {"network_params": None, "views": "all"}, {"view_sampling": "all"}),
        (
            After,
            {"network__filters": [4], "view_sampling": "one"},
            {"network__filters": [4], "view_sampling": "one"},
        ),
    ],
)
def test_parameters_of_a_network(kind, state, expected):
    before = dict(state)
    assert current_state(kind, state) == expected
    assert state == before


def test_parameters_of_other_classes_stay():
    assert current_state(BaseEstimator, dict(STATE)) == STATE


@pytest.mark.parametrize("former", CLASSES)
def test_former_classes_are_found(former):
    assert AllowList().class_of(former) is AllowList().class_of(CLASSES[former])
    assert AllowList().class_of(former).__name__ == former.rpartition(".")[2]
