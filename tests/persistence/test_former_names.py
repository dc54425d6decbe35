"""Names of earlier versions of skser in model files; test_golden_models.py reads such files."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

from skser import CNNEmotionClassifier
from skser.persistence import _container
from skser.persistence._allowed import AllowList
from skser.persistence._former_names import CLASSES, current_state

FORMAT_1 = Path(__file__).parent / "golden" / "format_1"
STATE = {"filters": [4], "dropout": None, "network_params": {"units": 3}, "views": "sample"}
NOW = {
    "network__filters": [4],
    "network__units": 3,
    "view_sampling": "one",
    "warm_start": False,
}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (STATE, NOW),
        (
            {"network_params": None, "views": "all", "warm_start": True},
            {"view_sampling": "all", "warm_start": True},
        ),
        (NOW, NOW),
    ],
)
def test_parameters_of_a_network(state, expected):
    before = dict(state)
    assert current_state(CNNEmotionClassifier, state) == expected
    assert state == before


def test_parameters_of_other_classes_stay():
    assert current_state(BaseEstimator, dict(STATE)) == STATE


@pytest.mark.parametrize(
    ("former", "public"),
    [
        ("skser.loader.AudioLoader", "skser.audio.AudioLoader"),
        ("skser.classifier.CNNEmotionClassifier", "skser.classifiers.CNNEmotionClassifier"),
        (
            "skser.augmented_classifier.AugmentedClassifier",
            "skser.classifiers.AugmentedClassifier",
        ),
        ("skser.voting.SoftVotingClassifier", "skser.classifiers.SoftVotingClassifier"),
    ],
)
def test_former_classes(former, public):
    module, _, name = public.rpartition(".")
    assert CLASSES[former] == public
    assert AllowList().class_of(former) is getattr(import_module(module), name)


def test_every_former_class_is_in_a_golden_model():
    manifests = [json.dumps(_container.read(path)[0]) for path in FORMAT_1.glob("*.skser")]
    assert all(any(f'"{name}"' in manifest for manifest in manifests) for name in CLASSES)
