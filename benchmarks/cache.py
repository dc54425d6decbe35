"""What the feature cache costs and saves: 10-fold cross-validation, and a second pass.

    python benchmarks/cache.py RAVDESS --repeats 3

Folds: 10-fold cross-validation (by speaker, if there are ten of them) of 40 MFCC and their
derivatives, or of ``--blocks``, as mean and standard deviation over frames, with a logistic
regression. Every clip is needed ten times, in nine training sets and one test set. Without a cache
it is extracted each time, with a cache once. That is set against a single pass just before in the
same process: every clip once, no cache.

Passes: the first over all clips, which fills the cache, the second in the same process, and one
more in a new process, which looks at the headers of the files again.

Together: two processes that start at the same time on one empty folder. Clips that both extract are
what it costs that neither reserves a clip.

Extraction is timed from paths to features: checking headers, loading, features and cache. Each run
is a process of its own, which warms up on a few clips before the clock starts; its peak memory
counts libraries and everything. Runs take turns, and each cell has the median and the range over
``--repeats`` turns. The script ends if a cache changes a feature or a score, or if one process
extracts a clip twice. The cache is in a temporary folder: TMPDIR says on which disk, which matters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import _one_thread  # noqa: F401
import numpy as np
from _compare import MIB, describe, make_extraction, memory, print_table, run_again, spread
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from skser.audio._recordings import header_of
from skser.datasets import load_corpus

N_FOLDS = 10


class TimedPipeline(Pipeline):
    """A pipeline that adds up the seconds for which it makes features."""

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> np.ndarray:
        start = time.perf_counter()
        features = super().fit_transform(X, y, **params)
        self.seconds_ = time.perf_counter() - start
        return features

    def transform(self, X: Any, **params: Any) -> np.ndarray:
        start = time.perf_counter()
        features = super().transform(X, **params)
        self.seconds_ += time.perf_counter() - start
        return features


def make_timed_extraction(
    blocks: list[str] | None, n_jobs: int, folder: str | None
) -> TimedPipeline:
    """MFCC, or ``blocks``, of which vectors are made."""
    extraction = make_extraction(
        features__statistics=("mean", "std"), features__n_jobs=n_jobs, features__memory=folder
    )
    if blocks is not None:
        extraction.set_params(features__blocks=blocks)
    return TimedPipeline(extraction.steps)


def extract(extraction: TimedPipeline, speech: Bunch, n_passes: int) -> dict:
    """Extract all clips so many times."""
    extractions = [clone(extraction) for _ in range(n_passes)]
    features = [extraction.fit_transform(speech.paths) for extraction in extractions]
    return {
        "seconds": [extraction.seconds_ for extraction in extractions],
        "misses": [extraction[-1].cache_info().misses for extraction in extractions],
        "features": sorted({hashlib.sha256(made.tobytes()).hexdigest() for made in features}),
    }


def cross_validate_once(extraction: TimedPipeline, speech: Bunch) -> dict:
    """Cross-validate by speaker, or without if there are too few of them."""
    by_speaker = speech.groups is not None and len(np.unique(speech.groups)) >= N_FOLDS
    start = time.perf_counter()
    result = cross_validate(
        make_pipeline(extraction, StandardScaler(), LogisticRegression(max_iter=1000)),
        speech.paths,
        speech.target,
        groups=speech.groups,
        cv=GroupKFold(N_FOLDS) if by_speaker else KFold(N_FOLDS, shuffle=True, random_state=0),
        scoring="balanced_accuracy",
        return_estimator=True,
    )
    total = time.perf_counter() - start
    extractions = [fitted[0] for fitted in result["estimator"]]
    return {
        "total": total,
        "seconds": [sum(extraction.seconds_ for extraction in extractions)],
        "misses": [sum(extraction[-1].cache_info().misses for extraction in extractions)],
        "scores": result["test_score"].tolist(),
    }


def wait_for_all(folder: Path, n_processes: int) -> None:
    """Return when so many processes have called this with one folder."""
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < n_processes:
        time.sleep(0.001)


def run_task(
    speech: Bunch,
    blocks: list[str] | None,
    n_jobs: int,
    folder: str | None,
    n_passes: int,
    n_processes: int = 1,
) -> dict:
    uncached = make_timed_extraction(blocks, n_jobs, None)
    # The same two clips, often enough for every process to get some.
    uncached.fit_transform(list(speech.paths[:2]) * 16 * n_jobs)
    extraction = make_timed_extraction(blocks, n_jobs, folder)
    if n_processes > 1:
        wait_for_all(Path(f"{folder}-ready"), n_processes)
    if n_passes:
        result = extract(extraction, speech, n_passes)
    else:
        single = extract(uncached, speech, 1)["seconds"][0]
        header_of.clear()  # so that the folds look at headers too
        result = cross_validate_once(extraction, speech) | {"single": single}
    return result | {"peak": memory()[1] / MIB}


def run_together(folder: str, n_processes: int = 2) -> dict:
    """Fill one cache by several processes at once."""
    task = {"n_passes": 1, "folder": folder, "n_processes": n_processes}
    with ThreadPoolExecutor(n_processes) as threads:
        runs = list(threads.map(lambda _: run_again(**task), range(n_processes)))
    return {
        "seconds": [max(run["seconds"][0] for run in runs)],
        "misses": sum(run["misses"][0] for run in runs),
        "features": sorted({digest for run in runs for digest in run["features"]}),
    }


def take_turn(n_clips: int, folder: Path) -> dict[str, dict]:
    """Run everything once, and end the benchmark if a cache changes what comes out."""
    folder.mkdir()
    of_folds, of_passes = str(folder / "folds"), str(folder / "passes")
    runs = {
        "single pass": run_again(n_passes=1, folder=None),
        "folds, cache": run_again(n_passes=0, folder=of_folds),
        "folds, no cache": run_again(n_passes=0, folder=None),
        "passes": run_again(n_passes=2, folder=of_passes),
        "new process": run_again(n_passes=1, folder=of_passes),
        "together": run_together(str(folder / "together")),
    }
    if len({digest for run in runs.values() for digest in run.get("features", [])}) > 1:
        sys.exit("the cache changes features")
    if runs["folds, cache"]["scores"] != runs["folds, no cache"]["scores"]:
        sys.exit("the cache changes scores")
    misses = [runs[name]["misses"] for name in ("folds, cache", "passes", "new process")]
    if misses != [[n_clips], [n_clips, 0], [0]]:
        sys.exit(f"clips are {n_clips}, and {misses} were extracted in folds and passes")
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, help="only so many, spread over the corpus")
    parser.add_argument("--blocks", nargs="+", help="features, if not the default ones")
    parser.add_argument("--jobs", type=int, default=1, help="processes that extract")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of few clips, of which a test set may lack an emotion

    speech = load_corpus(arguments.folder)
    chosen = spread(len(speech.paths), arguments.clips)
    for name in ("paths", "target", "groups"):
        speech[name] = None if speech[name] is None else speech[name][chosen]
    if arguments.task:
        print(json.dumps(run_task(speech, arguments.blocks, arguments.jobs, **arguments.task)))
        return

    for path in speech.paths:
        Path(path).read_bytes()  # from the disk, once for all
    n_clips = len(chosen)
    # Deleted in the end only: for a minute after that, ext4 is slow to make files.
    with TemporaryDirectory() as folder:
        turns = [take_turn(n_clips, Path(folder, str(turn))) for turn in range(arguments.repeats)]
    title = f"{n_clips} clips, {arguments.jobs} process{'es' * (arguments.jobs > 1)}"

    rows = []
    for name, times in (("single pass", 1), ("folds, no cache", N_FOLDS), ("folds, cache", 1)):
        runs = [turn[name] for turn in turns]
        seconds = np.array([run["seconds"][0] for run in runs])
        single = [run.get("single", run["seconds"][0]) for run in runs]
        total = describe([run.get("total", run["seconds"][0]) for run in runs])
        peak = f"{describe([run['peak'] for run in runs])} MiB"
        row = (name, describe(seconds), describe(seconds / single), str(times * n_clips))
        rows.append((*row, total, peak))
    header = (title, "s extracting", "x single pass", "extractions", "s in all", "peak memory")
    print_table(header, rows)

    passes = {
        "first pass": [turn["passes"]["seconds"][0] for turn in turns],
        "second pass": [turn["passes"]["seconds"][1] for turn in turns],
        "second pass, new process": [turn["new process"]["seconds"][0] for turn in turns],
    }
    first = np.array(passes["first pass"])
    rows = [(name, describe(1e3 * np.array(s)), describe(first / s)) for name, s in passes.items()]
    print_table((title, "ms", "times as fast"), rows)

    together = [turn["together"] for turn in turns]
    seconds = describe([run["seconds"][0] for run in together])
    twice = describe([run["misses"] - n_clips for run in together])
    print_table((title, "s", "clips extracted twice"), [("two at once", seconds, twice)])


if __name__ == "__main__":
    main()
