from functools import partial

import optuna
import pytest
from optuna.trial import FixedTrial
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from skser import make_emotion_pipeline
from skser.exceptions import ParameterError
from skser.recipes import RECIPES, functionals, residual_network
from skser.recipes._steps import check_steps
from skser.tuning import combine, search_space, spaces
from skser.tuning.spaces import check_space
from tests.evaluations import quick_pipeline


def draws(space, n=10, seed=0):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for _ in range(n):
        trial = study.ask()
        yield trial, space(trial)


def penalty(trial, step="classify"):
    return {f"{step}__C": trial.suggest_float(f"{step}__C", 0.1, 10, log=True)}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("part", ["load", "augment", "features", "classify"])
def test_every_draw_of_a_default_space_is_allowed(recipe, part):
    pipeline = RECIPES[recipe]()
    try:
        space = search_space(pipeline, [part])
    except ParameterError:
        assert (recipe, part) == ("whisper", "features")  # its vote depends on the layers
        return
    for trial, params in draws(space):
        check_steps(clone(pipeline).set_params(**params))
        assert trial.params
    network = "vote__network__classify" if recipe == "default" else "classify"
    if part == "classify" and recipe not in ("functionals", "whisper"):
        assert f"{network}__learning_rate" in params


def test_weights_of_a_vote_are_relative_to_its_first_member():
    pipeline = make_emotion_pipeline()
    space = search_space(pipeline, ["vote"])
    assert space(FixedTrial({"vote__weights__network": 2.5})) == {"vote__weights": [1.0, 2.5]}
    check_space(space, pipeline)


def test_steps_are_found_however_deep_they_are():
    names = search_space(make_emotion_pipeline())
    (trial, params), *_ = draws(names, 1)
    assert {name.rpartition("__")[0] for name in params} == {
        "vote",
        "vote__network__classify",
        "vote__network__classify__network",
        "vote__functionals__classify__estimator",
    }
    assert set(trial.params) == (set(params) - {"vote__weights"}) | {"vote__weights__network"}


def test_default_space_of_a_pipeline_without_a_vote():
    (_, params), *_ = draws(search_space(functionals()), 1)
    assert list(params) == ["classify__estimator__shrinkage"]


def test_the_last_of_combined_spaces_counts():
    def fixed(trial):
        return {"classify__C": 3.0}

    assert combine(penalty, fixed)(FixedTrial({"classify__C": 1.0})) == {"classify__C": 3.0}


def test_steps_of_other_names():
    space = partial(spaces.discriminant, step="lda")
    assert space(FixedTrial({"lda__shrinkage": 0.5})) == {"lda__shrinkage": 0.5}


def test_names_of_a_step_that_replaces_another_are_known():
    def space(trial):
        return {
            "classify": SVC(),
            "classify__gamma": trial.suggest_float("classify__gamma", 0.1, 1),
        }

    check_space(space, quick_pipeline())


def test_values_that_are_wrong_only_sometimes_pass():
    def space(trial):
        return {"load__sr": trial.suggest_categorical("load__sr", [16000, -1])}

    check_space(space, quick_pipeline())


def wrong_name(trial):
    return {"classify__c": trial.suggest_float("classify__c", 0, 1)}


def wrong_name_in_a_branch(trial):
    if trial.suggest_categorical("scaled", [True, False]):
        return penalty(trial)
    return {"scale__mean": False}


def always_wrong(trial):
    return {"load__sr": trial.suggest_float("load__sr", 1e5, 1e6)}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (lambda trial: {}, "space must suggest at least one parameter, got none"),
        (lambda trial: {"load__sr": 8000}, "space must suggest at least one parameter, got none"),
        (lambda trial: None, "space must return a dict of parameters, got None"),
        ({"classify__C": [1]}, "space must be a function space(trial), got {'classify__C': [1]}"),
        (wrong_name, "there is no parameter 'classify__c'; did you mean 'classify__C'?"),
        (wrong_name_in_a_branch, "there is no parameter 'scale__mean'; did you mean"),
        (always_wrong, "space must suggest what is allowed: sr must be an integer"),
    ],
)
def test_errors(space, message):
    with pytest.raises(ParameterError) as caught:
        check_space(space, quick_pipeline())
    assert str(caught.value).startswith(message)


def test_parts_that_are_not_there():
    with pytest.raises(ParameterError, match=r"parts must .* got 'augment', .* no Augmenter"):
        search_space(quick_pipeline(), ["augment"])
    with pytest.raises(ParameterError, match=r"parts must be 'load' or .* got 'loader'"):
        search_space(quick_pipeline(), ["loader"])
    with pytest.raises(ParameterError, match="at least one part"):
        search_space(residual_network(), ["vote"])
    assert isinstance(quick_pipeline()["classify"], LogisticRegression)
    with pytest.raises(
        ParameterError, match="CNNEmotionClassifier or LinearDiscriminantAnalysis or Weighted"
    ):
        search_space(quick_pipeline())
