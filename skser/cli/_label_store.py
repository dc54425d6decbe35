"""``skser predict --out``: the table of a large store of recordings, which can be continued."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import typer

from .._utils._files import check_apart, check_writable
from .._utils._param_validation import check_value, one_of
from .._utils._progress import progress
from ..exceptions import DataError, MissingDependencyError, ParameterError
from ..inference._abstention import Abstention
from ..inference._partition_runs import Results, run_here
from ..inference._partitions import Partitions
from ..persistence import _container
from ..persistence._any_model import is_joblib
from ..persistence._save_load import RUNTIMES, warn_of_versions

PARTITION_SIZE = 256


def label_store(
    model: Path,
    recordings: Sequence[str | bytes],
    out: Path,
    *,
    abstain_below: float | None,
    jobs: int | None,
    scheduler: str | None,
    partition_size: int | None,
    runtime: str,
    trusted: Sequence[str],
) -> int:
    """Write the table, or the partitions missing from an interrupted run, then the table.

    Returns the number of unusable recordings.
    """
    if jobs is not None and scheduler is not None:
        raise ParameterError("--jobs must not be given with --scheduler, whose workers predict")
    check_value("--runtime", runtime, one_of(*RUNTIMES))
    paths = [path for path in recordings if isinstance(path, str)]
    if len(paths) < len(recordings):
        raise DataError("--out takes files, got a recording on standard input or in a pipe")
    if not paths:
        raise DataError("recordings must not be empty, got a list without names")
    check_apart([check_writable(out)], [model, *paths])
    if not model.is_file() or not is_joblib(model):
        manifest, _ = _container.read(model)
        warn_of_versions(model, manifest)
    partitions = Partitions(out, paths, partition_size or PARTITION_SIZE, model, runtime)
    missing = partitions.missing()
    n_done = len(partitions) - len(missing)
    if n_done:
        typer.echo(f"continuing: {n_done} of {len(partitions)} partitions are done", err=True)
    try:
        results = _results(partitions, missing, model, jobs, scheduler, runtime, trusted)
        n_files = sum(len(partitions[number]) for number in missing)
        with (
            closing(results),
            progress(
                total=len(partitions.recordings),
                initial=len(partitions.recordings) - n_files,
                desc="recordings",
                unit="file",
            ) as bar,
        ):
            for number, lines in results:
                partitions.write(number, lines)
                bar.update(len(partitions[number]))
    except BaseException:
        n_done = len(partitions) - len(partitions.missing())
        if n_done:
            done = f"{n_done} of {len(partitions)} partitions are done"
            typer.echo(f"{done}; run the same command again to continue", err=True)
        else:
            partitions.remove()
        raise
    abstention = Abstention(abstain_below)
    n_unusable = partitions.join(abstention)
    typer.echo(f"wrote {out}")
    if warning := abstention.warning():
        typer.echo(f"skser: warning: {warning}", err=True)
    if n_unusable:
        problem = f"{n_unusable} of {len(partitions.recordings)} recordings are unusable"
        typer.echo(f'skser: error: {problem}; the column "error" says why', err=True)
    return n_unusable


def _results(
    partitions: Partitions,
    numbers: Sequence[int],
    model: Path,
    jobs: int | None,
    scheduler: str | None,
    runtime: str,
    trusted: Sequence[str],
) -> Results:
    if scheduler is None:
        return run_here(partitions, numbers, model, jobs or 1, runtime=runtime, trusted=trusted)
    try:
        from ..inference._partition_cluster import run_on_cluster
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise MissingDependencyError(
            "--scheduler needs Dask: python -m pip install 'skser[dask]'"
        ) from None
    log = partial(typer.echo, err=True)
    return run_on_cluster(
        partitions, numbers, model, scheduler, runtime=runtime, trusted=trusted, log=log
    )
