"""``skser predict``."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import CsvPath, JsonPath, Model, Runtime, Trust

if TYPE_CHECKING:
    from ..inference._abstention import Abstention
    from ..inference._batches import Prediction


def predict(
    model: Model,
    files: Annotated[
        list[str],
        typer.Argument(help="Recordings, folders, patterns; - for a recording or list on stdin."),
    ],
    csv: CsvPath = None,
    json: JsonPath = None,
    top: Annotated[int | None, typer.Option(min=1, help="Number of emotions to show.")] = None,
    abstain_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave out an emotion less probable than this."),
    ] = None,
    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt",
            help="Standardise features over these recordings, at least 20, without labels.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a .parquet or .csv of many recordings, which can be continued."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that predict, for --out.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler, as tcp://host:8786, for --out.")
    ] = None,
    partition_size: Annotated[
        int | None,
        typer.Option(min=1, help="Recordings in a partition, for --out.", show_default="256"),
    ] = None,
    runtime: Runtime = "auto",
    trust: Trust = None,
) -> None:
    """Predict the emotion of recordings, with the probabilities of all emotions.

    Writes CSV, or a JSON object per line, to its PATH (- is standard output), or prints a table.
    The column "ood_reasons" says how a recording differs from the training audio. An unusable
    recording is reported on stderr, and the command exits with 1 after the others. A silent one has
    no emotion, and True in the column "silence". A model that ends in .joblib is a pickle: load
    only one that you trust.

    Example: skser predict model.skser my_recording.mp3

    --adapt fits the model to other rooms, microphones or languages than it was trained on. The
    recordings should have all emotions; the column "adapted_to" counts the usable ones.

    Example: skser predict model.skser calls --adapt --csv emotions.csv

    Example: find calls -name "*.m4a" | skser predict model.skser - --csv emotions.csv

    Example: ffmpeg -i call.mp4 -f wav - | skser predict model.skser -

    --out predicts partitions of the recordings, in --jobs processes or on the Dask cluster of
    --scheduler. The same command continues a run that was interrupted. An unusable recording is a
    row with the column "error".

    Example: skser predict model.skser store --out emotions.parquet --jobs 8
    """
    from .._utils._progress import progress
    from ..inference._abstention import Abstention
    from ..inference._model_file import open_model
    from ._outputs import Outputs
    from ._prediction_rows import PredictionRows, aligned
    from ._stdin import named

    if out is None:
        of_out = {"--jobs": jobs, "--scheduler": scheduler, "--partition-size": partition_size}
        _check_not_given("without --out", of_out)
    else:
        from ._label_store import label_store

        others = {"--csv": csv, "--json": json, "--top": top, "--adapt": adapt or None}
        _check_not_given("with --out", others)
        n_unusable = label_store(
            model,
            [path for name in files for path in find_recordings(name)],
            out,
            abstain_below=abstain_below,
            jobs=jobs,
            scheduler=scheduler,
            partition_size=partition_size,
            runtime=runtime,
            trusted=trust or [],
        )
        raise typer.Exit(n_unusable > 0)
    paths = [path for name in files for path in find_recordings(name)]
    read = [path for path in paths if isinstance(path, str)]
    outputs = Outputs([model, *read], csv=csv, json=json)
    # Without a bar if stderr is not a terminal.
    bar = partial(progress, total=len(paths), desc="recordings", unit="file", disable=None)
    n_adapted = None
    if adapt:
        classes, n_adapted, predictions = _predict_adapted(model, bar(paths), runtime, trust or [])
        typer.echo(f"adapted to {n_adapted} of {len(paths)} recordings, without labels", err=True)
    else:
        opened = open_model(model, runtime=runtime, trusted=trust or [], n_recordings=len(paths))
        classes, predictions = opened.classes, bar(opened.predict(paths))
    unusable: list[str] = []
    abstention = Abstention(abstain_below)
    usable = _counted(_usable(named(predictions), unusable), abstention)
    rows = PredictionRows(classes, top, abstention, n_adapted)
    if outputs.paths:
        writers = {"csv": rows.csv_line, "json": rows.json_line}
        with ExitStack() as stack:
            open_files = {name: stack.enter_context(outputs.open(name)) for name in outputs.paths}
            if csv is not None:
                open_files["csv"].write(rows.csv_header().encode())
            for prediction in usable:
                for name, file in open_files.items():
                    line = writers[name](prediction)
                    file.write(line.encode(errors="surrogateescape"))  # names of files are bytes
                    file.flush()
    else:
        table = [rows.cells(prediction, "{:.2f}") for prediction in usable]
        for line in aligned([rows.header(), *table] if table else []):
            typer.echo(line)
    if warning := abstention.warning():
        typer.echo(f"skser: warning: {warning}", err=True)
    if unusable:
        raise typer.Exit(1)


def _check_not_given(where: str, options: Mapping[str, object]) -> None:
    from ..exceptions import ParameterError

    for name, value in options.items():
        if value is not None:
            raise ParameterError(f"{name} must not be given {where}, got {value}")


def find_recordings(name: str) -> Iterator[str | bytes]:
    """Paths of a file, a folder, a pattern such as ``calls/*.wav``, or standard input for -."""
    from ..audio._folders import find_audio
    from ..audio._info import describe
    from ..audio._not_a_path import not_a_path
    from ..exceptions import AudioError, DataError
    from ._stdin import is_pipe, read_pipe, read_stdin

    if name == "-":
        given = read_stdin()
        yield from [given] if isinstance(given, bytes) else given
    elif is_pipe(name):
        yield read_pipe(name)
    elif not name:
        raise DataError("recordings must have names, got an empty name")
    elif os.path.isdir(name):
        yield from map(str, find_audio(name))
    elif glob.has_magic(name) and not os.path.exists(name):
        paths = sorted(glob.glob(name, recursive=True))
        if not paths:
            reason = not_a_path(name) or "no file matches this pattern"
            raise AudioError(f"{describe(name)}: {reason}")
        yield from paths
    else:
        yield name  # checked when it is decoded


def _usable(predictions: Iterable[Prediction], unusable: list[str]) -> Iterator[Prediction]:
    """The predictions of usable recordings; unusable files are reported and listed."""
    from ..audio._info import describe
    from ._prediction_rows import printable

    for prediction in predictions:
        if prediction.error is None:
            yield prediction
            continue
        unusable.append(prediction.file)
        message = printable(f"{describe(prediction.file)}: {prediction.error}")
        typer.echo(f"skser: error: {message}", err=True)


def _counted(predictions: Iterable[Prediction], abstention: Abstention) -> Iterator[Prediction]:
    """The same predictions, counted by their confidence."""
    for prediction in predictions:
        if prediction.probabilities is not None:
            abstention.count(float(prediction.probabilities.max()))
        yield prediction


def _predict_adapted(
    model: Path, paths: Iterable[str | bytes], runtime: str, trusted: list[str]
) -> tuple[list[str], int, Iterator[Prediction]]:
    """Classes, number of usable recordings, and predictions adapted to them."""
    from .._utils._param_validation import check_value, one_of
    from ..inference import TrainingAudio
    from ..inference._adaptation import predict_adapted
    from ..inference._batches import flag_out_of_distribution
    from ..inference._model_file import raising_model_error
    from ..persistence import load_info
    from ..persistence._any_model import is_joblib, load_model
    from ..persistence._save_load import RUNTIMES

    check_value("--runtime", runtime, one_of(*RUNTIMES))
    pipeline = load_model(model, runtime=runtime, trusted=trusted)
    info = None if is_joblib(model) else load_info(model)
    training = None if info is None or info.audio is None else TrainingAudio.from_dict(info.audio)
    known: dict[str | bytes, tuple[str, ...]] = {}
    with raising_model_error(model), nullcontext() if training is None else training.watch(known):
        n_adapted, predictions = predict_adapted(pipeline, paths)
    classes = [str(label) for label in pipeline.classes_]
    if training is None:
        return classes, n_adapted, iter(predictions)
    return classes, n_adapted, flag_out_of_distribution(predictions, training, known)
