"""What the benchmarks share: clips of a corpus, timing, memory, fresh processes and tables.

Competitors take turns at a few clips at a time, so that a disturbance hits all alike, and are
compared by their medians over these turns.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skser import Augmenter
from skser.datasets import load_corpus
from skser.features import MFCC
from skser.recipes import residual_network

MIB = 2**20


def spread(n_items: int, n_wanted: int | None) -> np.ndarray:
    """Indices of so many items, or of all, at equal distances."""
    return np.linspace(0, n_items - 1, min(n_wanted or n_items, n_items)).astype(int)


def pick_clips(folder: Path, n_clips: int) -> list[str]:
    """Paths of so many recordings, spread over the corpus."""
    paths = load_corpus(folder).paths
    return list(paths[spread(len(paths), n_clips)])


def make_extraction(**params: Any) -> Pipeline:
    """Silence trimmed at 30 dB, up to 3 s, sequences of 40 MFCC and derivatives, 50 a second."""
    pipeline = residual_network(
        load__duration=3.0,
        augment=Augmenter(n_views=1, random_state=0),
        features__blocks=[("mfcc", MFCC(n_mfcc=40, deltas=1, n_mels=64, fmin=50.0))],
    )
    return pipeline[:3].set_params(**params)


def time_each(competitors: dict[str, Callable[[Any], Any]], items: Sequence[Any]) -> dict:
    """Seconds of every competitor for every item, after one item to warm up."""
    for run in competitors.values():
        run(items[0])
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    for item in items:
        for name, run in competitors.items():
            start = time.perf_counter()
            run(item)
            seconds[name].append(time.perf_counter() - start)
    return {name: np.asarray(values) for name, values in seconds.items()}


def time_in_batches(
    competitors: dict[str, Callable[[list], Any]], clips: list, n_at_once: int = 20
) -> dict:
    """Seconds per clip of every competitor, which take turns at a few clips at a time."""
    batches = [clips[start : start + n_at_once] for start in range(0, len(clips), n_at_once)]
    lengths = np.array([len(batch) for batch in batches])
    return {name: s / lengths for name, s in time_each(competitors, batches).items()}


def print_ratios(title: str, seconds: dict[str, np.ndarray], ours: str = "skser") -> None:
    """Median milliseconds of each competitor, and how many times as long as ours that is."""
    reference = np.median(seconds[ours])
    rows = [
        (name, describe(1e3 * values, 25, 75), f"{np.median(values) / reference:.2f}")
        for name, values in seconds.items()
    ]
    print_table((title, "ms per clip, median (quartiles)", "ratio"), rows)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown."""
    print()
    for cells in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(cells) + " |", flush=True)


def describe(values: Sequence[float] | np.ndarray, low: float = 0, high: float = 100) -> str:
    """The median to three digits, and in brackets the range or two percentiles."""
    median, start, end = (
        f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
        for value in np.percentile(values, [50, low, high])
    )
    return median if len(values) == 1 else f"{median} ({start} to {end})"


def check_equal(
    name: str, ours: np.ndarray, theirs: np.ndarray, rtol: float, atol: float | np.ndarray = 0.0
) -> None:
    """End the benchmark unless the two agree: there is no point in being fast and wrong."""
    if ours.shape != theirs.shape:
        sys.exit(f"{name}: shapes {ours.shape} and {theirs.shape} differ")
    excess = np.abs(ours - theirs) - (atol + rtol * np.abs(theirs))
    if not (excess <= 0).all():
        where = np.unravel_index(excess.argmax(), excess.shape)
        sys.exit(f"{name}: {ours[where]:g} and {theirs[where]:g} differ at {where}")


def memory(pid: int | str = "self") -> tuple[int, int]:
    """Resident memory of a process in bytes: now and at its peak."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # macOS, which knows the peak only
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,) * 2
    # Where there is a choice: getrusage's peak begins with that of the process that started this.
    kib = dict(re.findall(r"(VmRSS|VmHWM):\s*(\d+) kB", status.read_text()))
    return 1024 * int(kib["VmRSS"]), 1024 * int(kib["VmHWM"])


def run_again(**task: Any) -> dict:
    """Run this script with ``--task`` in a new process; its last line is JSON."""
    command = [sys.executable, *sys.argv, "--task", json.dumps(task)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
