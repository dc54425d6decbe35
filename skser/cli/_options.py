"""What several commands ask for, and what they make of it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Annotated, Any

import typer

Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of all that is random.")]
Data = Annotated[
    Path,
    typer.Argument(
        help="Corpus folder, folder per class, or CSV/TSV with columns FileName and Emotion."
    ),
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
    list[str] | None,
    typer.Option("--set", help="A pipeline parameter, as load__duration=2.5. Repeatable."),
]
Speaker = Annotated[
    str | None,
    typer.Option(
        help="Who speaks: a column of a CSV/TSV, or for folders a regular expression with one "
        "group, found in paths."
    ),
]

# Parameters for corpora that do not tell speakers by names of their own.
ASK_WHO = {"manifest": "speaker_column", "folder": "speaker"}


def make_pipeline(recipe: str, seed: int, jobs: int, settings: list[str] | None) -> Any:
    """The pipeline of a recipe, its parameters checked before there are features."""
    from .._nested import check_steps
    from ..recipes import get_recipe

    parameters = dict(parse_setting(text) for text in settings or [])
    defaults = {"random_state": seed, "n_jobs": jobs, "verbose": 1}
    pipeline = get_recipe(recipe)(**{**defaults, **parameters})
    check_steps(pipeline)
    return pipeline


def load_speech(data: Path, corpus: str, speaker: str | None = None) -> Any:
    """The corpus; says how many recordings there are of each emotion."""
    from ..datasets import load_corpus
    from ..datasets.auto import recognise
    from ..exceptions import ParameterError

    where: dict[str, Any] = {}
    if speaker is not None:
        corpus = recognise(data) if corpus == "auto" else corpus
        if corpus not in ASK_WHO:
            raise ParameterError(
                f"--speaker must be left out: the names of {corpus} tell it (--corpus folder and "
                "manifest take it)"
            )
        where[ASK_WHO[corpus]] = speaker
    speech = load_corpus(data, corpus=corpus, **where)
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
