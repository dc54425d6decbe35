"""A Dask cluster on this machine."""

import contextlib
import logging
import subprocess
import sys

import pytest


@contextlib.contextmanager
def local_cluster(n_workers=2):
    """A cluster of processes of one thread, and its client."""
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        # On a busy machine, to start a worker in place of a killed one takes longer than 15 s.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "120s"}),
        distributed.LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield cluster, client


@contextlib.contextmanager
def scheduler_that_can_be_killed(port):
    """The process of a scheduler at a port, with two workers and a current client."""
    distributed = pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    with contextlib.ExitStack() as stack:
        scheduler, *_ = [
            stack.enter_context(_running(command))
            for command in (
                [*dask, "scheduler", "--host", "127.0.0.1", "--port", f"{port}", "--no-dashboard"],
                worker,
                worker,
            )
        ]
        client = stack.enter_context(distributed.Client(address, timeout=60))
        client.wait_for_workers(2, timeout=60)
        yield scheduler


@contextlib.contextmanager
def _running(command):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        try:
            yield process
        finally:
            process.kill()
