"""Results of partitions from processes of this machine, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from ._partitions import Partitions
from ._prediction_process import PredictionProcesses

Results = Generator[
    tuple[int, bytes], None, None
]  # numbers of partitions, and what `Partitions.write` takes


def run_here(
    partitions: Partitions,
    numbers: Sequence[int],
    model: Path,
    n_jobs: int,
    *,
    runtime: str,
    trusted: Sequence[str],
) -> Results:
    """Predict partitions in ``n_jobs`` processes."""
    processes = PredictionProcesses(model, runtime=runtime, trusted=trusted)
    remaining = iter(numbers)
    running: dict[Future[bytes], int] = {}
    with ThreadPoolExecutor(n_jobs) as threads:
        try:
            while True:
                while len(running) < n_jobs and (number := next(remaining, None)) is not None:
                    running[threads.submit(processes.predict, partitions[number])] = number
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            processes.end()
