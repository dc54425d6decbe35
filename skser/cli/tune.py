"""``skser tune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    AudioHome,
    Corpus,
    Label,
    Labels,
    OneCorpus,
    PathColumn,
    Recipe,
    Seed,
    Settings,
    Speaker,
    make_pipeline,
)


def tune(
    data: OneCorpus,
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and best.skser.")],
    corpus: Corpus = "auto",
    path_column: PathColumn = None,
    speaker: Speaker = None,
    label: Label = None,
    labels: Labels = None,
    audio_home: AudioHome = None,
    recipe: Recipe = "default",
    trials: Annotated[int, typer.Option(min=1, help="Finished trials of the study in all.")] = 20,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which no further trial begins.")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="Parts to search: load, augment, features, classify or vote, or a function "
            "FILE.py:FUNCTION of an Optuna trial. Repeatable; classify and vote by default."
        ),
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            help="A parameter to search, as classify__learning_rate=1e-4:1e-2:log or "
            "load__sr=16000,22050. Repeatable.",
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Storage of the study: a path that ends in .journal, sqlite:///study.db, "
            "postgresql://user@host/name or grpc://host:13000; study.journal in --out by default."
        ),
    ] = None,
    study: Annotated[str, typer.Option(help="Name of the study in the storage.")] = "skser",
    folds: Annotated[
        str,
        typer.Option(
            help="auto, speakers (five groups of them), sentences (new sentences of new speakers), "
            "luna-jimenez, emobox or random."
        ),
    ] = "auto",
    nested: Annotated[
        bool,
        typer.Option(
            "--nested",
            help="Score the tuning too: a study in each fold, without test speakers.",
        ),
    ] = False,
    grace: Annotated[
        int,
        typer.Option(
            help="Seconds without a heartbeat after which another process repeats a trial; only "
            "with a database."
        ),
    ] = 120,
    seed: Seed = 0,
    jobs: Annotated[
        int, typer.Option(help="Number of folds at a time, and of processes that extract features.")
    ] = 1,
    set_: Settings = None,
) -> None:
    """Search the parameters that score best on speakers who are left out.

    If the corpus has a split (folders train, val and test), test is left out of the search, and
    --folds auto trains on train and tests on val, if there is one; other folds divide both.

    Run the same command again to resume the study, or several times at once to share it.

    Example: skser tune RAVDESS --recipe residual_network --trials 40 --out tuned
    """
    from ._corpora import load_speech
    from ._evaluation import check_folder, check_folds, choose_folds
    from ._study import choose_space, run_study

    check_folds(folds)
    pipeline = make_pipeline(recipe, seed, jobs, set_)
    search = choose_space(pipeline, space or [], range_ or [])
    check_folder(out, [data])
    speech = load_speech([data], corpus, speaker, labels, label, audio_home, path_column)
    out.mkdir(parents=True, exist_ok=True)
    try:
        run_study(
            pipeline,
            speech,
            out,
            nested=nested,
            log=typer.echo,
            space=search,
            cv=choose_folds(folds, speech, [data]),
            n_trials=trials,
            timeout=timeout,
            grace=grace,
            storage=out / "study.journal" if storage is None else storage,
            study_name=study,
            n_jobs=jobs,
            random_state=seed,
        )
    except KeyboardInterrupt:
        typer.echo("run the same command again to resume the study", err=True)
        raise
