"""The command line: ``skser demo``, ``train``, ``evaluate``, ``tune`` and ``predict``."""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="skser",
    help="Speech emotion recognition in one scikit-learn pipeline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
_ASK_WHO = {"manifest": "speaker_column", "folder": "speaker"}


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    if show:
        from . import __version__

        typer.echo(f"skser {__version__}")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("skser-demo"),
    seed: Seed = 0,
) -> None:
    """Go the whole way on synthetic speech: cross-validate, fit, keep, predict, draw.

    Takes a few minutes and needs no download. Writes speech, model, scores and pictures.
    """
    from .demo import run_demo
    from .exceptions import ParameterError

    if out.exists() and not out.is_dir():
        raise ParameterError(f"--out must be a folder, got the file {out}")
    run_demo(out, random_state=seed, say=typer.echo)


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write the model to.")],
    corpus: Corpus = "auto",
    recipe: Recipe = "default",
    seed: Seed = 0,
    jobs: Jobs = 1,
    set_: Settings = None,
) -> None:
    """Fit a pipeline on labelled recordings and keep it.

    Example: skser train RAVDESS --out model.joblib --set load__duration=2.5
    """
    from ._files import check_writable, save_model
    from ._nested import set_everywhere

    check_writable(out)
    pipeline = _make_pipeline(recipe, seed, jobs, set_)
    speech = _load(data, corpus)
    pipeline.fit(speech.paths, speech.target)
    save_model(set_everywhere(pipeline, features__verbose=0, classify__verbose=0), out)
    typer.echo(f"wrote {out}")


@app.command()
def evaluate(
    data: Data,
    corpus: Corpus = "auto",
    speaker: Speaker = None,
    recipe: Recipe = "default",
    model: Annotated[
        Path | None, typer.Option(help="Score this model, as it is, in place of a recipe.")
    ] = None,
    folds: Annotated[
        str,
        typer.Option(
            help="speakers (one left out at a time, or ten groups), sentences (new ones, of new "
            "speakers), luna-jimenez or emobox (published, for RAVDESS), or random (not for claims "
            "about new speakers)."
        ),
    ] = "speakers",
    transductive: Annotated[
        bool,
        typer.Option(
            "--transductive", help="Normalise by speaker, those tested over all their clips."
        ),
    ] = False,
    leakage: Annotated[
        bool, typer.Option("--leakage", help="Random folds too, and the gap.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="What is lost without each block of features, and which places in a recording "
            "spoke for the surest mistake.",
        ),
    ] = False,
    across: Annotated[
        list[Path] | None,
        typer.Option(help="Another corpus: train on each, test on each. Repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables, pictures and report.html.")
    ] = None,
    seed: Seed = 0,
    jobs: Annotated[
        int, typer.Option(help="Folds at a time, and processes that extract features.")
    ] = 2,
    set_: Settings = None,
) -> None:
    """Score a pipeline on speakers that it was not trained on.

    With --out, finished folds are kept in the folder, and the same command goes on with the others.

    Example: skser evaluate RAVDESS --recipe dense_195 --out scores
    """
    from ._evaluate_command import check_options, choose_folds, name_corpora, normalize_by_speaker
    from ._files import load_model
    from ._findings import Findings, find
    from .datasets.auto import recognise
    from .evaluation import evaluate as run

    check_options(
        out,
        model,
        recipe=recipe,
        folds=folds,
        transductive=transductive,
        leakage=leakage,
        explain=explain,
        across=across,
        set=set_,
    )
    if model is not None:
        speech = _load(data, corpus, speaker)
        findings = Findings(run(load_model(model), speech, cv="prefit"))
    else:
        pipeline = _make_pipeline(recipe, seed, jobs, set_)
        if transductive:
            normalize_by_speaker(pipeline)
        others = name_corpora(data, across or [])
        speech = _load(data, corpus, speaker)
        corpora = {
            name: _load(path, "auto", speaker if recognise(path) in _ASK_WHO else None)
            for name, path in others.items()
        }
        findings = find(
            pipeline,
            speech,
            choose_folds(folds, speech, data),
            leakage=leakage,
            explain=explain,
            corpora={data.resolve().stem: speech, **corpora} if corpora else {},
            n_jobs=jobs,
            folder=None if out is None else out / "folds",
            verbose=1,
        )
    for line in findings.told():
        typer.echo(line)
    if out is not None:
        for path in findings.write(out, title=data.resolve().name):
            typer.echo(f"wrote {path}")


