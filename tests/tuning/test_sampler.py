import optuna
import pytest

from skser.tuning._sampler import SeededSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    x = trial.suggest_float("x", -5, 5)
    return -((x - 1) ** 2) - trial.suggest_categorical("y", [0, 1, 2])


def studied(sampler, *n_trials):
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for n in n_trials:
        study.sampler = sampler
        study.optimize(objective, n_trials=n)
    return [trial.params for trial in study.trials]


def tpe(seed):
    return SeededSampler(optuna.samplers.TPESampler, seed)


def test_an_interrupted_study_resumes_with_the_same_parameters():
    study = optuna.create_study(direction="maximize", sampler=tpe(3))
    study.optimize(objective, n_trials=7)
    study.sampler = tpe(3)  # of another process
    study.optimize(objective, n_trials=13)
    assert [trial.params for trial in study.trials] == studied(tpe(3), 20)


def test_trials_and_seeds_differ():
    once = studied(tpe(0), 20)
    assert len({params["x"] for params in once}) == 20
    assert once != studied(tpe(1), 20)


def test_it_converges_as_optunas_sampler_does():
    def best(sampler):
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=40)
        return study.best_value

    assert best(tpe(0)) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("make", [optuna.samplers.RandomSampler, optuna.samplers.QMCSampler])
def test_any_sampler_with_a_seed(make):
    with pytest.warns() if make is optuna.samplers.QMCSampler else _nothing():
        assert studied(SeededSampler(make, 0), 4) == studied(SeededSampler(make, 0), 4)


def _nothing():
    import contextlib

    return contextlib.nullcontext()
