import math
import threading
import time

import optuna
import pytest
from optuna.trial import TrialState

from skser.tuning import _work
from skser.tuning._storage import open_storage
from skser.tuning._work import counts, replaced, work

optuna.logging.set_verbosity(optuna.logging.ERROR)


def square(trial):
    return -((trial.suggest_float("x", -1, 1)) ** 2)


@pytest.fixture(params=["memory", "journal", "sqlite", "postgres"])
def storage(request, tmp_path):
    kinds = {
        "memory": lambda: None,
        "journal": lambda: tmp_path / "study.journal",
        "sqlite": lambda: f"sqlite:///{tmp_path}/study.db",
        "postgres": lambda: request.getfixturevalue("postgres"),
    }
    return open_storage(kinds[request.param]())


def new_study(storage, **how):
    return optuna.create_study(
        storage=storage, study_name="study", load_if_exists=True, direction="maximize", **how
    )


def worked(study, objective=square, n_trials=5, **how):
    how = {"timeout": None, "grace": 0.5, "callbacks": [], **how}
    return work(study, objective, n_trials=n_trials, **how)


def states(study):
    return [trial.state.name for trial in study.trials]


def test_as_many_trials_as_asked_for(storage):
    study = new_study(storage)
    assert worked(study, n_trials=3) == 3
    assert worked(study, n_trials=3) == 0
    assert worked(study, n_trials=5) == 2
    assert states(study) == ["COMPLETE"] * 5
    assert counts(study) == (5, 5)


def test_states_are_those_of_optuna(storage):
    def objective(trial):
        if trial.number == 1:
            raise optuna.TrialPruned
        trial.report(0.5, 1)
        return math.nan if trial.number == 2 else float(trial.number)

    study = new_study(storage)
    worked(study, objective, n_trials=4)
    assert states(study) == ["COMPLETE", "PRUNED", "FAIL", "COMPLETE"]
    assert study.best_trial.number == 3


def test_callbacks_see_finished_trials(storage):
    seen = []
    study = new_study(storage)
    worked(study, n_trials=2, callbacks=[lambda study, trial: seen.append(trial)])
    assert [trial.number for trial in seen] == [0, 1]
    assert all(trial.state == TrialState.COMPLETE for trial in seen)


def test_no_trial_begins_after_the_timeout(storage):
    study = new_study(storage)
    n_run = worked(study, lambda trial: time.sleep(0.05) or 1.0, 1000, timeout=0.2)
    assert 1 <= n_run < 1000


def test_a_lost_trial_is_begun_anew(storage):
    study = new_study(storage)
    lost = study.ask()
    x = lost.suggest_float("x", -1, 1)
    lost.set_user_attr("as_it_is", True)
    assert worked(study, n_trials=3) == 3
    assert states(study) == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]
    again = study.trials[replaced(study.trials)[0]]
    assert again.params == {"x": x}
    assert again.user_attrs["as_it_is"]
    assert counts(study) == (3, 3)


@pytest.mark.parametrize("n_times", [2, 3])
def test_a_trial_that_is_lost_again_is_begun_anew_again(storage, n_times):
    study = new_study(storage)
    study.ask()
    for _ in range(n_times):
        worked(study, n_trials=0)  # waits until it is lost
        assert study.trials[-1].state == TrialState.WAITING
        study.ask()
    assert worked(study, n_trials=3) == (3 if n_times < 3 else 2)
    assert states(study).count("COMPLETE") == (3 if n_times < 3 else 2)
    assert counts(study) == (3, 3)


def test_a_trial_that_was_lost_comes_before_one_that_was_too_much(storage):
    study = new_study(storage)
    lost = study.ask()
    lost.suggest_float("x", -1, 1)
    surplus = study.ask()
    storage.set_trial_state_values(surplus._trial_id, TrialState.WAITING)
    assert worked(study, n_trials=1) == 1
    assert states(study) == ["FAIL", "WAITING", "COMPLETE"]
    assert study.trials[2].params == study.trials[0].params


