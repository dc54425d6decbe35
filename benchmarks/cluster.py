"""The chain on a Dask cluster of local workers: speed-up, and what is lost when processes are.

    python benchmarks/cluster.py RAVDESS --clips 400 --repeats 5 \\
        --postgres postgresql://user@host/postgres

Speed-up: a cluster of one worker process and one of two, of one thread each, take turns at each
step of the chain: extraction for `functionals` (four views) into an empty shared folder,
`evaluate` with folds by speaker, which reads that folder, and ``skser predict --scheduler`` with a
fitted model. A step is timed after a warm-up on each cluster.

Losses: in the middle of an extraction a worker is killed (SIGKILL), then in another the scheduler,
after which the cluster is started anew and the same call made again. The script ends if a feature
differs from those of an undisturbed run, or if more clips were extracted twice than the killed
processes had in their tasks. The same for the partitions of ``skser predict --scheduler``.

Study: two processes share a study in PostgreSQL, one of which has its folds on the cluster, and a
third is killed during a trial. The script ends unless the number of trials is right and the lost
trial is repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import _one_thread  # noqa: F401
import joblib
import numpy as np
from _compare import describe, print_table, spread
from _local_cluster import LocalCluster
from _shared_study import measure_study, run_study
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

import skser
from skser import evaluate
from skser.datasets import load_corpus
from skser.exceptions import ClusterError
from skser.features import FeatureBlock
from skser.recipes import functionals

CLIPS_PER_CALL = 16
PARTITION_SIZE = 16


class Counted(FeatureBlock):
    """Zeros, and a line in a file of the worker for each clip that is extracted."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def compute(self, spectra: Any) -> np.ndarray:
        with open(f"{self.folder}/{os.getpid()}.count", "a") as file:
            file.write(".")
        return np.zeros((1, spectra.n_frames), np.float32)


@contextmanager
def on(cluster: LocalCluster):
    with joblib.parallel_config(backend="dask", client=cluster.client):
        yield


def subset(corpus: Bunch, n_clips: int) -> Bunch:
    chosen = spread(len(corpus.paths), n_clips)
    return Bunch(
        paths=list(np.asarray(corpus.paths)[chosen]),
        target=corpus.target[chosen],
        groups=corpus.groups[chosen],
    )


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def chain(cluster: LocalCluster, speech: Bunch, folder: Path, model: Path) -> dict[str, Any]:
    """Seconds of each step with a new folder, and the results."""
    memory = folder / f"features-{uuid.uuid4().hex}"
    pipeline = functionals(random_state=0, memory=memory)
    with on(cluster):
        extraction, features = seconds(lambda: pipeline[:3].fit_transform(speech.paths))
        evaluation, evaluated = seconds(
            lambda: evaluate(
                pipeline, speech.paths, speech.target, groups=speech.groups, cv=GroupKFold(6)
            )
        )
    out = folder / f"{uuid.uuid4().hex}.csv"
    prediction, _ = seconds(lambda: predict(cluster, speech, model, out).wait())
    return {
        "seconds": {
            "extraction": extraction,
            "evaluate, features cached": evaluation,
            "skser predict --scheduler": prediction,
        },
        "results": (features.values, evaluated.predictions.to_numpy(), out.read_bytes()),
    }


