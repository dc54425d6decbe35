"""One fold of the default recipe by share: wall, user and system time, and peak memory.

    python benchmarks/fold.py RAVDESS
    python benchmarks/fold.py EMODB --set vote__network__classify__epochs=25

The first of five folds of whole speakers. Each part of `fit` and `predict` runs by itself, in the
order of the pipeline and in one process, as without ``n_jobs``; TensorFlow uses all cores. Rows in
brackets are parts of others: reading and views are of both extractions, though timed alone before.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from _compare import MIB, memory, print_table
from sklearn.model_selection import GroupKFold

from skser import CNNEmotionClassifier, make_emotion_pipeline
from skser.classifiers._fitting import settings_of
from skser.datasets import load_corpus
from skser.features import AugmentedFeatures
from skser.networks._batches import Draws, DrawSettings
from skser.networks._tensorflow import keras

Result = TypeVar("Result")


class Clock(keras.callbacks.Callback):
    """Wall, user and system seconds when each epoch ends; the first value is that of the begin."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.times = [times()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.times.append(times())


def times() -> np.ndarray:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return np.array([time.perf_counter(), usage.ru_utime, usage.ru_stime])


def draw_epochs(
    classifier: CNNEmotionClassifier, X: AugmentedFeatures, y: np.ndarray
) -> np.ndarray:
    """Times of all that the epochs of a fit draw, without the network."""
    targets = (y[:, np.newaxis] == np.unique(y)).astype(np.float32)
    rows = np.arange(len(y))
    settings = settings_of(classifier, DrawSettings)
    draws = Draws(X.values, targets, np.ones(len(y)), rows, settings, seed=0)
    start = times()
    for epoch in range(classifier.epochs):
        for _ in draws.epoch(epoch):
            pass
    return times() - start


class Parts:
    """Wall, user and system seconds of each part, and the peak memory in it."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def run(self, name: str, function: Callable[[], Result]) -> Result:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        start = times()
        result = function()
        self.rows.append((name, *(times() - start), str(memory()[1] // MIB)))
        return result

    def add_epochs(self, clock: Clock, drawing: np.ndarray) -> None:
        """Shares of the training before."""
        first, second, *_, last = clock.times
        self.rows.append(("(first epoch, with the graph)", *(second - first), ""))
        self.rows.append((f"({len(clock.times) - 2} further epochs)", *(last - second), ""))
        self.rows.append(("(drawing batches, at the same time)", *drawing, ""))

    def print(self) -> None:
        total = [sum(row[i] for row in self.rows if not row[0].startswith("(")) for i in (1, 2, 3)]
        peak = max(int(row[4]) for row in self.rows if row[4])
        rows = [*self.rows, ("in all", *total, str(peak))]
        table = [
            (name, *(f"{v:.1f}" for v in seconds), f"{100 * seconds[0] / total[0]:.0f} %", most)
            for name, *seconds, most in rows
        ]
        print_table(("part", "wall s", "user s", "system s", "of wall", "peak MiB"), table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of a corpus")
    parser.add_argument("--set", nargs="*", default=[], help="parameters of the default recipe")
    arguments = parser.parse_args()
    params = {name: json.loads(value) for name, value in (t.split("=", 1) for t in arguments.set)}
    pipeline = make_emotion_pipeline(random_state=0, **params)
    speech = load_corpus(arguments.data)
    train, test = next(GroupKFold(5).split(speech.paths, speech.target, speech.groups))
    paths, labels = speech.paths[train], speech.target[train]
    print(f"{len(train)} clips of {arguments.data.name} in training, {len(test)} in the test\n")

    parts = Parts()
    views = pipeline[:-1].fit_transform(paths, labels)
    clips = pipeline[:-2].fit_transform(paths, labels)
    parts.run("(reading)", lambda: [len(clip) for clip in clips])
    parts.run("(reading and views)", lambda: [len(clip) for clip in views])
    for _, member in pipeline[-1].estimators:  # compiled loops are loaded, or compiled
        member[0].fit_transform(views[:1])
    clock = Clock()
    pipeline.set_params(vote__network__classify__callbacks=[clock])
    for name, member in pipeline[-1].estimators:
        features = parts.run(f"features of {name}", lambda m=member: m[0].fit_transform(views))
        scaled = parts.run(f"scaling, {name}", lambda m=member, x=features: m[1].fit_transform(x))
        del features
        parts.run(f"fit of {name}", lambda m=member, x=scaled: m[2].fit(x, labels))
        if name == "network":
            parts.add_epochs(clock, draw_epochs(member[2], scaled, labels))
        del scaled
    tested = pipeline[:-1].transform(speech.paths[test])
    for name, member in pipeline[-1].estimators:
        parts.run(f"prediction of {name}", lambda m=member: m.predict_proba(tested))
    parts.print()


if __name__ == "__main__":
    main()