def test_a_heart_that_beats_is_waited_for(storage):
    study = new_study(storage)
    begun = threading.Event()

    def slow(trial):
        begun.set()
        time.sleep(3.0)
        return 1.0

    other = threading.Thread(target=worked, args=(study, slow, 1), kwargs={"grace": 1.5})
    other.start()
    begun.wait()
    assert worked(study, n_trials=1, grace=1.5) == 0
    other.join()
    assert states(study) == ["COMPLETE"]


def test_a_trial_that_was_taken_for_lost_changes_nothing(storage):
    """Its worker was away, as a laptop that slept, and another one has begun it anew."""
    study = new_study(storage)

    def away(trial):
        if trial.number == 0:
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        trial.set_user_attr("late", True)
        return 1.0

    assert worked(study, away, n_trials=2) == 1
    assert states(study) == ["FAIL", "COMPLETE"]


def test_interrupted(storage):
    def objective(trial):
        if trial.number == 1:
            trial.suggest_float("x", -1, 1)
            raise KeyboardInterrupt
        return square(trial)

    study = new_study(storage)
    with pytest.raises(KeyboardInterrupt):
        worked(study, objective, n_trials=3)
    assert states(study) == ["COMPLETE", "FAIL", "WAITING"]
    assert study.trials[1].user_attrs["failure"] == "interrupted"
    assert worked(study, n_trials=3) == 2
    assert states(study) == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert study.trials[2].params == study.trials[1].params
    assert "failure" not in study.trials[2].user_attrs


def test_interruptions_are_not_losses(storage):
    """A machine that is taken away every time takes a trial with it, but it is not its fault."""
    times = []

    def objective(trial):
        times.append(trial.number)
        if len(times) < 6:
            raise KeyboardInterrupt
        return 1.0

    study = new_study(storage)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            worked(study, objective, n_trials=1)
    assert worked(study, objective, n_trials=1) == 1
    assert states(study) == ["FAIL"] * 5 + ["COMPLETE"]
    assert counts(study) == (1, 1)


def test_one_trial_in_the_queue_is_for_one_worker(storage):
    """Two that look at the same moment do not both get it."""
    for round_ in range(5):
        study = new_study(storage)
        study.enqueue_trial({"x": 0.5})
        ran, together = [], threading.Barrier(2)

        def objective(trial, ran=ran):
            ran.append(trial.number)
            return square(trial)

        def join(study=study, together=together, objective=objective, n=2 * round_ + 2):
            together.wait()
            worked(study, objective, n)

        threads = [threading.Thread(target=join) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ran) == len(set(ran)) == 2
        queued = [trial for trial in study.trials if "fixed_params" in trial.system_attrs]
        assert len(queued) == round_ + 1


def test_a_lost_trial_is_replaced_once(storage):
    study = new_study(storage)
    study.ask()
    threads = [
        threading.Thread(target=worked, args=(study,), kwargs={"grace": 2.0}) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(study).count("COMPLETE") == 5
    assert states(study).count("FAIL") == 1
    assert len(replaced(study.trials)) == 1


def test_a_trial_that_is_taken_for_lost_before_its_first_heartbeat(storage, monkeypatch):
    begin, taken = _work._next_trial, []

    def too_late(study):
        trial = begin(study)
        if not taken:
            taken.append(trial.number)
            _work._replace(study, trial.number, is_lost=True)
        return trial

    monkeypatch.setattr(_work, "_next_trial", too_late)
    study = new_study(storage)
    assert worked(study, n_trials=3) == 3
    assert counts(study) == (3, 3)
    assert replaced(study.trials) == {taken[0]: 1}


def test_workers_share_a_study_to_the_trial(storage):
    """However many there are, there is no trial too many, and none runs twice."""
    ran = []

    def objective(trial):
        ran.append(trial.number)
        return square(trial)

    study = new_study(storage, sampler=optuna.samplers.RandomSampler())
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(worked(study, objective, 12, grace=5.0)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == sorted(set(ran))
    assert len(ran) == sum(outcomes) == 12
    assert counts(study) == (12, 12)
    # What a worker began too much waits for a study that is to have more trials.
    n_waiting = states(study).count("WAITING")
    assert worked(study, objective, 12 + n_waiting) == n_waiting
