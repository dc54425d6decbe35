"""Time and memory of extracting features, as clips and views grow in number.

    python benchmarks/growth.py RAVDESS --clips 100 400 1440 --views 1 4 --jobs 1 2

Loads, augments and extracts sequences of 40 MFCC and their derivatives, each combination in a fresh
process with a few clips to warm up. If clips take the same time however many there are, and
memory above the features stays as it is, the cost grows with the clips and not faster.

ms per clip       elapsed time; with several processes too
features          size of the features, which are held in memory
peak above them   peak resident memory, less that after warming up, less the features
workers           the same of all worker processes together, which hold a few clips at a time

Combinations take turns, and each cell has the median and the range over ``--repeats`` turns.
Workers are left out where psutil is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import _one_thread  # noqa: F401
import numpy as np
from _compare import MIB, describe, make_extraction, memory, print_table, run_again, spread

from skser.datasets import load_corpus


def worker_memory() -> np.ndarray:
    """Resident memory of the processes that this one has started: now and at their peaks."""
    import psutil

    workers = psutil.Process().children(recursive=True)
    return np.sum([memory(worker.pid) for worker in workers] or [(0, 0)], axis=0)


def extract(paths: np.ndarray, n_views: int, n_jobs: int) -> dict:
    extraction = make_extraction(augment__n_views=n_views, features__n_jobs=n_jobs)
    # With workers, two clips so often that each of them gets some and loads what it needs.
    extraction.fit_transform(list(paths[:2]) * (1 if n_jobs == 1 else 16 * n_jobs))
    see_workers = n_jobs > 1 and sys.platform == "linux" and importlib.util.find_spec("psutil")
    before, _ = memory()
    workers_before = worker_memory()[0] if see_workers else 0
    start = time.perf_counter()
    features = extraction.fit_transform(paths)
    seconds = time.perf_counter() - start
    size = getattr(features, "values", features).nbytes
    return {
        "ms": 1e3 * seconds / len(paths),
        "features": size / MIB,
        "above": (memory()[1] - before - size) / MIB,
        "workers": float(worker_memory()[1] - workers_before) / MIB if see_workers else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, nargs="+", default=[100, 400, 1440])
    parser.add_argument("--views", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="processes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    paths = load_corpus(arguments.folder).paths
    if arguments.task:
        some = paths[spread(len(paths), arguments.task["clips"])]
        print(json.dumps(extract(some, arguments.task["views"], arguments.task["jobs"])))
        return
    if not importlib.util.find_spec("psutil"):
        print("psutil is not installed")
    for path in paths[spread(len(paths), max(arguments.clips))]:
        Path(path).read_bytes()  # from the disk, once for all

    combinations = [
        {"clips": min(clips, len(paths)), "views": views, "jobs": jobs}
        for jobs in arguments.jobs
        for views in arguments.views
        for clips in arguments.clips
    ]
    turns = [[run_again(**task) for task in combinations] for _ in range(arguments.repeats)]
    rows = []
    for task, runs in zip(combinations, zip(*turns, strict=True), strict=True):
        of = {name: [run[name] for run in runs] for name in runs[0]}
        rows.append(
            (
                f"{task['clips']} x {task['views']}",
                str(task["jobs"]),
                describe(of["ms"]),
                f"{of['features'][0]:.1f} MiB",
                f"{describe(of['above'])} MiB",
                "" if of["workers"][0] is None else f"{describe(of['workers'])} MiB",
            )
        )
    header = ("clips x views", "processes", "ms per clip", "features", "peak above them", "workers")
    print_table(header, rows)


if __name__ == "__main__":
    main()
