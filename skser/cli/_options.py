"""Options of several commands, and the pipeline that they name."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Model = Annotated[Path, typer.Argument(help="Model file of `skser train`.")]
Runtime = Annotated[str, typer.Option(help="Runtime of networks: onnx, tensorflow or auto.")]
Trust = Annotated[
    list[str] | None, typer.Option(help="A class to trust, as my_package.MyLayer. Repeatable.")
]
CsvPath = Annotated[Path | None, typer.Option(help="Write CSV to this path; - is stdout.")]
JsonPath = Annotated[Path | None, typer.Option(help="Write JSON to this path; - is stdout.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed.")]
_DATA = "Corpus, folder per emotion, or table with columns of paths and emotions."
OneCorpus = Annotated[Path, typer.Argument(help=_DATA)]
Data = Annotated[list[Path], typer.Argument(help=f"{_DATA} Several become one with common labels.")]
Labels = Annotated[
    str | None, typer.Option(help="Labels to keep, as angry,happy,neutral,sad; all by default.")
]
Corpus = Annotated[
    str,
    typer.Option(help="Name of a corpus (ravdess, iemocap, ...), several, folder or manifest."),
]
Recipe = Annotated[
    str,
    typer.Option(
        help="default, whisper, functionals, residual_network, mfcc_cnn, cnn_512, "
        "cnn_bilstm_attention, dense_195 or cnn_256."
    ),
]
Jobs = Annotated[int, typer.Option(help="Processes that extract features.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter, as load__duration=2.5. Repeatable.")
]
Speaker = Annotated[
    str | None, typer.Option(help="Column of speakers in a table, or regular expression for paths.")
]
AudioHome = Annotated[
    Path | None,
    typer.Option(help="Folder of relative paths in tables; by default the table's."),
]
PathColumn = Annotated[
    str | None, typer.Option("--path", help="Column of the recordings' paths in a table.")
]
Label = Annotated[
    str | None,
    typer.Option(help="Column of labels in a table, or regular expression for paths in a folder."),
]


def make_pipeline(
    recipe: str, seed: int, jobs: int, settings: list[str] | None, *, n_corpora: int = 1
) -> Pipeline:
    """The pipeline of a recipe, with its parameters checked, for one corpus or several."""
    from ..recipes import get_recipe, standardize_by_corpus
    from ..recipes._steps import check_steps

    parameters = dict(parse_setting(text) for text in settings or [])
    defaults: dict[str, Any] = {"random_state": seed, "n_jobs": jobs, "verbose": 1}
    if recipe == "whisper" and n_corpora > 1:
        defaults["shrinkage"] = 0.5  # chosen by training on one corpus and validating on another
    pipeline = get_recipe(recipe)(**{**defaults, **parameters})
    check_steps(pipeline)
    if n_corpora == 1:
        return pipeline
    typer.echo(f"{n_corpora} corpora: each is standardised by its own recordings")
    return standardize_by_corpus(pipeline)


def parse_setting(text: str) -> tuple[str, Any]:
    """``"classify__epochs=80"`` to ``("classify__epochs", 80)``."""
    from ..exceptions import ParameterError

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"--set must be of the form name=value, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value  # a plain string, such as load__pad=repeat
