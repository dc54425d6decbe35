import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from PIL import Image
from sklearn.linear_model import LogisticRegression

from skser.exceptions import ParameterError, StudyError
from skser.tuning import Tuning, tune
from skser.tuning._storage import open_storage
from skser.tuning._workers import repeats
from tests.evaluations import noises, quick_pipeline

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPEECH = noises(n_speakers=4)


def penalty(trial):
    return {"classify__C": trial.suggest_float("classify__C", 1e-4, 10, log=True)}


def two(trial):
    return {**penalty(trial), "load__offset": trial.suggest_float("load__offset", 0, 0.1)}


def tuned(space=penalty, pipeline=None, **how):
    pipeline = quick_pipeline() if pipeline is None else pipeline
    return tune(pipeline, SPEECH, space=space, **{"n_trials": 4, "random_state": 0, **how})


@pytest.fixture(scope="module")
def tuning():
    return tuned(two, n_trials=6)


@pytest.mark.slow
def test_best_of_the_table(tuning):
    table = tuning.to_frame()
    assert tuning.best_score == table["uar"].max()
    assert tuning.baseline == table.loc[0, "uar"]
    assert tuning.n_run == len(table) == 6
    best = table.loc[tuning.study.best_trial.number]
    assert tuning.best_params == {
        name: best[name] for name in ("classify__C", "load__offset") if np.isfinite(best[name])
    }


def test_table(tuning):
    table = tuning.to_frame()
    assert list(table.columns) == [
        *("state", "uar", "fold_uar", "seconds", "seed", "failure"),
        *("classify__C", "load__offset"),
    ]
    assert set(table["state"]) <= {"complete", "pruned"}
    assert table.loc[0, ["classify__C", "load__offset"]].isna().all()
    assert (table["seconds"] > 0).all()


def test_repr(tuning):
    assert repr(tuning) == (
        f"<UAR {tuning.best_score:.3f} (as it is {tuning.baseline:.3f}), 4 folds (whole speakers), "
        "speaker-independent: nobody tested is trained on; the best of 6 trials on the clips that "
        "it is scored on, so it flatters>"
    )


@pytest.mark.slow
def test_one_seed_suggests_the_same(tuning):
    values = tuning.to_frame()["classify__C"][1:3].to_list()
    assert tuned(two, n_trials=3).to_frame()["classify__C"][1:].to_list() == values
    other = tuned(two, n_trials=3, random_state=1)
    assert other.to_frame()["classify__C"][1:].to_list() != values


@pytest.mark.slow
def test_files(tuning, tmp_path):
    files = tuning.save(tmp_path / "new")
    assert [file.name for file in files] == [
        *("trials.csv", "history.png", "importance.png", "parallel_coordinates.png", "study.json")
    ]
    table = pd.read_csv(files[0], index_col="trial")
    assert_allclose(table["uar"], tuning.to_frame()["uar"], atol=1e-5)
    about = json.loads(files[-1].read_text())
    assert about["uar"] == tuning.best_score
    assert about["params"] == tuning.best_params
    assert about["protocol"] == tuning.protocol
    assert about["versions"]["optuna"] == optuna.__version__
    for file in files[1:-1]:
        pixels = np.asarray(Image.open(file).convert("L"))
        assert min(pixels.shape) > 200
        assert len(np.unique(pixels)) > 20
    assert not any(path.name.startswith(".") for path in (tmp_path / "new").iterdir())


@pytest.mark.slow
def test_pictures_of_a_single_trial(tuning, tmp_path):
    tuning.save(tmp_path)
    single = tuned(n_trials=1)
    assert [file.name for file in single.save(tmp_path)] == [
        *("trials.csv", "history.png", "study.json")
    ]
    assert not (tmp_path / "importance.png").exists()


@pytest.mark.slow
def test_a_study_is_resumed(tmp_path):
    how = {"storage": tmp_path / "study.journal", "memory": tmp_path / "shared"}
    assert tuned(n_trials=2, **how).n_run == 2
    rest = tuned(n_trials=5, **how)
    assert rest.n_run == 3
    assert rest.to_frame()["classify__C"].equals(tuned(n_trials=5).to_frame()["classify__C"])
    with pytest.raises(StudyError, match="was begun with another pipeline; choose another name"):
        tuned(pipeline=quick_pipeline(classify=LogisticRegression(max_iter=50)), **how)
    with pytest.raises(StudyError, match="was begun with another space; "):
        tuned(two, **how)
    with pytest.raises(StudyError, match="another corpus and another division into folds; "):
        tune(quick_pipeline(), noises(n_speakers=5), space=penalty, **how)
    assert tuned(two, study_name="other", n_trials=1, **how).n_run == 1


def test_memory_does_not_change_the_study(tmp_path):
    storage = tmp_path / "study.journal"
    tuned(n_trials=1, storage=storage)
    same = quick_pipeline(features__memory=tmp_path, features__n_jobs=1)
    assert tuned(n_trials=2, storage=storage, pipeline=same).n_run == 1


@pytest.mark.slow
def test_default_pruner_has_five_trials_to_compare_with():
    def space(trial):
        return {"classify__C": trial.suggest_categorical("C", [1.0, 1e-9])}

    states = tuned(space, n_trials=12).to_frame()["state"]
    assert (states[:5] == "complete").all()
    assert (states[5:] == "pruned").any()


def test_scores_of_a_part_of_the_folds_are_not_among_the_others():
    class Never(optuna.pruners.NopPruner):
        def prune(self, study, trial):
            return trial.number > 1

    table = tuned(n_trials=4, pruner=Never()).to_frame()
    assert table["state"].to_list() == ["complete", "complete", "pruned", "pruned"]
    assert table["uar"].isna().to_list() == [False, False, True, True]
    assert [len(uars) for uars in table["fold_uar"]] == [4, 4, 1, 1]


