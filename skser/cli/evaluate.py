"""``skser evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import (
    AudioHome,
    Corpus,
    Data,
    Label,
    Labels,
    PathColumn,
    Recipe,
    Seed,
    Settings,
    Speaker,
    Trust,
    make_pipeline,
)

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def evaluate(
    context: typer.Context,
    data: Data,
    corpus: Corpus = "auto",
    path_column: PathColumn = None,
    speaker: Speaker = None,
    label: Label = None,
    labels: Labels = None,
    audio_home: AudioHome = None,
    recipe: Recipe = "default",
    model: Annotated[
        Path | None, typer.Option(help="Score this fitted model instead of a recipe.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Another recipe, with its defaults, to compare with.")
    ] = None,
    folds: Annotated[
        str, typer.Option(help="auto, speakers, sentences, luna-jimenez, emobox or random.")
    ] = "auto",
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
    cross_corpus: Annotated[
        bool,
        typer.Option(
            "--cross-corpus", help="With several corpora: test on those that are left out, too."
        ),
    ] = False,
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

    Folds: auto takes the split of the corpus (folders train and test), else speakers, which leaves
    out one speaker at a time, or one of ten groups; sentences leaves out speakers and sentences;
    luna-jimenez and emobox are published folds of RAVDESS; random says nothing about new speakers.

    Several corpora become one, with each standardised by its own training recordings.

    With --out, the folder keeps finished folds: run the same command again to resume it.

    --baseline compares with another recipe on the same folds, clip by clip.

    Example: skser evaluate RAVDESS --recipe dense_195 --baseline functionals --out scores

    Example: skser evaluate RAVDESS EMOVO calls.csv --labels angry,happy,neutral,sad --cross-corpus
    """
    from ..evaluation import evaluate as run
    from ..persistence._any_model import load_model
    from ..recipes._standardization import standardize_by_speaker
    from ..report._analyses import make_findings
    from ..report._findings import Findings
    from ._corpora import (
        check_differ,
        check_each_has_labels,
        load_each,
        load_other,
        load_speech,
        merge,
        tested_part,
        trained_on,
    )
    from ._evaluation import check_options, check_several, choose_folds, describe_recipe

    check_options(context.params)
    check_differ([*data, *(across or [])])
    if model is not None:
        everything = load_speech(data, corpus, speaker, labels, label, audio_home, path_column)
        speech = tested_part(everything)
        fitted = load_model(model, trusted=trust or [])
        if speech is everything and (shared := trained_on(model, speech)):
            typer.echo(
                f"skser: warning: the model was trained on recordings of {', '.join(shared)}; on "
                "those, scores are too high",
                err=True,
            )
        findings = Findings(run(fitted, speech, cv="prefit"))
    else:
        columns = speaker, labels, label, audio_home, path_column
        corpora = load_each(data, corpus, *columns, others=across or [])
        check_several(context.params, len(corpora))
        n_corpora = 1 if transductive else len(corpora)

        def make(name: str, settings: list[str] | None) -> Pipeline:
            pipeline = make_pipeline(name, seed, jobs, settings, n_corpora=n_corpora)
            return standardize_by_speaker(pipeline) if transductive else pipeline

        pipeline = make(recipe, set_)
        speech = merge(corpora)
        if folds == "speakers":  # not the split of the corpus
            speech.frame = speech.frame.drop(columns="split", errors="ignore")
        if n_corpora > 1:
            check_each_has_labels(speech)
        for path in across or []:
            corpora |= load_other(path, *columns)
        findings = make_findings(
            pipeline,
            speech,
            choose_folds(folds, speech, data),
            leakage=leakage,
            explain=explain,
            corpora=corpora if across or cross_corpus else {},
            baseline=None if baseline is None else make(baseline, None),
            n_jobs=jobs,
            checkpoint=None if out is None else out / "folds",
            verbose=1,
        )
    for line in findings.summary_lines():
        typer.echo(line)
    if out is not None:
        title = ", ".join(path.resolve().name for path in data)
        described = f"Model {model}." if model else describe_recipe(recipe, set_)
        for path in findings.write(out, title=title, description=described):
            typer.echo(f"wrote {path}")
