"""A Dask cluster of processes of this machine, any of which may be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from types import TracebackType

import distributed

_DASK = [sys.executable, "-m", "dask"]
_IDLE = ["--idle-timeout", "600"]  # seconds, if the benchmark is killed


class LocalCluster:
    """A scheduler, and workers of one thread, as ``dask scheduler`` and ``dask worker``."""

    def __init__(self, n_workers: int) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = str(listener.getsockname()[1])
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.n_workers = n_workers
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> LocalCluster:
        self.start()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close(timeout=5)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait()

    def start(self) -> None:
        """Start the processes, and connect a client."""
        commands = [
            ["scheduler", "--host", "127.0.0.1", "--port", self._port, "--no-dashboard", *_IDLE],
            *[["worker", self.address, "--nthreads", "1", "--no-dashboard"]] * self.n_workers,
        ]
        self._processes = [
            subprocess.Popen(
                [*_DASK, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for command in commands
        ]
        self.client = distributed.Client(self.address, timeout=120, set_as_default=False)
        self.client.wait_for_workers(self.n_workers, timeout=120)

    def kill_worker(self) -> list[str]:
        """Kill the worker with most tasks, and return these; its nanny starts another."""
        processing = self.client.processing()
        pids = self.client.run(os.getpid)
        address = max(processing, key=lambda worker: len(processing[worker]))
        os.kill(pids[address], signal.SIGKILL)
        return [str(key) for key in processing[address]]

    def kill_scheduler(self) -> list[str]:
        """Kill the scheduler, after which workers end, and return all tasks."""
        processing = self.client.processing()
        self._processes[0].kill()
        return [str(key) for keys in processing.values() for key in keys]

    def restart(self) -> None:
        """Start all anew, at the same address."""
        self.__exit__(None, None, None)
        self.start()
