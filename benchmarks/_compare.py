"""What the benchmarks share: clips of a corpus, timing clip by clip, tables of medians and ratios.

Competitors take turns at a few clips at a time, so that a disturbance hits all alike, and are
compared by their medians over these turns.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skser.datasets import load_corpus


def pick_clips(folder: Path, n_clips: int) -> list[str]:
    """Paths of so many recordings, spread over the corpus."""
    paths = load_corpus(folder).paths
    return list(paths[np.linspace(0, len(paths) - 1, min(n_clips, len(paths))).astype(int)])


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
    return {name: s / n_at_once for name, s in time_each(competitors, batches).items()}


def print_ratios(title: str, seconds: dict[str, np.ndarray], ours: str = "skser") -> None:
    """Median milliseconds of each competitor, and how many times as long as ours that is."""
    print(f"\n{title}")
    for name, values in seconds.items():
        low, median, high = 1e3 * np.percentile(values, [25, 50, 75])
        ratio = np.median(values) / np.median(seconds[ours])
        print(f"  {name:24} {median:8.2f} ms a clip ({low:.2f} to {high:.2f})  {ratio:6.2f} x")


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


def peak_memory() -> int:
    """Peak resident memory of this process in bytes."""
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
