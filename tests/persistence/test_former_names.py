"""Names of earlier versions of skser in model files; test_golden_models.py reads such files."""

import json
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

import skser
from skser import (
    AudioLoader,
    Augmenter,
    CNNEmotionClassifier,
    SpeakerNormalizer,
    SpeechEmbedding,
)
from skser.features import MFCC
from skser.persistence import _container
from skser.persistence._allowed import AllowList
from skser.persistence._former_names import CLASSES, current_state
from skser.persistence._light import load_light
from tests.persistence.models import contents_of, forge, quick_model

FORMAT_1 = Path(__file__).parent / "golden" / "format_1"
STATE = {"filters": [4], "dropout": None, "network_params": {"units": 3}, "views": "sample"}
NOW = {"network__filters": [4], "network__units": 3, "view_sampling": "one"}


def defaults_of(kind):
    parameters = signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


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
    expected = defaults_of(CNNEmotionClassifier) | expected
    assert current_state(CNNEmotionClassifier, state) == expected
    assert state == before


@pytest.mark.parametrize("kind", [AudioLoader, Augmenter, MFCC, SpeakerNormalizer, SpeechEmbedding])
def test_newer_parameters_have_their_defaults(kind):
    defaults = defaults_of(kind)
    assert len(defaults) > 1
    assert current_state(kind, {"fitted_": 1}) == {"fitted_": 1, **defaults}
    name, other = min(defaults), object()
    assert current_state(kind, {name: other})[name] is other


def test_a_model_without_a_newer_parameter(tmp_path):
    """`load` gives the default; the light form, which does not know it, is left out."""
    pipeline, clips = quick_model()
    skser.save(pipeline, tmp_path / "now.skser")
    manifest, entries = contents_of(tmp_path / "now.skser")
    text = json.dumps(manifest)
    assert '"trim_db": null, ' in text
    forge(tmp_path / "then.skser", text.replace('"trim_db": null, ', ""), entries)
    loaded = skser.load(tmp_path / "then.skser")
    assert loaded["load"].trim_db is None
    assert_array_equal(loaded.predict_proba(clips), pipeline.predict_proba(clips))
    assert load_light(tmp_path / "now.skser") is not None
    assert load_light(tmp_path / "then.skser") is None


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
