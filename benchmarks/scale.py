"""From a table of recordings to a table of predictions, with 1,000, 10,000 and 100,000 clips.

    python benchmarks/scale.py /data/scale --jobs 2 --picture benchmarks/results/scale.png

Makes the corpora in the folder (0.5 to 1 s, 16 bits at 16 kHz, 500 speakers, 4 emotions; smaller
ones are the first clips of larger ones; 24 KB for a clip, 36 KB in the cache of each corpus). Runs,
each in a process of its own, after the same step on 100 clips to warm up:

load_manifest   the table of paths, emotions and speakers
check_audio     all recordings decoded
extract, cold   the features of the recipe `functionals`, four views of a clip, into a new cache
extract, warm   the same from the cache
evaluate        `functionals` in 5 folds of whole speakers, from the cache, one fold at a time
report          tables, pictures and page of the evaluation, as `skser evaluate --out`
fit             `functionals` on all clips, from the cache
training audio  what flags recordings out of distribution, as `skser train`
save            the model file
predict_table   all recordings, in the process
predict --out   all recordings, by `skser predict`

s               elapsed time
ms per clip     elapsed time, and that of the processors; their ratio to the smallest corpus
peak            peak memory above that after warming up, of the process and of its workers
allowed         200 MiB and 3 x the features of the training set, where a step holds them
files, MiB      on the disk afterwards

Results are kept in ``--results``, step by step: the same command continues what was interrupted.
``--again STEP`` measures a step anew. After a change of skser's code, begin with the cold
extraction: the names of cache entries depend on the code.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _one_thread  # noqa: F401
import numpy as np
from _compare import MIB, memory, print_table, run_again
from _many_clips import make_corpus
from sklearn.model_selection import GroupKFold

import skser
from skser._utils._files import written_whole
from skser.datasets import check_audio, load_manifest
from skser.inference import TrainingAudio
from skser.persistence import ModelInfo
from skser.recipes import functionals
from skser.report._findings import Findings

N_WARM_UP = 100
RESULTS = Path(__file__).parent / "results" / "scale.json"


class Corpus:
    """A corpus, and the files that the steps leave for later ones."""

    def __init__(self, folder: Path, n_clips: int, n_jobs: int) -> None:
        self.table = folder / f"{n_clips}.csv"
        self.n_clips, self.n_jobs = n_clips, n_jobs
        self.folder = folder / f"{n_clips}"
        self.folder.mkdir(exist_ok=True)
        self.cache = self.folder / "cache"
        self.model = self.folder / "model.skser"

    def load(self) -> Any:
        return load_manifest(self.table)

    def pipeline(self) -> Any:
        return functionals(memory=str(self.cache), n_jobs=self.n_jobs, random_state=0)

    def keep(self, name: str, value: Any) -> None:
        with (self.folder / name).open("wb") as file:
            pickle.dump(value, file, protocol=5)

    def kept(self, name: str) -> Any:
        with (self.folder / name).open("rb") as file:
            return pickle.load(file)


# Each step prepares what is not measured, then yields. What it yields the second time are the
# bytes of features that it held, and the files that it wrote.
Step = Iterator[tuple[int, list[Path]]]


def step_load(corpus: Corpus) -> Step:
    yield 0, []
    assert len(corpus.load().paths) == corpus.n_clips
    yield 0, [corpus.table]


def step_check(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    table = check_audio(speech.paths)
    assert len(table) == corpus.n_clips
    assert table["problem"].isna().all()
    yield 0, speech.paths.tolist()


def step_extract_cold(corpus: Corpus) -> Step:
    shutil.rmtree(corpus.cache, ignore_errors=True)
    yield from step_extract_warm(corpus, n_misses=corpus.n_clips)


def step_extract_warm(corpus: Corpus, n_misses: int = 0) -> Step:
    speech, extraction = corpus.load(), corpus.pipeline()[:3]
    yield 0, []
    features = extraction.fit_transform(speech.paths)
    assert extraction[-1].cache_info().misses == n_misses
    yield features.values.nbytes, [corpus.cache]


def step_evaluate(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    evaluation = skser.evaluate(corpus.pipeline(), speech, cv=GroupKFold(5))
    corpus.keep("evaluation.pickle", evaluation)
    yield corpus.kept("n_bytes"), [corpus.folder / "evaluation.pickle"]


def step_report(corpus: Corpus) -> Step:
    evaluation = corpus.kept("evaluation.pickle")
    yield 0, []
    yield 0, Findings(evaluation).write(corpus.folder / "report", title=corpus.table.name)


def step_fit(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    corpus.keep("fitted.pickle", corpus.pipeline().fit(speech.paths, speech.target))
    yield corpus.kept("n_bytes"), [corpus.folder / "fitted.pickle"]


def step_training_audio(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    corpus.keep("audio.pickle", TrainingAudio.of(corpus.pipeline(), speech.paths).to_dict())
    yield 0, [corpus.folder / "audio.pickle"]


def step_save(corpus: Corpus) -> Step:
    speech, fitted, audio = corpus.load(), corpus.kept("fitted.pickle"), corpus.kept("audio.pickle")
    yield 0, []
    skser.save(fitted, corpus.model, info=ModelInfo.of(speech, audio=audio))
    yield 0, [corpus.model]


def step_predict_table(corpus: Corpus) -> Step:
    speech, pipeline = corpus.load(), skser.load(corpus.model)
    yield 0, []
    table = skser.predict_table(pipeline, speech.paths)
    path = corpus.folder / "predict_table.csv"
    table.to_csv(path)
    assert len(table) == corpus.n_clips
    assert table["error"].isna().all()
    yield 0, [path]


def step_predict_out(corpus: Corpus) -> Step:
    out = corpus.folder / "predict.csv"
    names = "\n".join(corpus.load().paths) + "\n"
    command = [sys.executable, "-m", "skser", "predict", str(corpus.model), "-"]
    command += ["--out", str(out), "--jobs", str(corpus.n_jobs)]
    yield 0, []
    subprocess.run(command, input=names, text=True, check=True, capture_output=True)
    assert len(out.read_text().splitlines()) == corpus.n_clips + 1
    yield 0, [out]


STEPS: dict[str, Callable[[Corpus], Step]] = {
    "load_manifest": step_load,
    "check_audio": step_check,
    "extract, cold": step_extract_cold,
    "extract, warm": step_extract_warm,
    "evaluate": step_evaluate,
    "report": step_report,
    "fit": step_fit,
    "training audio": step_training_audio,
    "save": step_save,
    "predict_table": step_predict_table,
    "predict --out": step_predict_out,
}


class WorkerMemory(threading.Thread):
    """Watches the peak of the resident memory of all processes that this one has started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._is_over = 0, threading.Event()

    def run(self) -> None:
        import psutil

        process = psutil.Process()
        while not self._is_over.wait(0.1):
            size = 0
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    size += child.memory_info().rss
            self.peak = max(self.peak, size)

    def end(self) -> int:
        self._is_over.set()
        self.join()
        return self.peak


