"""A study that processes share in PostgreSQL, one of which is killed, for `cluster.py`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import distributed
import joblib
import optuna
import psycopg
from _compare import print_table
from _local_cluster import LocalCluster
from sklearn.utils import Bunch

from skser.recipes import functionals
from skser.tuning import tune
from skser.tuning._storage import open_storage
from skser.tuning._workers import n_finished, repeats

GRACE_S = 2


class FatalSampler(optuna.samplers.RandomSampler):
    """Kills its process in the middle of the first trial with parameters."""

    def sample_independent(self, *args: Any) -> Any:
        print("begun", flush=True)
        time.sleep(2)  # the trial has a heartbeat then
        os.kill(os.getpid(), signal.SIGKILL)


def suggest(trial: Any) -> dict[str, Any]:
    return {"classify__estimator__shrinkage": trial.suggest_float("shrinkage", 0.1, 0.9)}


def run_study(speech: Bunch, *, address: str | None, is_fatal: bool, **params: Any) -> None:
    """A process of the study, whose folds run on the cluster if it has an address."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def run() -> None:
        tuning = tune(
            functionals(features__blocks=["rms", "zcr", "mfcc"], augment__n_views=1),
            speech.paths,
            speech.target,
            groups=speech.groups,
            space=suggest,
            sampler=FatalSampler() if is_fatal else None,
            grace=GRACE_S,
            **params,
        )
        print(tuning.n_run)

    if address is None:
        run()
        return
    with distributed.Client(address), joblib.parallel_config(backend="dask"):
        run()


def start_study(**task: Any) -> subprocess.Popen:
    command = [sys.executable, *sys.argv, "--task", json.dumps(task)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure_study(server: str, speech: Bunch, folder: Path, n_trials: int) -> None:
    name = f"study_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        storage = f"{server.rpartition('/')[0]}/{name}"
        task = {"storage": storage, "memory": str(folder / "study"), "n_trials": n_trials}
        with LocalCluster(2) as cluster:
            fatal = start_study(**task, address=None, is_fatal=True)
            if fatal.stdout.readline() != "begun\n":  # type: ignore[union-attr]
                sys.exit("the process that was to be killed ended before")
            processes = {
                "alone": start_study(**task, address=None, is_fatal=False),
                "on the cluster": start_study(**task, address=cluster.address, is_fatal=False),
            }
            counts = {who: process.communicate()[0] for who, process in processes.items()}
        codes = [process.returncode for process in processes.values()]
        if any(codes):
            sys.exit(f"the processes end with {codes}")
        study = optuna.load_study(study_name="skser", storage=open_storage(storage))
        repeated = repeats(study.trials)
        running = [trial.number for trial in study.trials if not trial.state.is_finished()]
        row = (
            str(n_trials),
            str(n_finished(study)),
            ", ".join(f"{int(n)} {who}" for who, n in counts.items()),
            ", ".join(f"{lost} by {new}" for lost, new in repeated.items()),
        )
        print_table(("n_trials", "finished", "of them", "lost, and repeated"), [row])
        if not n_trials <= n_finished(study) <= n_trials + 1 or running or len(repeated) != 1:
            sys.exit(f"trials that are still running: {running}")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
