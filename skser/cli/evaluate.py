"""``skser evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    SPEAKER_PARAMS,
    Corpus,
    Data,
    Recipe,
    Seed,
    Settings,
    Speaker,
    Trust,
    load_speech,
    make_pipeline,
)


def evaluate(
    context: typer.Context,
    data: Data,
    corpus: Corpus = "auto",
    speaker: Speaker = None,
    recipe: Recipe = "default",
    model: Annotated[
        Path | None, typer.Option(help="Score this fitted model instead of a recipe.")
    ] = None,
    folds: Annotated[
        str, typer.Option(help="speakers, sentences, luna-jimenez, emobox or random.")
    ] = "speakers",
    transductive: Annotated[
        bool, typer.Option("--transductive", help="Normalize by speaker, test speakers too.")
    ] = False,
    leakage: Annotated[
        bool, typer.Option("--leakage", help="Measure how much random folds inflate the score.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Feature importance, and saliency of a mistake.")
    ] = False,
    across: Annotated[
        list[Path] | None,
        typer.Option(help="Another corpus, for training on each, testing on each. Repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables, pictures and report.html.")
    ] = None,
    seed: Seed = 0,
    jobs: Annotated[
        int, typer.Option(help="Folds at a time, and processes that extract features.")
    ] = 2,
    set_: Settings = None,
    trust: Trust = None,
) -> None:
    """Score a pipeline on speakers that it was not trained on.

    Folds: speakers leaves out one speaker at a time, or one of ten groups; sentences leaves out
    speakers and sentences; luna-jimenez and emobox are published folds of RAVDESS; random says
    nothing about new speakers.

    With --out, the folder keeps finished folds: run the same command again to resume it.

    Example: skser evaluate RAVDESS --recipe dense_195 --out scores
    """
    from ..datasets.auto import recognise
    from ..evaluation import evaluate as run
    from ..persistence._any_model import load_model
    from ..report._analyses import make_findings
    from ..report._findings import Findings
    from ._evaluation import check_options, choose_folds, name_corpora, normalize_by_speaker

    check_options(context.params)
    if model is not None:
        speech = load_speech(data, corpus, speaker)
        fitted = load_model(model, trusted=trust or [])
        findings = Findings(run(fitted, speech, cv="prefit"))
    else:
        pipeline = make_pipeline(recipe, seed, jobs, set_)
        if transductive:
            normalize_by_speaker(pipeline)
        paths = name_corpora(data, across or [])
        speech = load_speech(data, corpus, speaker)
        corpora = {
            name: load_speech(path, "auto", speaker if recognise(path) in SPEAKER_PARAMS else None)
            for name, path in paths.items()
        }
        findings = make_findings(
            pipeline,
            speech,
            choose_folds(folds, speech, data),
            leakage=leakage,
            explain=explain,
            corpora={data.resolve().stem: speech, **corpora} if corpora else {},
            n_jobs=jobs,
            checkpoint=None if out is None else out / "folds",
            verbose=1,
        )
    for line in findings.summary_lines():
        typer.echo(line)
    if out is not None:
        for path in findings.write(out, title=data.resolve().name):
            typer.echo(f"wrote {path}")
