"""``skser cache``."""

from __future__ import annotations

import json as json_format
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import JsonPath

if TYPE_CHECKING:
    from ..features import CacheContents

app = typer.Typer(help="Folders of cached features.", no_args_is_help=True, rich_markup_mode=None)
Memory = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="Folder that pipelines have as memory, or OUT/shared of skser tune."
    ),
]
_DAYS = {"d": 1, "w": 7}  # the last use is known to the day
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@app.callback()
def cache() -> None:
    """Folders of cached features."""


@app.command()
def info(memory: Memory, json: JsonPath = None) -> None:
    """Show the number, the size and the last use of cached features.

    Entries of other versions of skser, Python or the libraries that make features cannot be read by
    this one; `skser cache prune` removes them.

    Writes JSON to the PATH of --json (- is standard output), or prints a summary.

    Example: skser cache info features
    """
    from ..features import inspect_cache
    from ._outputs import Outputs

    outputs = Outputs([], json=json)
    contents = inspect_cache(memory)
    if json is not None:
        with outputs.open("json") as output:
            content = contents._asdict() | {
                name: None if day is None else day.isoformat(timespec="seconds")
                for name, day in contents._asdict().items()
                if name.endswith("_use")
            }
            output.write(f"{json_format.dumps(content, indent=2)}\n".encode())
        return
    typer.echo(f"{_describe(contents)}, {_size(contents.n_bytes)} of content")
    typer.echo(f"of this version: {contents.n_entries - contents.n_outdated}")
    typer.echo(f"of other versions: {contents.n_outdated}")
    if contents.oldest_use and contents.newest_use:
        typer.echo(f"last used: {contents.oldest_use:%Y-%m-%d} to {contents.newest_use:%Y-%m-%d}")
    if contents.n_abandoned:
        typer.echo(f"half-written by processes that were killed: {contents.n_abandoned}")


@app.command()
def prune(
    memory: Memory,
    older_than: Annotated[
        str | None, typer.Option(help="Remove what was not used for a time, as 30d or 8w.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(help="Keep this much on the disk, as 500MB or 20GB: the most recently used."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing, and say what would be removed.")
    ] = False,
) -> None:
    """Remove cached features that this version cannot read, or that were not used for long.

    Without options it removes entries of other versions of skser, Python or the libraries that
    make features, and what killed processes have left. Other processes may use the folder
    meanwhile.

    Example: skser cache prune features --older-than 30d --max-size 20GB
    """
    from ..features import inspect_cache, prune_cache

    max_days = _in_units("--older-than", older_than, _DAYS)
    max_bytes = _in_units("--max-size", max_size, _BYTES)
    removed = prune_cache(
        memory,
        max_days=max_days,
        max_bytes=None if max_bytes is None else round(max_bytes),
        dry_run=dry_run,
    )
    typer.echo(f"{'would remove' if dry_run else 'removed'} {_describe(removed)}")
    if not dry_run:
        typer.echo(f"left: {_describe(inspect_cache(memory))}")


def _describe(contents: CacheContents) -> str:
    abandoned = f" and {contents.n_abandoned} half-written files" if contents.n_abandoned else ""
    return f"{contents.n_entries} entries{abandoned}, {_size(contents.n_bytes_on_disk)} on the disk"


def _size(n_bytes: int) -> str:
    """``12700000`` as ``12.7 MB``."""
    unit = max((u for u in _BYTES if _BYTES[u] <= n_bytes), key=_BYTES.__getitem__, default="B")
    return f"{n_bytes} B" if unit == "B" else f"{n_bytes / _BYTES[unit]:.1f} {unit}"


def _in_units(option: str, text: str | None, units: Mapping[str, float]) -> float | None:
    """A number with a unit, such as ``30d``, in the unit of 1."""
    from ..exceptions import ParameterError

    if text is None:
        return None
    if text == "0":
        return 0.0
    parts = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-zA-Z]+)", text)
    by_name = {name.lower(): value for name, value in units.items()}
    if parts is None or parts[2].lower() not in by_name:
        raise ParameterError(
            f"{option} must be a number and one of {', '.join(units)}, got {text!r}"
        )
    return min(float(parts[1]), 1e15) * by_name[parts[2].lower()]