def predict(cluster: LocalCluster, speech: Bunch, model: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "skser", "predict", model, *speech.paths, "--out", out]
    options = ["--scheduler", cluster.address, "--partition-size", PARTITION_SIZE]
    return subprocess.Popen(
        [*map(str, (*command, *options))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def measure_speed(speech: Bunch, folder: Path, model: Path, repeats: int) -> None:
    with LocalCluster(1) as one, LocalCluster(2) as two:
        warm_up = subset(speech, 64)
        for cluster in (one, two):
            chain(cluster, warm_up, folder, model)
        runs: dict[int, list] = {1: [], 2: []}
        for turn in range(repeats):
            for cluster in (one, two) if turn % 2 == 0 else (two, one):
                runs[cluster.n_workers].append(chain(cluster, speech, folder, model))
    reference = runs[1][0]["results"]
    for run in (*runs[1], *runs[2]):
        for ours, theirs in zip(run["results"], reference, strict=True):
            if not np.array_equal(ours, theirs):
                sys.exit("results of the clusters differ")
    rows = []
    for step in runs[1][0]["seconds"]:
        slow, fast = (np.array([run["seconds"][step] for run in runs[n]]) for n in (1, 2))
        rows.append((step, describe(slow), describe(fast), describe(slow / fast)))
    title = f"{len(speech.paths)} clips"
    print_table((title, "s, one worker", "s, two workers", "times as fast"), rows)


def kill_halfway(
    kill: Callable[[], list[str]], n_done: Callable[[], int], n_all: int
) -> tuple[threading.Thread, list[str]]:
    """A thread that kills when half is done, and the tasks that were in progress then."""
    tasks: list[str] = []

    def wait_and_kill() -> None:
        while n_done() < n_all // 2:
            time.sleep(0.01)
        tasks.extend(kill())

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread, tasks


def extract_disturbed(
    cluster: LocalCluster, kill: Callable[[], list[str]], speech: Bunch, folder: Path
) -> tuple[np.ndarray, int, int, str]:
    """Features, clips extracted twice, clips in progress at the kill, and the error."""
    folder.mkdir()
    memory = folder / "features"
    pipeline = functionals(random_state=0, memory=memory, augment__n_views=1)[:3]
    pipeline[-1].blocks = [*pipeline[-1].blocks, ("counted", Counted(str(folder)))]
    killer, tasks = kill_halfway(
        kill, lambda: len(list(memory.rglob("[!.]*.features"))), len(speech.paths)
    )
    error = "none"
    with on(cluster):
        try:
            features = pipeline.fit_transform(speech.paths)
        except ClusterError as lost:
            error = str(lost)
    killer.join()
    if error != "none":
        cluster.restart()
        with on(cluster):
            features = pipeline.fit_transform(speech.paths)
    n_calls = sum(int(re.search(r"_(\d+)_calls-", task).group(1)) for task in tasks)
    n_twice = sum(file.stat().st_size for file in folder.glob("*.count")) - len(speech.paths)
    return features, n_twice, CLIPS_PER_CALL * n_calls, error


def predict_disturbed(
    cluster: LocalCluster, kill: Callable[[], list[str]], speech: Bunch, model: Path, out: Path
) -> tuple[bytes, None, int, str]:
    """The table, None as what is predicted twice is not counted, those in progress, the error."""
    parts = Path(f"{out}.parts")
    n_parts = -(-len(speech.paths) // PARTITION_SIZE)
    killer, tasks = kill_halfway(kill, lambda: len(list(parts.glob("[0-9]*.jsonl"))), n_parts)
    process = predict(cluster, speech, model, out)
    _, stderr = process.communicate()
    killer.join()
    error = "none"
    if process.returncode:
        error = stderr.splitlines()[-1]
        n_kept = len(list(parts.glob("[0-9]*.jsonl")))
        cluster.restart()
        process = predict(cluster, speech, model, out)
        _, stderr = process.communicate()
        if process.returncode or f"continuing: {n_kept} of {n_parts}" not in stderr:
            sys.exit(f"the second call ends with {process.returncode}: {stderr}")
    return out.read_bytes(), None, len(tasks), error


def measure_losses(speech: Bunch, folder: Path, model: Path) -> None:
    header = ("killed", "during", "twice", "in progress", "error")
    with LocalCluster(2) as cluster:
        print_table(header, [])
        for row in losses(cluster, speech, folder, model):
            print("| " + " | ".join(row) + " |", flush=True)


def losses(
    cluster: LocalCluster, speech: Bunch, folder: Path, model: Path
) -> Iterator[tuple[str, ...]]:
    kills = {
        "nothing": list,
        "a worker": cluster.kill_worker,
        "the scheduler": cluster.kill_scheduler,
    }
    for what, disturbed in {
        "extraction, clips": lambda kill, name: extract_disturbed(
            cluster, kill, speech, folder / name
        ),
        "skser predict, partitions": lambda kill, name: predict_disturbed(
            cluster, kill, speech, model, folder / f"{name}.csv"
        ),
    }.items():
        expected = None
        for name, kill in kills.items():
            result, n_twice, n_running, error = disturbed(kill, name)
            expected = result if expected is None else expected
            if not np.array_equal(result, expected):
                sys.exit(f"{what}: the result differs after {name} was killed")
            # A result that the calling process had not fetched yet is lost with its worker.
            if n_twice is not None and not 0 <= n_twice <= n_running + CLIPS_PER_CALL:
                sys.exit(f"{what}: {n_twice} twice, but {n_running} were in progress")
            yield name, what, "" if n_twice is None else str(n_twice), str(n_running), error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--postgres", help="URL of a server where databases may be made")
    parser.add_argument("--parts", nargs="+", default=["speed", "losses", "study"])
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    speech = subset(load_corpus(args.corpus), args.clips)
    if args.task:
        run_study(speech, **args.task)
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.skser"
        few = subset(speech, 64)
        fitted = functionals(random_state=0, augment__n_views=1).fit(few.paths, few.target)
        skser.save(fitted, model)
        if "speed" in args.parts:
            measure_speed(speech, folder, model, args.repeats)
        if "losses" in args.parts:
            measure_losses(speech, folder, model)
        if "study" in args.parts and args.postgres:
            measure_study(args.postgres, speech, folder, args.trials)


if __name__ == "__main__":
    main()
