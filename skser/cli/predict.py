"""``skser predict``."""

from __future__ import annotations

import csv as csv_format
import json as json_format
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ._options import CsvPath, JsonPath, Model, Runtime

if TYPE_CHECKING:
    import numpy as np

    from ..inference._batches import Prediction


def predict(
    model: Model,
    files: Annotated[
        list[str],
        typer.Argument(help="Recordings, folders, patterns, or - for a list of files on stdin."),
    ],
    csv: CsvPath = None,
    json: JsonPath = None,
    top: Annotated[int | None, typer.Option(min=1, help="Number of emotions to show.")] = None,
    abstain_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Leave out an emotion less probable than this."),
    ] = None,
    runtime: Runtime = "auto",
) -> None:
    """Predict the emotion of recordings, with the probabilities of all emotions.

    Writes CSV, or a JSON object a line, to its PATH (- is standard output), or prints a table. The
    column "ood_reasons" says how a recording differs from the training audio. An unusable recording
    is reported on stderr, and the command exits with 1 after the others. A model that ends in
    .joblib is a pickle: load only one that you trust.

    Example: skser predict model.skser my_recording.mp3

    Example: find calls -name "*.m4a" | skser predict model.skser - --csv emotions.csv
    """
    from .._utils._progress import progress
    from ._outputs import Outputs
    from ._recordings import named_recordings

    paths = named_recordings(files)
    outputs = Outputs([model, *paths], csv=csv, json=json)
    classes, answers = _predictions(model, paths, runtime)
    # No bar if stderr is not a terminal.
    bar = progress(answers, total=len(paths), desc="recordings", unit="file", disable=None)
    unusable: list[str] = []
    usable = _usable(bar, unusable)
    columns = _Columns([str(label) for label in classes], top, abstain_below)
    if not outputs.paths:
        table = [columns.row_of(answer, "{:.2f}") for answer in usable]
        for line in _aligned([columns.names, *table] if table else []):
            typer.echo(line)
    else:
        formats = {"csv": _csv_writer, "json": _json_writer}
        with ExitStack() as stack:
            writers = [
                formats[name](stack.enter_context(outputs.open(name)), columns)
                for name in outputs.paths
            ]
            for answer in usable:
                for write in writers:
                    write(answer)
    if unusable:
        raise typer.Exit(1)


def _csv_writer(file: BinaryIO, columns: _Columns) -> Callable[[Prediction], object]:
    """Write the header, and return the function that writes a row."""
    rows = csv_format.writer(
        SimpleNamespace(write=lambda text: file.write(_encoded(text))), lineterminator="\n"
    )
    rows.writerow(columns.names)
    return lambda answer: rows.writerow(columns.row_of(answer, "{:.4f}"))


def _json_writer(file: BinaryIO, columns: _Columns) -> Callable[[Prediction], object]:
    """The function that writes a line."""

    def write(answer: Prediction) -> None:
        line = json_format.dumps(columns.object_of(answer), ensure_ascii=False)
        file.write(_encoded(f"{line}\n"))
        file.flush()

    return write


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # names of files are bytes


def _usable(answers: Iterable[Prediction], unusable: list[str]) -> Iterator[Prediction]:
    """The answers about usable recordings; the other files are reported and listed."""
    for answer in answers:
        if answer.probabilities is not None:
            yield answer
            continue
        unusable.append(answer.file)
        typer.echo(f"skser: error: {_shown(f'{answer.file:.300}: {answer.error}')}", err=True)


def _predictions(
    model: Path, paths: list[str], runtime: str
) -> tuple[np.ndarray, Iterator[Prediction]]:
    """The classes and the answers, without scikit-learn and TensorFlow if the model allows it."""
    from .._utils._param_validation import check_value, one_of
    from ..inference._batches import flag_out_of_distribution, predict_each, predict_in_batches
    from ..persistence import _container
    from ..persistence._any_model import is_joblib, load_model
    from ..persistence._info import info_in
    from ..persistence._save_load import RUNTIMES

    check_value("--runtime", runtime, one_of(*RUNTIMES))
    light, info = None, None
    if model.is_file() and not is_joblib(model):
        manifest, contents = _container.read(model)
        info = info_in(model, manifest)
        if runtime != "tensorflow":
            from ..persistence._light import light_form

            light = light_form(model, manifest, contents)
    if light is not None:
        classes, found = light.classes_, predict_each(light.predict_proba, paths)
    else:
        pipeline = load_model(model, runtime=runtime)
        classes, found = pipeline.classes_, predict_in_batches(pipeline, paths)
    if info is not None and info.audio is not None:
        from ..inference import TrainingAudio

        found = flag_out_of_distribution(found, TrainingAudio.from_dict(info.audio))
    return classes, _of_model(model, found)


def _of_model(model: Path, found: Iterator[Prediction]) -> Iterator[Prediction]:
    """The same answers, with any error of an inconsistent model as a ModelError."""
    from ..exceptions import ModelError, SkserError

    try:
        yield from found
    except SkserError:
        raise
    except Exception as error:
        reason = " ".join(repr(error).split())
        raise ModelError(f"{model}: cannot predict ({reason:.300})") from error


class _Columns:
    """The columns of an answer: all emotions, or the most probable ones."""

    def __init__(self, classes: list[str], top: int | None, abstain_below: float | None) -> None:
        self.classes = classes
        self.top = top
        self.abstain_below = abstain_below

    @property
    def names(self) -> list[str]:
        if self.top is None:
            return ["file", "emotion", *self.classes, "ood_reasons"]
        places = range(2, min(self.top, len(self.classes)) + 1)
        ranks = (f"{name}{i}" for i in places for name in ("emotion", "probability"))
        return ["file", "emotion", "probability", *ranks, "ood_reasons"]

    def row_of(self, answer: Prediction, form: str) -> list[str]:
        assert answer.probabilities is not None
        ranked = self._ranked(answer)
        shown = [form.format(p) for p in answer.probabilities]
        if self.top is not None:
            rest = [text for name, p in ranked[1:] for text in (name, form.format(p))]
            shown = [form.format(ranked[0][1]), *rest]
        return [answer.file, self._emotion_of(ranked) or "", *shown, "; ".join(answer.ood_reasons)]

    def object_of(self, answer: Prediction) -> dict[str, object]:
        ranked = self._ranked(answer)
        return {
            "file": answer.file,
            "emotion": self._emotion_of(ranked),
            "probabilities": {name: round(p, 4) for name, p in ranked},
            "ood_reasons": list(answer.ood_reasons),
        }

    def _ranked(self, answer: Prediction) -> list[tuple[str, float]]:
        """Emotions and probabilities, the most probable first."""
        probabilities: np.ndarray = answer.probabilities  # type: ignore[assignment]
        order = (-probabilities).argsort(kind="stable")[: self.top]
        return [(self.classes[i], float(probabilities[i])) for i in order]

    def _emotion_of(self, ranked: list[tuple[str, float]]) -> str | None:
        name, probability = ranked[0]
        is_sure = self.abstain_below is None or probability >= self.abstain_below
        return name if is_sure else None


def _shown(text: str) -> str:
    """The text on one line, without control characters, which a file name may contain."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _aligned(table: list[list[str]]) -> list[str]:
    """Aligned columns, numbers to the right; "ood_reasons" only if a row has an entry."""
    table = [[_shown(text) for text in row] for row in table]
    columns = [c for c in zip(*table, strict=True) if any(c[1:]) or c[0] != "ood_reasons"]
    widths = [max(map(len, column)) for column in columns]
    is_number = [all(text.replace(".", "", 1).isdigit() for text in c[1:]) for c in columns]
    return [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]
