"""joblib's backend of Dask clusters, with errors of one line for what joblib waits for."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import distributed

# The one place that touches what joblib keeps to itself.
from joblib._dask import DaskDistributedBackend

from ..exceptions import ClusterError


def cluster_error(error: BaseException, address: str) -> ClusterError:
    """What an error of a cluster, and not of a task, means."""
    if isinstance(error, distributed.KilledWorker):
        n_died = error.allowed_failures + 1
        reason = f"{n_died} workers died with the same task, for lack of memory perhaps"
    elif isinstance(error, (distributed.CancelledError, CancelledError)) or _is_of_network(error):
        reason = "the connection to the scheduler is lost"
    else:
        what = f"{type(error).__name__}: {' '.join(str(error).split())}"
        reason = f"a worker cannot run a task ({what:.300})"
    return ClusterError(f"{address}: {reason}")


def _is_of_network(error: BaseException) -> bool:
    """Whether an error is of a connection; errors of a worker's files have a number."""
    return isinstance(error, ConnectionError) or (
        isinstance(error, OSError) and error.errno in (None, errno.ETIMEDOUT)
    )


class ReportingBackend(DaskDistributedBackend):  # type: ignore[misc]  # Any without dask
    """Calls back for tasks that fail on their way; with joblib 1.6, their caller waits forever.

    Such are tasks whose workers died repeatedly, or cannot unpickle them.
    """

    _address: str

    @classmethod
    def like(cls, backend: DaskDistributedBackend) -> ReportingBackend:
        """A backend with the client and settings of another."""
        made = cls(
            client=backend.client,
            wait_for_workers_timeout=backend.wait_for_workers_timeout,
            **backend.submit_kwargs,
        )
        made.data_futures = backend.data_futures
        made._address = backend.client.scheduler.address
        return made

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Number of threads of the workers, at least 2: for 1, joblib would not use the cluster."""
        try:
            return max(2, int(super().effective_n_jobs(n_jobs)))
        except TimeoutError as error:
            raise ClusterError(f"{self._address}: has no workers, or does not respond") from error
        except Exception as error:  # of several classes, by what the client is doing
            raise self._error(error) from error

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Any:
        """Submit a batch of tasks, which ``callback`` gets the results or the error of."""
        future = super().submit(func, callback=callback)

        def report(done: Any) -> None:
            error = done.exception()
            if error is not None and callback is not None:
                callback(self._error(error))

        future.add_done_callback(report)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """Results of a batch; raises the error of a task, or that of its cancellation."""
        if isinstance(out, (distributed.CancelledError, CancelledError)):
            raise self._error(out) from out
        return super().retrieve_result_callback(out)

    def _error(self, error: BaseException) -> ClusterError:
        return cluster_error(error, self._address)