def measure(name: str, corpus: Corpus) -> dict[str, Any]:
    """A step in this process, with its peaks of memory."""
    step = STEPS[name](corpus)
    next(step)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start_of_cpu, start = memory()[0], sum(os.times()[:4]), time.perf_counter()
    watch = WorkerMemory()
    watch.start()
    size, files = next(step)
    seconds, cpu = time.perf_counter() - start, sum(os.times()[:4]) - start_of_cpu
    if name.startswith("extract"):
        corpus.keep("n_bytes", size)
    sizes = [path.stat().st_size for file in files for path in _files_in(Path(file))]
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "features": size,
        "peak": memory()[1] - before,
        "workers": watch.end(),
        "n_files": len(sizes),
        "n_bytes": sum(sizes),
    }


def _files_in(path: Path) -> Iterator[Path]:
    return (p for p in path.rglob("*") if p.is_file()) if path.is_dir() else iter([path])


def run_step(name: str, folder: Path, n_clips: int, n_jobs: int) -> dict[str, Any]:
    """Measure a step after one on a small corpus, whose memory of workers is no part of it."""
    warm_up = measure(name, Corpus(folder, N_WARM_UP, n_jobs))
    result = measure(name, Corpus(folder, n_clips, n_jobs))
    result["workers"] = max(0, result["workers"] - warm_up["workers"])
    return result


