"""Options of several commands, and the pipeline and corpus that they name."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.utils import Bunch

Model = Annotated[Path, typer.Argument(help="Model file of `skser train`.")]
Runtime = Annotated[str, typer.Option(help="Runtime of networks: onnx, tensorflow or auto.")]
Trust = Annotated[
    list[str] | None, typer.Option(help="A class to trust, as my_package.MyLayer. Repeatable.")
]
CsvPath = Annotated[Path | None, typer.Option(help="Write CSV to this path; - is stdout.")]
JsonPath = Annotated[Path | None, typer.Option(help="Write JSON to this path; - is stdout.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed.")]
Data = Annotated[
    Path, typer.Argument(help="Corpus, folder per emotion, or table with FileName and Emotion.")
]
Corpus = Annotated[
    str, typer.Option(help="ravdess, crema_d, tess, savee, emodb, emovo, folder, manifest.")
]
Recipe = Annotated[
    str,
    typer.Option(
        help="default, functionals, residual_network, mfcc_cnn, cnn_512, cnn_bilstm_attention, "
        "dense_195 or cnn_256."
    ),
]
Jobs = Annotated[int, typer.Option(help="Processes that extract features.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter, as load__duration=2.5. Repeatable.")
]
Speaker = Annotated[
    str | None, typer.Option(help="Column of speakers in a table, or regular expression for paths.")
]

# The parameter for the speakers of corpora whose file names do not contain them.
SPEAKER_PARAMS = {"manifest": "speaker_column", "folder": "speaker"}


def make_pipeline(recipe: str, seed: int, jobs: int, settings: list[str] | None) -> Pipeline:
    """The pipeline of a recipe, with its parameters checked."""
    from ..recipes import get_recipe
    from ..recipes._steps import check_steps

    parameters = dict(parse_setting(text) for text in settings or [])
    defaults = {"random_state": seed, "n_jobs": jobs, "verbose": 1}
    pipeline = get_recipe(recipe)(**{**defaults, **parameters})
    check_steps(pipeline)
    return pipeline


def load_speech(data: Path, corpus: str, speaker: str | None = None) -> Bunch:
    """Load a corpus and print the number of recordings of each emotion."""
    from ..datasets import load_corpus
    from ..datasets.auto import recognise
    from ..exceptions import ParameterError

    params: dict[str, Any] = {}
    if speaker is not None:
        corpus = recognise(data) if corpus == "auto" else corpus
        if corpus not in SPEAKER_PARAMS:
            raise ParameterError(
                f"--speaker must be left out for {corpus}, whose file names contain the speaker; "
                "only --corpus folder and manifest need it"
            )
        params[SPEAKER_PARAMS[corpus]] = speaker
    speech = load_corpus(data, corpus=corpus, **params)
    labels = speech.frame["emotion"].value_counts().sort_index()
    counts = ", ".join(f"{label} {n}" for label, n in labels.items())
    typer.echo(f"{len(speech.paths)} recordings: {counts}")
    return speech


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
