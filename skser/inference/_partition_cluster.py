"""Results of partitions from the workers of a Dask cluster; needs the extra ``dask``."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import distributed

from .._utils._dask import cluster_error
from .._version import __version__
from ..exceptions import ClusterError, ParameterError, SkserError
from ._partition_runs import Results
from ._partitions import Partitions
from ._prediction_process import Ended, PredictionProcesses

_TASKS_PER_THREAD = 2  # so that no worker waits for its next partition
_TIMEOUT_S = 10


def run_on_cluster(
    partitions: Partitions,
    numbers: Sequence[int],
    model: Path,
    address: str,
    *,
    runtime: str,
    trusted: Sequence[str],
    log: Callable[[str], None],
) -> Results:
    """Predict partitions on the workers of a Dask cluster, which get the model once.

    Dask repeats the partition of a worker that dies on another one. Partitions are predicted in
    processes of the workers, so a file that crashes a decoder does not end its worker.
    """
    folder = os.getcwd()
    waiting = list(reversed(numbers))
    running: dict[Any, int] = {}
    name = f"skser-{uuid.uuid4().hex}"
    with _connected(address) as client, _naming_losses(address):
        if not client.nthreads():
            log(f"{address}: has no workers yet, waiting for them")
        client.register_plugin(_Model(name, model, runtime, trusted), name=name)
        completed = distributed.as_completed(loop=client.loop)

        def submit() -> None:
            n_threads = max(1, sum(client.nthreads().values()))
            while waiting and len(running) < n_threads * _TASKS_PER_THREAD:
                number = waiting.pop()
                files = [os.path.join(folder, file) for file in partitions[number]]
                future = client.submit(_predict, name, __version__, files, pure=False)
                running[future] = number
                completed.add(future)

        try:
            submit()
            for future in completed:
                number = running.pop(future)
                try:
                    result = future.result()
                except Ended:  # its worker was stopped
                    waiting.append(number)
                else:
                    yield number, result
                submit()
        finally:
            with suppress(Exception):  # the scheduler may be gone
                client.cancel(list(running))
                client.unregister_worker_plugin(name)


class _Model(distributed.WorkerPlugin):  # type: ignore[misc]  # Any without dask
    """Gives a model file, and processes that predict with it, to each worker, now and later."""

    def __init__(self, name: str, model: Path, runtime: str, trusted: Sequence[str]) -> None:
        self.name = name
        self._suffix = model.suffix
        self._content = model.read_bytes()
        self._runtime = runtime
        self._trusted = trusted

    def setup(self, worker: distributed.Worker) -> None:
        """Write the file."""
        self._folder = tempfile.TemporaryDirectory(prefix="skser-", dir=worker.local_directory)
        model = Path(self._folder.name, f"model{self._suffix}")
        model.write_bytes(self._content)
        self._content = b""
        self.processes = PredictionProcesses(model, runtime=self._runtime, trusted=self._trusted)

    def teardown(self, worker: distributed.Worker) -> None:
        """Remove it, and end the processes."""
        self.processes.end()
        self._folder.cleanup()


def _predict(name: str, version: str, files: Sequence[str]) -> bytes:
    """Predict a partition on a worker."""
    worker = distributed.get_worker()
    if version != __version__:
        raise ClusterError(f"{worker.address}: has skser {__version__}, must have {version}")
    if name not in worker.plugins:
        raise ClusterError(f"{worker.address}: has not got the model")
    model: Any = worker.plugins[name]
    return model.processes.predict(files)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client, of which nothing else in the process hears."""
    for name in ("distributed", "distributed.client", "distributed.core", "distributed.comm"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the error says it in one line
    try:
        # A client that cannot parse its address waits for twenty seconds when it is collected.
        distributed.comm.get_address_host_port(address)
        client = distributed.Client(address, timeout=_TIMEOUT_S, set_as_default=False)
    except Exception as error:  # of almost any class, by what is wrong with the address
        raise ParameterError(
            "--scheduler must be the address of a running Dask scheduler, as tcp://host:8786, got "
            f"{address} ({' '.join(str(error).split()):.200})"
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=_TIMEOUT_S)


@contextmanager
def _naming_losses(address: str) -> Iterator[None]:
    """Raise ClusterError for a lost scheduler, and for workers that die or cannot predict."""
    try:
        yield
    except SkserError:
        raise
    except Exception as error:
        raise cluster_error(error, address) from error
