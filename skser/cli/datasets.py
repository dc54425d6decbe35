"""``skser datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import CsvPath

app = typer.Typer(help="Corpora on disk.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def datasets() -> None:
    """Corpora on disk."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of recordings.")], csv: CsvPath = None
) -> None:
    """Decode every recording in a folder and list the unusable ones; exits with 1 if there are any.

    Writes the table of all recordings to the PATH of --csv (- is standard output).

    Example: skser datasets check RAVDESS --csv recordings.csv
    """
    from ..audio._folders import find_audio
    from ..datasets import check_audio
    from ._outputs import Outputs

    outputs = Outputs([], csv=csv)
    table = check_audio(find_audio(folder), verbose=1)
    bad = table[table["problem"].notna()]
    for path, problem in zip(bad["path"], bad["problem"], strict=True):
        outputs.log(f"{path}: {str(problem).removeprefix(f'{path}: ')}")
    good = table[table["problem"].isna()]
    minutes = good["duration"].sum() / 60
    rates = ", ".join(f"{n} at {sr:g} Hz" for sr, n in good["sr"].value_counts().items())
    outputs.log(
        f"{len(table)} recordings, {len(bad)} of them unusable; "
        f"{minutes:.1f} minutes ({rates or 'none'})"
    )
    if csv is not None:
        with outputs.open("csv") as output:
            output.write(table.to_csv(index=False).encode(errors="backslashreplace"))
    if len(bad):
        raise typer.Exit(1)
