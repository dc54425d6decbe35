"""``skser datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import AudioHome, Corpus, CsvPath, Label, Labels, PathColumn, Speaker

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Corpora on disk.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def datasets() -> None:
    """Corpora on disk."""


@app.command()
def check(
    data: Annotated[
        list[Path], typer.Argument(help="Folders of recordings, or tables of their paths.")
    ],
    corpus: Corpus = "auto",
    path_column: PathColumn = None,
    speaker: Speaker = None,
    label: Label = None,
    labels: Labels = None,
    audio_home: AudioHome = None,
    csv: CsvPath = None,
) -> None:
    """Decode every recording in a folder and list the unusable ones; exits with 1 if there are any.

    Several corpora, as for `skser train`, are also checked for labels in common. With an option for
    labels or speakers, it checks the recordings that `skser train` would use with this option. It
    warns of labels that have one or two recordings or are spelt almost as another, and says why
    `skser train` would refuse them.

    Writes the table of all recordings to the PATH of --csv (- is standard output).

    Example: skser datasets check RAVDESS --csv recordings.csv

    Example: skser datasets check RAVDESS EMOVO calls.csv
    """
    import pandas as pd

    from ..audio._folders import find_audio
    from ..datasets import check_audio
    from ..datasets.manifest import MANIFEST_SUFFIXES
    from ._corpora import by_name, describe, label_lines, load_paths, problem_lines
    from ._outputs import Outputs

    outputs = Outputs([], csv=csv)
    lists = [path for path in data if path.is_file() and path.suffix.lower() in MANIFEST_SUFFIXES]
    chosen = (path_column, speaker, label, labels)
    is_chosen = corpus != "auto" or any(value is not None for value in chosen)
    loaded = {}
    if is_chosen or audio_home is not None or lists or len(data) > 1:  # raises before the long work
        loaded = load_paths(data, corpus, speaker, labels, label, audio_home, path_column)
    corpora = by_name(loaded)
    files = {
        path: loaded[path].paths if is_chosen or path in lists else find_audio(path)
        for path in data
    }
    tables = []
    for path, recordings in files.items():
        table = check_audio(recordings, verbose=1)
        bad = table[table["problem"].notna()]
        for file, problem in zip(bad["path"], bad["problem"], strict=True):
            outputs.log(f"{file}: {str(problem).removeprefix(f'{file}: ')}")
        outputs.log(f"{path}: {_describe(table)}" if len(files) > 1 else _describe(table))
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    if len(files) > 1:
        outputs.log(f"all: {_describe(table)}")
    if len(corpora) > 1:
        for line in label_lines(corpora):
            outputs.log(line)
    elif is_chosen:
        outputs.log(describe(loaded[data[0]]))
    for line in problem_lines(data, loaded):
        outputs.log(line)
    if csv is not None:
        with outputs.open("csv") as output:
            output.write(table.to_csv(index=False).encode(errors="backslashreplace"))
    if table["problem"].notna().any():
        raise typer.Exit(1)


def _describe(table: pd.DataFrame) -> str:
    good = table[table["problem"].isna()]
    minutes = good["duration"].sum() / 60
    rates = ", ".join(f"{n} at {sr:g} Hz" for sr, n in good["sr"].value_counts().items())
    return (
        f"{len(table)} recordings, {len(table) - len(good)} of them unusable; "
        f"{minutes:.1f} minutes ({rates or 'none'})"
    )
