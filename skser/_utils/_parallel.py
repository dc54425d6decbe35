"""Parallel calls by joblib, which end with a ClusterError if a Dask cluster is lost."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Any, Literal

import joblib
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel


def is_serial(n_jobs: int | None) -> bool:
    """Whether calls would run in this process, one by one."""
    # On a cluster of one worker they run there, and later workers help.
    return not _is_dask() and joblib.effective_n_jobs(n_jobs) == 1


def run_parallel(
    tasks: Iterable[Any],
    n_jobs: int | None,
    *,
    return_as: Literal["generator", "generator_unordered"] = "generator_unordered",
    **params: Any,
) -> Generator[Any]:
    """Yield the results of tasks, made by `sklearn.utils.parallel.delayed`.

    Without order, each is yielded when it is there, so that what is saved misses none that is done.
    """
    if _is_dask():
        from ._dask import ReportingBackend

        params["backend"] = ReportingBackend.like(get_active_backend()[0])
    results = Parallel(n_jobs=n_jobs, return_as=return_as, **params)(tasks)
    with closing(results):
        yield from results


def _is_dask() -> bool:
    return type(get_active_backend()[0]).__name__ == "DaskDistributedBackend"
