"""What an error of a Dask cluster means."""

import errno

import pytest

pytest.importorskip("distributed")

from skser._utils._dask import cluster_error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("Timed out trying to connect"), "the connection to the scheduler is lost"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "the connection to the scheduler is"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "a worker cannot run a task (OSError: [Errno 28] No space left on device)",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file"), "a worker cannot run a task (FileNot"),
    ],
)
def test_errors_of_a_worker_are_not_taken_for_a_lost_scheduler(error, reason):
    assert str(cluster_error(error, "tcp://a:1")).startswith(f"tcp://a:1: {reason}")
