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
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _one_thread  # noqa: F401
import numpy as np
from _compare import MIB, memory, print_table, run_again
from _corpus_steps import STEPS, Corpus
from _many_clips import make_corpus

from skser._utils._files import written_whole

N_WARM_UP = 100
RESULTS = Path(__file__).parent / "results" / "scale.json"


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
