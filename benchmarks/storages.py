"""What a storage costs a study beside the trials themselves, by numbers of trials and workers.

    python benchmarks/storages.py --postgres postgresql://user@host/postgres

Workers run trials that do nothing but suggest, report and record as those of a network over five
folds do (6 parameters, 49 reports, 14 attributes), until the study has enough of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import optuna

from skser.tuning._sampler import SeededSampler
from skser.tuning._storage import open_storage, open_study
from skser.tuning._workers import run_trials

N_FOLDS, N_STEPS = 5, 10


def objective(trial):
    """What a trial writes, without its work."""
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    uars = []
    for fold in range(N_FOLDS):
        for step in range(1, N_STEPS + 1):
            if (fold, step) < (N_FOLDS - 1, N_STEPS):
                trial.report(float(np.mean(x)), fold * N_STEPS + step)
                trial.should_prune()
        uars.append(float(np.mean(x)))
        trial.set_user_attr("fold_uar", uars)
        trial.set_user_attr("fold_seconds", uars)
    for name in ("seed", "seconds", "failure"):
        trial.set_user_attr(name, 0)
    return float(np.mean(x))


def run_worker(storage, n_trials, sampler):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = {
        "tpe": SeededSampler(optuna.samplers.TPESampler, 0),
        "random": optuna.samplers.RandomSampler(),
    }[sampler]
    content = {"pipeline": "none"}
    pruner = optuna.pruners.NopPruner()
    study = open_study(storage, "study", content, sampler=sampler, pruner=pruner)
    run_trials(study, objective, n_trials=n_trials, timeout=None, callbacks=[])


def measure(storage, n_workers, n_trials, sampler):
    """Milliseconds that a trial takes a worker."""
    context = multiprocessing.get_context("spawn")
    run_worker(storage, 1, sampler)
    start = time.perf_counter()
    workers = [
        context.Process(target=run_worker, args=(storage, n_trials, sampler))
        for _ in range(n_workers)
    ]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
        assert process.exitcode == 0
    seconds = time.perf_counter() - start
    study = optuna.load_study(study_name="study", storage=open_storage(storage))
    complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    assert n_trials <= len(complete) < n_trials + n_workers
    busy = [(t.datetime_complete - t.datetime_start).total_seconds() for t in complete]
    start = time.perf_counter()
    again = optuna.load_study(study_name="study", storage=open_storage(storage))
    again.get_trials(deepcopy=False)
    return seconds, 1000 * np.median(busy), 1000 * (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgres", help="URL of a server where databases may be made")
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--sampler", default="random", choices=["random", "tpe"])
    args = parser.parse_args()
    print("| storage | trials | workers | ms a trial | all, s | opened again, ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in kinds(Path(folder), args.postgres).items():
            for n_trials in args.trials:
                for n_workers in args.workers:
                    seconds, busy, opened = measure(make(), n_workers, n_trials, args.sampler)
                    print(
                        f"| {kind} | {n_trials} | {n_workers} | {busy:.0f} | {seconds:.0f} | "
                        f"{opened:.0f} |",
                        flush=True,
                    )


def kinds(folder, postgres):
    def name():
        return f"study_{uuid.uuid4().hex}"

    storages = {
        "journal": lambda: str(folder / f"{name()}.journal"),
        "SQLite": lambda: f"sqlite:///{folder}/{name()}.db",
    }
    if postgres:
        storages["PostgreSQL"] = partial(make_database, postgres, name)
    return storages


def make_database(server, name):
    import psycopg

    made = name()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {made}")
    return f"{server.rpartition('/')[0]}/{made}"


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    main()
