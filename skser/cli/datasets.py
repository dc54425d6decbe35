"""``skser datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Corpora on disk.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def datasets() -> None:
    """Corpora on disk."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings.")],
    out: Annotated[Path | None, typer.Option(help="CSV of all recordings to write.")] = None,
) -> None:
    """Decode every recording in a folder and list those that cannot be used; 1 if there are any.

    Example: skser datasets check RAVDESS --out recordings.csv
    """
    from .._audio_files import find_audio
    from .._files import check_writable, written_whole
    from ..datasets import check_audio

    if out is not None:
        check_writable(out)
    table = check_audio(find_audio(folder), verbose=1)
    bad = table[table["problem"].notna()]
    for path, problem in zip(bad["path"], bad["problem"], strict=True):
        typer.echo(f"{path}: {str(problem).removeprefix(f'{path}: ')}")
    good = table[table["problem"].isna()]
    minutes = good["duration"].sum() / 60
    rates = ", ".join(f"{n} at {sr:g} Hz" for sr, n in good["sr"].value_counts().items())
    typer.echo(
        f"{len(table)} recordings, {len(bad)} of them cannot be used; "
        f"{minutes:.1f} minutes ({rates or 'none'})"
    )
    if out is not None:
        with written_whole(out) as temporary:
            table.to_csv(temporary, index=False, errors="backslashreplace")
        typer.echo(f"wrote {out}")
    if len(bad):
        raise typer.Exit(1)