def load_results(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def rows_of(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for each step and size."""
    rows = []
    for name in STEPS:
        of_step = results.get(name, {})
        smallest = of_step[min(of_step, key=int)] if of_step else {}
        for size in sorted(of_step, key=int):
            run, n_clips = of_step[size], int(size)
            ms, cpu = 1e3 * run["seconds"] / n_clips, 1e3 * run["cpu_seconds"] / n_clips
            first = 1e3 * smallest["seconds"] / int(min(of_step, key=int))
            rows.append(
                (
                    name,
                    f"{n_clips:,}",
                    f"{run['seconds']:.1f}" if run["seconds"] >= 1 else f"{run['seconds']:.2f}",
                    f"{ms:.3g} ({cpu:.3g})",
                    f"{ms / first:.2f}",
                    f"{(run['peak'] + run['workers']) / MIB:.0f} MiB",
                    f"{200 + 3 * run['features'] / MIB:.0f} MiB",
                    f"{run['n_files']:,}",
                    f"{run['n_bytes'] / MIB:.1f}",
                )
            )
    return rows


def draw(results: dict[str, Any], path: Path) -> None:
    """Time and memory by the number of clips, on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, name in enumerate(name for name in STEPS if len(results.get(name, {})) > 1):
        runs = {int(size): run for size, run in results[name].items()}
        sizes = sorted(runs)
        style = {"marker": "os^vD"[number % 5], "markersize": 4, "linewidth": 1.2}
        style["color"], style["linestyle"] = f"C{number % 10}", "-" if number < 10 else "--"
        left.plot(sizes, [runs[n]["seconds"] for n in sizes], label=name, **style)
        peaks = [max(1.0, (runs[n]["peak"] + runs[n]["workers"]) / MIB) for n in sizes]
        right.plot(sizes, peaks, **style)
    held = {int(size): run["features"] / MIB for size, run in results["extract, warm"].items()}
    sizes = sorted(held)
    allowed = [200 + 3 * held[n] for n in sizes]
    right.plot(sizes, allowed, "k--", linewidth=1, label="200 MiB + 3 × features")
    right.plot(sizes, [held[n] for n in sizes], "k:", linewidth=1, label="features")
    ends = np.array([sizes[0], sizes[-1]])
    left.plot(ends, ends * 1e-3, "k:", linewidth=1, label="1 ms per clip")
    left.set(xscale="log", yscale="log", xlabel="clips", ylabel="seconds")
    right.set(xscale="log", yscale="log", xlabel="clips", ylabel="peak memory, MiB")
    for ax in (left, right):
        ax.grid(visible=True, alpha=0.3)
    right.legend(frameon=False, fontsize=8)
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of corpora and caches, on the disk to measure")
    parser.add_argument("--clips", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--jobs", type=int, default=1, help="processes that extract and predict")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--again", nargs="+", choices=STEPS, default=[], help="anew")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder, n_jobs = arguments.folder, arguments.jobs
    warnings.simplefilter("ignore")  # of speakers with few clips
    if arguments.task:
        print(json.dumps(run_step(folder=folder, n_jobs=n_jobs, **arguments.task)))
        return
    if not importlib.util.find_spec("psutil"):
        sys.exit("psutil is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    for n_clips in (N_WARM_UP, *arguments.clips):
        make_corpus(folder, n_clips)
    results = load_results(arguments.results)
    for n_clips in arguments.clips:
        for name in arguments.steps:
            if str(n_clips) in results.get(name, {}) and name not in arguments.again:
                continue
            run = run_again(name=name, n_clips=n_clips)
            print(f"{n_clips:,} {name}: {run['seconds']:.1f} s", file=sys.stderr, flush=True)
            results = load_results(arguments.results)
            results.setdefault(name, {})[str(n_clips)] = run | {"jobs": n_jobs}
            with written_whole(arguments.results) as temporary:
                temporary.write_text(json.dumps(results, indent=1) + "\n")
    header = ("step", "clips", "s", "ms per clip (CPU)", "× smallest")
    header += ("peak", "allowed", "files", "MiB")
    print_table(header, rows_of(results))
    if arguments.picture:
        draw(results, arguments.picture)


if __name__ == "__main__":
    main()
