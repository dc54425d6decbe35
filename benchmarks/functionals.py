"""Memory and time of what is trained on functionals, beside the features themselves.

    python benchmarks/functionals.py

Scales random features of 10,000 clips with eight views, and fits a discriminant to them, each in a
process of its own. Peak memory is that above the input.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _compare import MIB, describe, memory, print_table, run_again

from skser import AugmentedClassifier, AugmentedFeatures, FeatureScaler
from skser.classifiers import WeightedLinearDiscriminant

N_FEATURES, N_CLASSES = 1100, 7


def make(n_clips: int) -> tuple[AugmentedFeatures, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(N_CLASSES, size=n_clips)
    X = np.empty((n_clips, 8, N_FEATURES), np.float32)
    for clip, label in zip(X, y, strict=True):
        clip[:] = rng.standard_normal(clip.shape, np.float32) + 3 + 0.1 * label
    return AugmentedFeatures(X), y


def tasks(X: AugmentedFeatures, y: np.ndarray) -> dict[str, Callable[[], object]]:
    fixed = AugmentedClassifier(WeightedLinearDiscriminant(shrinkage=0.5))
    estimated = AugmentedClassifier(WeightedLinearDiscriminant(shrinkage="auto"))
    few = AugmentedFeatures(X.values[: 10 * N_CLASSES].copy()), y[: 10 * N_CLASSES]
    FeatureScaler().fit_transform(few[0])  # to warm up
    fixed.fit(*few).predict_proba(few[0])
    return {
        "FeatureScaler.fit": lambda: FeatureScaler().fit(X),
        "FeatureScaler.fit_transform": lambda: FeatureScaler().fit_transform(X),
        "discriminant.fit, shrinkage=0.5": lambda: fixed.fit(X, y),
        "discriminant.fit, shrinkage='auto', weights": lambda: estimated.fit(X, y, 1 + y),
        "discriminant.predict_proba": lambda: fixed.predict_proba(X),
    }


def measure(run: Callable[[], object]) -> dict:
    before = memory()[0]
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")  # the peak begins here
    start = time.process_time()
    result = run()
    spent = time.process_time() - start
    del result
    return {"above": (memory()[1] - before) / MIB, "seconds": spent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    X, y = make(arguments.clips if arguments.task else 10 * N_CLASSES)
    runs = tasks(X, y)
    if arguments.task:
        print(json.dumps(measure(runs[arguments.task["name"]])))
        return
    size = 4 * arguments.clips * 8 * N_FEATURES / MIB
    turns = [{name: run_again(name=name) for name in runs} for _ in range(arguments.repeats)]
    rows = [
        (name, *(describe([turn[name][key] for turn in turns]) for key in ("above", "seconds")))
        for name in runs
    ]
    print(f"{arguments.clips} clips, {size:.0f} MiB of features")
    print_table(("", "peak MiB above the features", "processor s"), rows)


if __name__ == "__main__":
    main()
