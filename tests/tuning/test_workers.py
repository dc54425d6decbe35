import math
import threading
import time

import optuna
import pytest
from optuna.trial import TrialState

from skser.tuning._storage import open_storage
from skser.tuning._workers import n_finished, repeats, run_trials

optuna.logging.set_verbosity(optuna.logging.ERROR)


def square(trial):
    return -((trial.suggest_float("x", -1, 1)) ** 2)


def opened(kind, request, tmp_path):
    urls = {
        "memory": lambda: None,
        "journal": lambda: tmp_path / "study.journal",
        "sqlite": lambda: f"sqlite:///{tmp_path}/study.db",
        "postgres": lambda: request.getfixturevalue("postgres"),
    }
    return open_storage(urls[kind](), grace=1)


@pytest.fixture(params=["memory", "journal", "sqlite", "postgres"])
def storage(request, tmp_path):
    return opened(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    return opened(request.param, request, tmp_path)


def new_study(storage, **params):
    return optuna.create_study(
        storage=storage, study_name="study", load_if_exists=True, direction="maximize", **params
    )


def run(study, objective=square, n_trials=5, timeout=None, callbacks=()):
    return run_trials(study, objective, n_trials=n_trials, timeout=timeout, callbacks=callbacks)


def states(study):
    return [trial.state.name for trial in study.trials]


def test_number_states_and_callbacks_of_trials(storage):
    def objective(trial):
        if trial.number == 1:
            raise optuna.TrialPruned
        trial.report(0.5, 1)
        return math.nan if trial.number == 2 else float(trial.number)

    seen = []
    study = new_study(storage)
    assert run(study, objective, 3, callbacks=[lambda study, trial: seen.append(trial)]) == 3
    assert run(study, objective, 3) == 0
    assert run(study, objective, 5) == 2
    assert states(study) == ["COMPLETE", "PRUNED", "FAIL", "COMPLETE", "COMPLETE"]
    assert n_finished(study) == 5
    assert [(trial.number, trial.state.name) for trial in seen] == list(
        enumerate(states(study)[:3])
    )


def test_no_trial_begins_after_the_timeout():
    study = new_study(None)
    assert 1 <= run(study, lambda trial: time.sleep(0.05) or 1.0, 1000, timeout=0.2) < 1000


def test_interrupted_trials_are_repeated(storage):
    def objective(trial):
        x = trial.suggest_float("x", -1, 1)
        if trial.number in (1, 2):
            trial.set_user_attr("as_it_is", True)
            raise KeyboardInterrupt
        return x

    study = new_study(storage)
    for n_trials in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(study, objective, n_trials=3)
        assert states(study) == ["COMPLETE", *["FAIL"] * n_trials, "WAITING"]
    assert run(study, objective, n_trials=3) == 2
    assert states(study) == ["COMPLETE", "FAIL", "FAIL", "COMPLETE", "COMPLETE"]
    assert len({trial.params["x"] for trial in study.trials[1:4]}) == 1
    assert study.trials[3].user_attrs == {"as_it_is": True}
    assert repeats(study.trials) == {1: 2, 2: 3}
    assert n_finished(study) == 3


@pytest.mark.slow
def test_a_worker_that_was_only_away_takes_another_trial(database):
    """As a laptop that slept: Optuna has given its trial to another worker."""
    study = new_study(database)

    def objective(trial):
        if trial.number == 0:
            frozen = study.get_trials(deepcopy=False)[0]
            database.set_trial_state_values(frozen._trial_id, TrialState.FAIL)
            database.get_heartbeat_stale_trial_callback()(study, study.trials[0])
        if trial.number == 1:
            frozen = study.get_trials(deepcopy=False)[1]
            database.set_trial_state_values(frozen._trial_id, TrialState.FAIL)
            trial.set_user_attr("late", True)  # fails; nobody repeats this trial yet
        return 1.0

    assert run(study, objective, n_trials=3) == 2
    assert states(study) == ["FAIL", "FAIL", "COMPLETE", "COMPLETE"]


def test_errors_of_objectives_and_callbacks_end_the_run():
    def fail(*args):
        raise ValueError("not a lost trial")

    for params in ({"objective": fail}, {"callbacks": [fail]}):
        study = new_study(None)
        with pytest.raises(ValueError, match="not a lost trial"):
            run(study, **params)
        assert len(study.trials) == 1


def test_workers_share_the_queue(storage):
    """No trial runs twice, and each worker runs at most one more than needed."""
    ran = []

    def objective(trial):
        ran.append(trial.number)
        return square(trial)

    study = new_study(storage, sampler=optuna.samplers.RandomSampler())
    for x in (0.25, 0.5, 0.75):
        study.enqueue_trial({"x": x})
    together = threading.Barrier(3)

    def work():
        together.wait()
        run(study, objective, 9)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == len(set(ran))
    assert 9 <= n_finished(study) == len(ran) <= 11
    assert {0.25, 0.5, 0.75} <= {trial.params["x"] for trial in study.trials}
