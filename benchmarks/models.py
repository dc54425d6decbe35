"""Prediction from a model file: latency, cold start, and many files.

    python benchmarks/models.py RAVDESS --latency --cold --many

--latency  one recording of 3 s from its path to probabilities, in a process that is warm: a
           pipeline with the recipe dense_195 (195 features, a dense network), loaded with
           TensorFlow and with ONNX, and in the light form that `skser predict` uses, against the
           code of published systems: `librosa.load`, features with librosa, scikit-learn's
           scaler, Keras' `predict`. Probabilities are compared first. One core.
--cold     `skser predict` on one file in a new process, with ONNX and with TensorFlow, in turns:
           elapsed time and peak resident memory. Probabilities are compared.
--many     `skser predict` on all recordings of the corpus in a new process.

Networks are fitted on a few recordings for two epochs, which changes no time.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _one_thread  # noqa: F401
import joblib
import numpy as np
from _compare import check_equal, describe, pick_clips, print_table, time_each

import skser
from skser.datasets import load_corpus
from skser.persistence import export
from skser.persistence._light import load_light
from skser.recipes import get_recipe

N_TO_FIT = 64
_MEASURE = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, check=True)
seconds = time.perf_counter() - start
size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(seconds, size, file=sys.stderr)
"""


def make_model(recipe: str, folder: Path, home: Path) -> Path:
    """Fit a recipe on some recordings for two epochs, and save it."""
    speech = load_corpus(folder)
    subset = np.random.default_rng(0).permutation(len(speech.paths))[:N_TO_FIT]
    pipeline = get_recipe(recipe)(random_state=0)
    names = pipeline.get_params()
    pipeline.set_params(**{name: 2 for name in names if name.endswith("epochs")})
    pipeline.fit(speech.paths[subset], speech.target[subset])
    path = home / f"{recipe}.skser"
    skser.save(pipeline, path)
    return path


def published_system(model: Path, home: Path) -> Callable[[str], np.ndarray]:
    """librosa and Keras' predict, with exported files."""
    import keras
    from features import librosa_195

    export(skser.load(model), home / "exported")
    network = keras.models.load_model(home / "exported" / "model.keras")
    scaler = joblib.load(home / "exported" / "scaler.joblib")

    def predict(path: str) -> np.ndarray:
        features = librosa_195(path, "cqt")
        return network.predict(scaler.transform(features[np.newaxis]), verbose=0)[0]

    return predict


def measure_latency(folder: Path, home: Path, n_clips: int) -> None:
    model = make_model("dense_195", folder, home)
    paths = pick_clips(folder, n_clips)
    with_tensorflow, with_onnx = (skser.load(model, runtime=r) for r in ("tensorflow", "onnx"))
    light = load_light(model)
    assert light is not None
    competitors: dict[str, Callable[[str], Any]] = {
        "librosa and Keras' predict": published_system(model, home),
        "skser, TensorFlow": lambda path: with_tensorflow.predict_proba([path])[0],
        "skser, ONNX": lambda path: with_onnx.predict_proba([path])[0],
        "skser, light": light.predict_proba,
    }
    probabilities = {
        name: np.array([predict(path) for path in paths[:10]])
        for name, predict in competitors.items()
    }
    reference = probabilities["skser, TensorFlow"]
    for name, values in probabilities.items():
        # librosa's features differ in the last digits.
        atol = 5e-3 if "Keras" in name else 1e-5
        check_equal(f"probabilities, {name}", values, reference, rtol=0, atol=atol)
    seconds = time_each(competitors, paths)
    slowest = np.median(seconds["librosa and Keras' predict"])
    print(f"\none recording of 3 s, {len(paths)} of them one after the other, one core\n")
    print_table(
        ["", "ms, median (5 % to 95 %)", "ratio"],
        [
            (name, describe(1000 * np.asarray(s), 5, 95), f"{slowest / np.median(s):.1f}")
            for name, s in seconds.items()
        ],
    )


def run_command(*arguments: str) -> tuple[float, float, str]:
    """Seconds, peak MiB, and output of `skser` in a new process."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    command = [sys.executable, "-m", "skser.cli", *arguments]
    # Through a small process, because a new process counts the size of its parent.
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command],
        capture_output=True,
        env=environment,
        text=True,
        check=True,
    )
    seconds, size = done.stderr.splitlines()[-1].split()
    return float(seconds), float(size), done.stdout


def probabilities_in(output: str) -> np.ndarray:
    _, *rows = csv.reader(io.StringIO(output))
    return np.array([row[2:-1] for row in rows], float)  # the last is ood_reasons


def measure_cold(folder: Path, home: Path, n_turns: int) -> None:
    path = pick_clips(folder, 1)[0]
    rows = []
    for recipe in ("default", "residual_network", "functionals"):
        model = str(make_model(recipe, folder, home))
        runtimes = ("onnx", "tensorflow")
        measured: dict[str, list[tuple[float, float]]] = {runtime: [] for runtime in runtimes}
        for turn in range(n_turns + 1):
            outputs = {}
            for runtime in runtimes:
                *costs, outputs[runtime] = run_command(
                    "predict", model, path, "--csv", "-", "--runtime", runtime
                )
                if turn:  # the first reads files that are not in memory yet
                    measured[runtime].append(tuple(costs))
            # Four digits are printed.
            check_equal(
                recipe,
                probabilities_in(outputs["onnx"]),
                probabilities_in(outputs["tensorflow"]),
                rtol=0,
                atol=1.01e-4,
            )
        light, heavy = (np.array(measured[runtime]) for runtime in runtimes)
        times, sizes = np.median(heavy, axis=0) / np.median(light, axis=0)
        rows.append(
            (
                recipe,
                *(describe(values[:, 0]) for values in (light, heavy)),
                f"{times:.1f}",
                *(f"{np.median(values[:, 1]):.0f}" for values in (light, heavy)),
                f"{sizes:.1f}",
            )
        )
    print(f"\n`skser predict` on one file, {n_turns} new processes each, after one\n")
    print_table(
        ["recipe", "s, light", "s, TensorFlow", "ratio", "MiB, light", "MiB, TensorFlow", "ratio"],
        rows,
    )


def measure_many(folder: Path, home: Path) -> None:
    rows = []
    n_files = len(load_corpus(folder).paths)
    for recipe in ("default", "residual_network", "functionals"):
        model = str(make_model(recipe, folder, home))
        for runtime in ("auto", "tensorflow"):
            seconds, size, output = run_command(
                "predict", model, str(folder), "--csv", "-", "--runtime", runtime
            )
            assert len(probabilities_in(output)) == n_files
            rows.append(
                (
                    recipe,
                    runtime,
                    f"{seconds:.1f}",
                    f"{n_files / seconds:.0f}",
                    f"{size:.0f}",
                )
            )
    print(f"\n`skser predict` on {n_files} files in a new process\n")
    print_table(["recipe", "runtime", "s", "files a second", "MiB at most"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--many", action="store_true")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        if arguments.latency:
            measure_latency(arguments.folder, Path(home), arguments.clips)
        if arguments.cold:
            measure_cold(arguments.folder, Path(home), arguments.turns)
        if arguments.many:
            measure_many(arguments.folder, Path(home))


if __name__ == "__main__":
    main()
