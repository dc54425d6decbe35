"""Training with features in memory and from the disk, beside each other.

    python benchmarks/from_disk.py RAVDESS --memory FOLDER

Fits the default network, from paths on, to the same clips with eight views: with features in
memory, and with ``joblib.Memory(FOLDER, mmap_mode="r")``, each in a process of its own. A first
pass, which is left out, fills the cache in FOLDER. Losses and probabilities must be equal.

peak MiB            peak resident memory, less that before the fit
s before epochs     checking and reading the cache, statistics of the scaler, building the network
s an epoch          the median without the first, which traces the graph
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _compare import MIB, describe, memory, print_table, run_again, spread
from _epochs import Clock

from skser.datasets import load_corpus
from skser.recipes import residual_network


class ClockWithPeak(Clock):
    """Time and peak memory at the begin of the first epoch too."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_begin(epoch, logs)
        if epoch == 0:
            self.first, self.peak = self.start, memory()[1]


def fit(arguments: argparse.Namespace, paths: np.ndarray, y: np.ndarray, mode: str | None) -> dict:
    clock = ClockWithPeak()
    store = joblib.Memory(arguments.memory, mmap_mode=mode, verbose=0)
    pipeline = residual_network(
        memory=store,
        random_state=0,
        classify__epochs=arguments.epochs,
        classify__callbacks=[clock],
        **arguments.params,
    )
    before, start = memory()[0], time.perf_counter()
    pipeline.fit(paths, y)
    peak = memory()[1]
    probabilities = pipeline.predict_proba(paths[: len(paths) // 10])
    return {
        "first": (clock.peak - before) / MIB,
        "peak": (peak - before) / MIB,
        "before": clock.first - start,
        "epoch": float(np.median(clock.seconds[1:])),
        "result": [*pipeline[-1].history_["loss"], float(probabilities.max())],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--memory", type=Path, required=True, help="folder of the cache")
    parser.add_argument("--clips", type=int, default=1440)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--params", type=json.loads, default={}, help="of the recipe, as JSON")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    speech = load_corpus(arguments.data)
    clips = spread(len(speech.paths), arguments.clips)
    paths, y = speech.paths[clips], speech.target[clips]
    if arguments.task:
        print(json.dumps(fit(arguments, paths, y, arguments.task["mode"])))
        return
    features = residual_network(memory=arguments.memory, random_state=0, **arguments.params)[:3]
    size = features.fit_transform(paths).values.nbytes / MIB
    turns = [{mode: run_again(mode=mode) for mode in (None, "r")} for _ in range(arguments.repeats)]
    results = [run["result"] for turn in turns for run in turn.values()]
    if any(result != results[0] for result in results):
        sys.exit(f"losses or probabilities differ: {results}")
    columns = ("first", "peak", "before", "epoch")
    rows = [
        (
            name,
            *(describe([turn[mode][key] for turn in turns]) for key in columns),
        )
        for name, mode in {"memory": None, "disk": "r"}.items()
    ]
    print(f"{len(paths)} clips, {size:.0f} MiB of features")
    header = ("peak MiB to the first epoch", "to the last", "s before epochs", "s an epoch")
    print_table(("features in", *header), rows)


if __name__ == "__main__":
    main()
