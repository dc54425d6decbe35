"""A Dask cluster on this machine."""

import contextlib
import logging

import pytest


@contextlib.contextmanager
def two_workers():
    """A cluster of two processes, and its client."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield cluster, client
