from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

import skser
from skser import make_emotion_pipeline
from skser.datasets import make_emotional_speech
from skser.exceptions import ParameterError
from skser.persistence._light import load_light
from skser.recipes import RECIPES, get_recipe

_ONE_EPOCH = {"classify__epochs": 1, "classify__validation_fraction": 0.34}
QUICK = {
    "default": {
        "augment__n_views": 1,
        "vote__network__classify__epochs": 1,
        "vote__network__classify__network__filters": (4,),
    },
    "functionals": {"augment__n_views": 2},
    "residual_network": {"classify__network__filters": (4,), "augment__n_views": 1, **_ONE_EPOCH},
    "mfcc_cnn": {"classify__network__filters": (4, 4), **_ONE_EPOCH},
    "cnn_512": {
        "classify__network__filters": (8, 8),
        "classify__network__dense_units": 8,
        **_ONE_EPOCH,
    },
    "cnn_bilstm_attention": {
        "classify__network__filters": (8,),
        "classify__network__recurrent_units": 4,
        **_ONE_EPOCH,
    },
    "dense_195": _ONE_EPOCH,
    "cnn_256": {"classify__network__filters": (4, 4), **_ONE_EPOCH},
}
# As published: rate in Hz, seconds from where on, features of a frame, views; then the training.
PUBLISHED = {
    "mfcc_cnn": (
        (22050, None, 0.0, 40, 4),
        {"batch_size": 16, "epochs": 50, "early_stopping": None, "validation_fraction": 0.3},
    ),
    "cnn_512": (
        (22050, 2.5, 0.6, 22, 4),
        {"batch_size": 64, "epochs": 20, "early_stopping": 5, "validation_fraction": 0.2},
    ),
    "cnn_bilstm_attention": (
        (22050, 3.0, 0.0, 40, 4),
        {"batch_size": 32, "epochs": 60, "early_stopping": 10, "mixup": 0.2},
    ),
    "dense_195": (
        (22050, 3.0, 0.0, 195, 1),
        {
            "batch_size": 32,
            "epochs": 100,
            "early_stopping": 15,
            "plateau_factor": 0.5,
            "plateau_patience": 5,
            "validation_fraction": pytest.approx(0.15 / 0.85),
        },
    ),
    "cnn_256": (
        (22050, 3.0, 0.0, 162, 1),
        {"batch_size": 64, "epochs": 50, "early_stopping": 10, "validation_fraction": 0.2},
    ),
}
ADAM_ON_A_PLATEAU = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "schedule": "plateau",
    "label_smoothing": 0.0,
    "time_masks": (0, 0),
    "view_sampling": "all",
}


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return make_emotional_speech(
        tmp_path_factory.mktemp("speech"),
        n_speakers=2,
        emotions=("angry", "sad"),
        n_sentences=3,
        n_takes=1,
        random_state=0,
    )


def test_every_recipe_is_named():
    members = ["functionals", "residual_network"]
    assert list(RECIPES) == ["default", "whisper", *members, *PUBLISHED]
    assert get_recipe("default") is make_emotion_pipeline
    for name in list(RECIPES)[1:]:
        assert get_recipe(name).__name__ == name


@pytest.fixture(scope="module")
def fitted(speech):
    """From the name of a recipe to its pipeline, quickly fitted."""

    @cache
    def fit(name):
        return RECIPES[name](random_state=0, **QUICK[name]).fit(speech.paths, speech.target)

    return fit


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_fits_and_predicts(name, fitted, speech):
    pipeline = fitted(name)
    assert isinstance(pipeline, Pipeline)
    probabilities = pipeline.predict_proba(speech.paths[:2])
    assert probabilities.shape == (2, 2)
    assert np.isfinite(probabilities).all()
    assert_array_equal(pipeline.classes_, ["angry", "sad"])


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_answers_the_same_from_a_file(name, fitted, speech, tmp_path):
    pipeline, paths = fitted(name), speech.paths[:3]
    expected = pipeline.predict_proba(paths)
    skser.save(pipeline, tmp_path / "model.skser")
    loaded = skser.load(tmp_path / "model.skser", runtime="tensorflow")
    assert repr(loaded) == repr(clone(loaded))
    assert repr(loaded) == repr(pipeline)
    assert_array_equal(loaded.predict_proba(paths), expected)
    in_onnx = skser.load(tmp_path / "model.skser", runtime="onnx").predict_proba(paths)
    assert_allclose(in_onnx, expected, atol=1e-5)
    light = load_light(tmp_path / "model.skser")
    assert_allclose([light.predict_proba(path) for path in paths], expected, atol=1e-5)
    assert_array_equal(light.classes_, pipeline.classes_)


@pytest.mark.parametrize("name", PUBLISHED)
def test_is_as_published(name, speech):
    pipeline = RECIPES[name](random_state=0)
    load, augment, classify = (pipeline[step] for step in ("load", "augment", "classify"))
    (*clip, n_features, n_views), training = PUBLISHED[name]
    assert [load.sr, load.duration, load.offset] == clip
    assert augment.n_views == n_views
    params = classify.get_params()
    for param, value in {**ADAM_ON_A_PLATEAU, **training}.items():
        assert params[param] == value, param
    features = pipeline[:3].fit(speech.paths[:1])[-1]
    assert len(features.get_feature_names_out()) == n_features


def test_functionals_are_as_many_as_is_said(speech):
    features = get_recipe("functionals")()[:3].fit(speech.paths[:1])[-1]
    assert len(features.get_feature_names_out()) == 1100


def test_parameters_reach_the_steps():
    pipeline = get_recipe("dense_195")(
        random_state=3, n_jobs=2, memory="cache", verbose=1, load__duration=1.5
    )
    parameters = clone(pipeline).get_params()
    assert parameters["augment__random_state"] == parameters["classify__random_state"] == 3
    assert parameters["features__n_jobs"] == 2
    assert parameters["features__memory"] == "cache"
    assert parameters["features__verbose"] == parameters["classify__verbose"] == 1
    assert parameters["load__duration"] == 1.5


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "default"])
def test_whole_steps_can_be_replaced(name):
    classifier = LogisticRegression()
    pipeline = RECIPES[name](random_state=0, scale="passthrough", classify=classifier)
    assert pipeline["scale"] == "passthrough"
    assert pipeline["classify"] is classifier


def test_wrong_name():
    with pytest.raises(ParameterError, match=r"recipe .*default,.* got 'dense195'.*'dense_195'"):
        get_recipe("dense195")


@pytest.mark.parametrize("name", RECIPES)
def test_wrong_parameter(name):
    with pytest.raises(ParameterError, match="did you mean 'load__duration'"):
        RECIPES[name](load__durations=3)
    with pytest.raises(ParameterError, match="did you mean 'random_state'"):
        make_emotion_pipeline(random_stat=0)


def test_recipes_share_no_blocks():
    get_recipe("mfcc_cnn")(features__mfcc__n_mfcc=13)
    assert get_recipe("mfcc_cnn")().get_params()["features__mfcc__n_mfcc"] == 40
