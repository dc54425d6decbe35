"""Time of an epoch of CNNEmotionClassifier, beside a bare Keras fit of the same network.

    python benchmarks/training.py RAVDESS

Both train the same network from the same features with the same optimizer, batches and loss.
First on sequences of one length and with nothing drawn, where both do the same work: losses after
training must be alike. Then with all that the default recipe draws anew in each epoch, and on
sequences of their own lengths, which Keras alone would pad to the longest.

The first epoch, which traces the graph, is left out. The competitors take turns. All run on one
core by default: on two, the system at times puts both threads on the same one, and then epochs of
one and the same fit take either 1.5 or 2.5 s.

    python benchmarks/training.py RAVDESS --allocators --recipe cnn_512

compares a recipe's training with and without TensorFlow's pooling allocator
(``TF_CPU_ALLOCATOR_USE_BFC``), each in a process of its own. Losses must be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from _compare import describe, print_table, spread
from _epochs import Clock

from skser import CNNEmotionClassifier
from skser.classifiers._fitting import network_builder, settings_of
from skser.datasets import load_corpus
from skser.networks._batches import NOTHING_DRAWN
from skser.networks._optimization import TrainingSettings, make_loss, make_optimizer
from skser.networks._tensorflow import keras
from skser.recipes import get_recipe

N_EPOCHS = 4


def fit_keras(classifier: CNNEmotionClassifier, X: np.ndarray, y: np.ndarray) -> tuple:
    """Seconds of the epochs after the first, and the last loss."""
    keras.utils.set_random_seed(0)
    classes, encoded = np.unique(y, return_inverse=True)
    model = network_builder(classifier, X.shape[1:], len(classes))()
    settings = settings_of(classifier, TrainingSettings)
    n_batches = -(-len(X) // classifier.batch_size)
    model.compile(
        make_optimizer(settings, n_batches),
        loss=make_loss(settings),
        metrics=["accuracy"],
        jit_compile=False,
    )
    clock = Clock()
    history = model.fit(
        np.nan_to_num(X),
        np.eye(len(classes), dtype=np.float32)[encoded],
        batch_size=classifier.batch_size,
        epochs=classifier.epochs,
        callbacks=[clock],
        verbose=0,
    ).history
    return clock.seconds[1:], history["loss"][-1]


def fit_skser(classifier: CNNEmotionClassifier, X: Any, y: np.ndarray) -> tuple:
    clock = Clock()
    classifier.set_params(callbacks=[clock]).fit(X, y)
    return clock.seconds[1:], classifier.history_["loss"][-1]


def compare_allocators(command: list[str], turns: int) -> None:
    """Train in processes with and without the allocator, and print median times."""
    figures: dict[str, list[dict]] = {"malloc": [], "pool": []}
    for turn in range(turns):
        for name in sorted(figures, reverse=bool(turn % 2)):
            environment = {**os.environ, "TF_CPU_ALLOCATOR_USE_BFC": str(name == "pool").lower()}
            output = subprocess.check_output(
                [sys.executable, __file__, *command, "--once"], env=environment, text=True
            )
            figures[name].append(json.loads(output.splitlines()[-1]))
    losses = [run["losses"] for runs in figures.values() for run in runs]
    if any(run_losses != losses[0] for run_losses in losses):
        raise SystemExit(f"losses differ: {losses}")
    columns = ("wall s", "user s", "system s", "million page faults")
    rows = [
        (name, *(f"{np.median([run[column] for run in runs]):.1f}" for column in columns))
        for name, runs in figures.items()
    ]
    print_table(("allocator", *columns), rows)


def train_once(classifier: CNNEmotionClassifier, X: Any, y: np.ndarray) -> None:
    """Print times, page faults and losses of one training as JSON."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    classifier.fit(X, y)
    after = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "wall s": time.perf_counter() - start,
        "user s": after.ru_utime - before.ru_utime,
        "system s": after.ru_stime - before.ru_stime,
        "million page faults": (after.ru_minflt - before.ru_minflt) / 1e6,
        "losses": classifier.history_["loss"],
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=576)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1, help="cores to run on (Linux)")
    parser.add_argument("--epochs", type=int, default=1 + N_EPOCHS, help="of each training")
    parser.add_argument("--allocators", action="store_true", help="compare allocators")
    parser.add_argument("--recipe", default="residual_network", help="of --allocators")
    parser.add_argument("--params", type=json.loads, default={}, help="of the recipe, as JSON")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.allocators:
        command = [word for word in sys.argv[1:] if word != "--allocators"]
        compare_allocators(command, arguments.turns)
        return

    # Before TensorFlow's first operation, which starts a thread for each core.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])

    speech = load_corpus(arguments.data)
    clips = spread(len(speech.paths), arguments.clips)
    y = speech.target[clips]
    pipeline = get_recipe(arguments.recipe)(random_state=0, **arguments.params)
    features = pipeline[:-1].fit_transform(speech.paths[clips])
    if arguments.once:
        train_once(pipeline[-1].set_params(epochs=arguments.epochs), features, y)
        return
    own_lengths = features.values[:, 0]
    one_length = np.nan_to_num(own_lengths[:, :100])
    # A frame of zeros would be padding, which gets no weight.
    one_length[..., 0] += 1e-6

    default = CNNEmotionClassifier(epochs=arguments.epochs, random_state=0)
    plain = CNNEmotionClassifier(epochs=arguments.epochs, random_state=0, **NOTHING_DRAWN)
    competitors = {
        "Keras, one length": lambda: fit_keras(plain, one_length, y),
        "skser, one length, nothing drawn": lambda: fit_skser(plain, one_length, y),
        "skser, one length, defaults": lambda: fit_skser(default, one_length, y),
        "Keras, own lengths": lambda: fit_keras(plain, own_lengths, y),
        "skser, own lengths, 8 views, defaults": lambda: fit_skser(default, features, y),
    }
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    losses: dict[str, float] = {}
    for _ in range(arguments.turns):
        for name, run in competitors.items():
            spent, losses[name] = run()
            seconds[name] += spent
    theirs, ours = (losses[name] for name in list(competitors)[:2])
    if abs(theirs - ours) > 0.25 * theirs:
        raise SystemExit(f"losses {theirs:.3f} (Keras) and {ours:.3f} (skser) differ")
    rows = []
    for name, values in seconds.items():
        bare = seconds["Keras, " + name.split(", ")[1]]
        ratio = np.median(values) / np.median(bare)
        rows.append((name, describe(values, 25, 75), f"{ratio:.2f}"))
    print_table((f"{len(y)} clips", "s an epoch, median (quartiles)", "× Keras"), rows)


if __name__ == "__main__":
    main()