@pytest.mark.slow
def test_ranges_that_differ_from_trial_to_trial(tmp_path):
    def space(trial):
        strong = trial.suggest_categorical("strong", [True, False])
        return {"classify__C": trial.suggest_float("classify__C", 0.1, 1 if strong else 5)}

    names = [file.name for file in tuned(space, n_trials=5).save(tmp_path)]
    assert names[-1] == "study.json"
    assert "history.png" in names


@pytest.mark.slow
def test_a_baseline_that_failed_is_null(tmp_path):
    failing = quick_pipeline(classify=FailsAsItIs())

    def space(trial):
        return {"classify__fails": trial.suggest_categorical("fails", [False])}

    tuning = tuned(space, failing, n_trials=2)
    assert np.isnan(tuning.baseline)
    tuning.save(tmp_path)
    assert json.loads((tmp_path / "study.json").read_text())["uar_as_it_is"] is None


class FailsAsItIs(LogisticRegression):
    def __init__(self, fails=True, C=1.0):
        super().__init__(C=C)
        self.fails = fails

    def fit(self, X, y):
        if self.fails:
            raise MemoryError("as it is")
        return super().fit(X, y)


def test_spaces_that_cannot_be_pickled_need_no_storage(tmp_path):
    lock = threading.Lock()

    def space(trial):
        with lock:
            return penalty(trial)

    assert tuned(space, n_trials=1).n_run == 1
    with pytest.raises(ParameterError, match=r"storage must be None.* the space .*pickled"):
        tuned(space, n_trials=1, storage=tmp_path / "study.journal")


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"n_trials": 0}, ParameterError, "n_trials must be an integer of at least 1, got 0"),
        ({"timeout": 0}, ParameterError, "timeout must be a number above 0 or None, got 0"),
        ({"grace": 0}, ParameterError, "grace must be an integer of at least 2, got 0"),
        ({"random_state": "x"}, ParameterError, "random_state must be"),
        ({"study_name": ""}, ParameterError, "study_name must be a text, got ''"),
        ({"storage": "x"}, StudyError, "storage must be a path that ends in .journal"),
        ({"space": lambda trial: {}}, ParameterError, "space must suggest at least one parameter"),
    ],
)
def test_errors_come_before_the_first_trial(how, error, message):
    with pytest.raises(error) as caught:
        tuned(**how)
    assert str(caught.value).startswith(message)


@pytest.mark.slow
def test_a_storage_that_goes_away(postgres):
    psycopg = pytest.importorskip("psycopg")
    server, _, name = postgres.rpartition("/")

    def drop(study, trial):
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    try:
        with pytest.raises(
            StudyError, match=r"^storage .* went away \(.*\); make the same call again"
        ):
            tuned(storage=postgres, callbacks=[drop])
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")


WORKER = """
import sys, time
import optuna
from skser.tuning import tune
from tests.evaluations import noises, quick_pipeline

def space(trial):
    params = {"classify__C": trial.suggest_float("classify__C", 1e-4, 10, log=True)}
    if trial.study.study_name == "skser":
        print("begun", trial.number, flush=True)
        time.sleep(float(sys.argv[3]))
    return params

def log(study, trial):
    print("finished", trial.number, flush=True)

optuna.logging.set_verbosity(optuna.logging.ERROR)
tuning = tune(
    quick_pipeline(), noises(), space=space, n_trials=16, storage=sys.argv[1], memory=sys.argv[2],
    random_state=0, grace=3, callbacks=[log],
)
print("best", tuning.best_score, flush=True)
"""


def worker(storage, memory, pause):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, storage, str(memory), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgres", "sqlite", "journal"])
def test_two_workers_one_of_them_killed_in_the_middle_of_a_trial(kind, request, tmp_path):
    if kind == "postgres":
        storage = request.getfixturevalue("postgres")
    else:
        paths = {"sqlite": f"sqlite:///{tmp_path}/study.db", "journal": f"{tmp_path}/study.journal"}
        storage = paths[kind]
    killed, survivor = (worker(storage, tmp_path, pause) for pause in (1.2, 0.4))
    with killed, survivor:
        number = _in_the_middle_of_a_trial(killed)
        time.sleep(0.3)  # Optuna repeats a trial only after its first heartbeat
        killed.send_signal(signal.SIGKILL)
        lines = survivor.stdout.read().splitlines()
        assert survivor.wait() == 0
    study = optuna.load_study(storage=open_storage(storage), study_name="skser")
    finished = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(finished) == 16
    lost = study.trials[number]
    repeated = repeats(study.trials)
    if kind == "journal":  # has no heartbeats: another trial makes up for the lost one
        assert lost.state.name == "RUNNING"
        assert not repeated
    else:
        assert lost.state.name == "FAIL"
        assert study.trials[repeated[number]].params == lost.params
    assert len({trial.params.get("classify__C") for trial in finished}) == 16
    best = max(trial.value for trial in finished if trial.state.name == "COMPLETE")
    assert lines[-1] == f"best {best}"
    assert study.best_value == best


def _in_the_middle_of_a_trial(process):
    """Number of the trial that a worker begins after it has finished one."""
    lines = iter(process.stdout.readline, "")
    next(line for line in lines if line.startswith("finished"))
    return int(next(line for line in lines if line.startswith("begun")).split()[1])


def test_tuning_is_public():
    assert isinstance(tuned(n_trials=1), Tuning)