@app.command()
def tune(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for tables, pictures and best.joblib.")],
    corpus: Corpus = "auto",
    speaker: Speaker = None,
    recipe: Recipe = "default",
    trials: Annotated[int, typer.Option(min=1, help="Trials of the study in all.")] = 20,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which no further trial begins.")
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="What to search: load, augment, features, classify or vote, or a function "
            "FILE.py:FUNCTION of an Optuna trial. Repeatable; classify and vote if not given."
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
            help="Where the study is: a path that ends in .journal, sqlite:///study.db, "
            "postgresql://user@host/name or grpc://host:13000; study.journal in --out if not given."
        ),
    ] = None,
    study: Annotated[str, typer.Option(help="Name of the study in the storage.")] = "skser",
    folds: Annotated[
        str,
        typer.Option(
            help="speakers (five groups of them), sentences (new ones, of new speakers), "
            "luna-jimenez, emobox or random."
        ),
    ] = "speakers",
    nested: Annotated[
        bool,
        typer.Option(
            "--nested", help="Say what tuning is worth: a study without the tested in each fold."
        ),
    ] = False,
    grace: Annotated[
        float,
        typer.Option(help="Seconds after which a trial whose worker is not heard of begins anew."),
    ] = 120.0,
    seed: Seed = 0,
    jobs: Annotated[
        int, typer.Option(help="Folds at a time, and processes that extract features.")
    ] = 1,
    set_: Settings = None,
) -> None:
    """Search the parameters that score best on speakers who are left out.

    The same command goes on with a study that was interrupted, and shares it if it is started more
    than once.

    Example: skser tune RAVDESS --recipe residual_network --trials 40 --out tuned
    """
    import signal

    from ._evaluate_command import check_folds, choose_folds, make_folder
    from ._tune_command import choose_space, run_study

    check_folds(folds)
    pipeline = _make_pipeline(recipe, seed, jobs, set_)
    chosen = choose_space(pipeline, space or [], range_ or [])
    make_folder(out)
    speech = _load(data, corpus, speaker)
    # A scheduler that takes the machine away asks politely first; the trial is then begun anew.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_study(
            pipeline,
            speech,
            chosen,
            out,
            nested=nested,
            say=typer.echo,
            cv=choose_folds(folds, speech, data),
            n_trials=trials,
            timeout=timeout,
            grace=grace,
            storage=out / "study.journal" if storage is None else storage,
            study_name=study,
            n_jobs=jobs,
            random_state=seed,
        )
    except KeyboardInterrupt:
        typer.echo("interrupted: the same command goes on with the study", err=True)
        raise typer.Exit(130) from None


def _make_pipeline(recipe: str, seed: int, jobs: int, settings: list[str] | None) -> Any:
    """The pipeline of a recipe, its parameters checked before there are features."""
    from ._nested import check_steps
    from .recipes import get_recipe

    parameters = dict(_parse_setting(text) for text in settings or [])
    defaults = {"random_state": seed, "n_jobs": jobs, "verbose": 1}
    pipeline = get_recipe(recipe)(**{**defaults, **parameters})
    check_steps(pipeline)
    return pipeline


def _load(data: Path, corpus: str, speaker: str | None = None) -> Any:
    """The corpus; says how many recordings there are of each emotion."""
    from .datasets import load_corpus
    from .datasets.auto import recognise
    from .exceptions import ParameterError

    where: dict[str, Any] = {}
    if speaker is not None:
        corpus = recognise(data) if corpus == "auto" else corpus
        if corpus not in _ASK_WHO:
            raise ParameterError(
                f"--speaker must be left out: the names of {corpus} tell it (--corpus folder and "
                "manifest take it)"
            )
        where[_ASK_WHO[corpus]] = speaker
    speech = load_corpus(data, corpus=corpus, **where)
    labels = speech.frame["emotion"].value_counts().sort_index()
    counts = ", ".join(f"{label} {n}" for label, n in labels.items())
    typer.echo(f"{len(speech.paths)} recordings: {counts}")
    return speech


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model that `skser train` wrote.")],
    files: Annotated[list[Path], typer.Argument(help="Recordings.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Label recordings: the emotion and the probabilities of all.

    A model is a pickle: load only one that you trust.

    Example: skser predict model.joblib my_recording.mp3
    """
    from ._files import load_model
    from ._nested import set_everywhere
    from .exceptions import ParameterError

    if as_json and as_csv:
        raise ParameterError("--json and --csv exclude each other, got both")
    pipeline = load_model(model)
    set_everywhere(pipeline, features__verbose=1)
    probabilities = pipeline.predict_proba([str(file) for file in files])
    typer.echo(_format_predictions(files, pipeline.classes_, probabilities, as_json, as_csv))


def _format_predictions(
    files: list[Path], classes: Any, probabilities: Any, as_json: bool, as_csv: bool
) -> str:
    import pandas as pd

    table = pd.DataFrame(probabilities, columns=list(classes))
    table.insert(0, "file", [str(file) for file in files])
    table.insert(1, "emotion", classes[probabilities.argmax(axis=1)])
    if as_csv:
        return table.to_csv(index=False, float_format="%.4f").rstrip("\n")
    if as_json:
        import json

        rows = [
            {
                "file": file,
                "emotion": emotion,
                "probabilities": {
                    str(c): round(float(p), 4) for c, p in zip(classes, row, strict=True)
                },
            }
            for file, emotion, row in zip(
                table["file"], table["emotion"], probabilities, strict=True
            )
        ]
        return json.dumps(rows, indent=2, ensure_ascii=False)
    return table.to_string(index=False, float_format="{:.2f}".format)


def _parse_setting(text: str) -> tuple[str, Any]:
    """``"classify__epochs=80"`` to ``("classify__epochs", 80)``."""
    from .exceptions import ParameterError

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ParameterError(f"--set must be of the form name=value, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value  # a plain string, such as load__pad=repeat


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning in one line; where it was issued says nothing on the command line."""
    typer.echo(f"skser: warning: {message}", err=True)


def main() -> None:
    """Entry point of the ``skser`` command: errors are one line, and exit with 1."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            app()
    except Exception as error:
        # scikit-learn comes with the errors, so they are loaded only when there is one.
        from .exceptions import SkserError

        if not isinstance(error, SkserError):
            raise
        typer.echo(f"skser: error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
