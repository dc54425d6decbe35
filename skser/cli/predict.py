"""``skser predict``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np

    from .._answers import Prediction

Model = Annotated[Path, typer.Argument(help="Model that `skser train` wrote.")]
Runtime = Annotated[
    str,
    typer.Option(help="What answers for networks: auto (onnx where it can), onnx or tensorflow."),
]


def predict(
    model: Model,
    files: Annotated[
        list[str],
        typer.Argument(
            help='Recordings, folders, patterns ("calls/*.wav"), or - for a list of files on stdin.'
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each recording, one a line.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="Show only so many emotions, the likeliest first.")
    ] = None,
    abstain_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Name no emotion that is less probable than this."),
    ] = None,
    runtime: Runtime = "auto",
) -> None:
    """Label recordings: the emotion and the probabilities of all.

    A recording unlike those that the model was trained on is flagged. One that cannot be used is
    told on stderr, and the others are answered; the command then exits with 1. A model that ends
    in .joblib is a pickle: load only one that you trust.

    Example: skser predict model.skser my_recording.mp3

    Example: find calls -name "*.m4a" | skser predict model.skser - --csv > emotions.csv
    """
    from .._progress import progress
    from ..exceptions import ParameterError
    from ._recordings import named_recordings

    if as_json and as_csv:
        raise ParameterError("--json and --csv exclude each other, got both")
    paths = named_recordings(files)
    classes, found = _answers(model, paths, runtime)
    # No bar where nobody watches.
    bar = progress(found, total=len(paths), desc="recordings", unit="file", disable=None)
    told = _Told(bar)
    columns = _Columns([str(label) for label in classes], top, abstain_below)
    if as_json:
        for answer in told:
            typer.echo(json.dumps(columns.object_of(answer), ensure_ascii=False))
    elif as_csv:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(columns.names)
        rows.writerows(columns.row_of(answer, "{:.4f}") for answer in told)
    else:
        table = [columns.row_of(answer, "{:.2f}") for answer in told]
        for line in _aligned([columns.names, *table] if table else []):
            typer.echo(line)
    if told.n_errors:
        raise typer.Exit(1)


class _Told:
    """The answers; what is wrong with a recording is told on stderr as it comes."""

    def __init__(self, answers: Iterable[Prediction]) -> None:
        self.answers = answers
        self.n_errors = 0

    def __iter__(self) -> Iterator[Prediction]:
        for answer in self.answers:
            if answer.probabilities is not None:
                yield answer
                continue
            self.n_errors += 1
            typer.echo(f"skser: error: {_shown(f'{answer.file:.300}: {answer.error}')}", err=True)


def _answers(model: Path, paths: list[str], runtime: str) -> tuple[Any, Iterator[Prediction]]:
    """The classes, and answers; by the way that starts fastest."""
    from .._answers import flag_out_of_distribution, predict_each, predict_in_batches
    from .._models import is_joblib, load_model
    from .._validation import check_value, one_of
    from ..persistence import _container
    from ..persistence.info import info_in
    from ..persistence.saving import RUNTIMES

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
        from ..familiarity import TrainingAudio

        found = flag_out_of_distribution(found, TrainingAudio.from_dict(info.audio))
    return classes, _of_model(model, found)


def _of_model(model: Path, found: Iterator[Prediction]) -> Iterator[Prediction]:
    """The same answers; of a model that does not fit together, anything may be raised."""
    from ..exceptions import ModelError, SkserError

    try:
        yield from found
    except SkserError:
        raise
    except Exception as error:
        reason = " ".join(repr(error).split())
        raise ModelError(f"{model}: cannot answer ({reason:.300})") from error


class _Columns:
    """What is shown of an answer: all emotions, or the likeliest."""

    def __init__(self, classes: list[str], top: int | None, abstain_below: float | None) -> None:
        self.classes = classes
        self.top = top
        self.abstain_below = abstain_below

    @property
    def names(self) -> list[str]:
        if self.top is None:
            return ["file", "emotion", *self.classes, "ood_reasons"]
        places = range(2, min(self.top, len(self.classes)) + 1)
        others = (f"{what}{i}" for i in places for what in ("emotion", "probability"))
        return ["file", "emotion", "probability", *others, "ood_reasons"]

    def row_of(self, answer: Prediction, form: str) -> list[str]:
        assert answer.probabilities is not None
        ranked = self._ranked(answer)
        shown = [form.format(p) for p in answer.probabilities]
        if self.top is not None:
            others = [text for name, p in ranked[1:] for text in (name, form.format(p))]
            shown = [form.format(ranked[0][1]), *others]
        return [answer.file, self._named(ranked) or "", *shown, "; ".join(answer.ood_reasons)]

    def object_of(self, answer: Prediction) -> dict[str, Any]:
        ranked = self._ranked(answer)
        return {
            "file": answer.file,
            "emotion": self._named(ranked),
            "probabilities": {name: round(p, 4) for name, p in ranked},
            "ood_reasons": list(answer.ood_reasons),
        }

    def _ranked(self, answer: Prediction) -> list[tuple[str, float]]:
        """Emotions and probabilities, the likeliest first."""
        probabilities: np.ndarray = answer.probabilities  # type: ignore[assignment]
        order = (-probabilities).argsort(kind="stable")[: self.top]
        return [(self.classes[i], float(probabilities[i])) for i in order]

    def _named(self, ranked: list[tuple[str, float]]) -> str | None:
        name, probability = ranked[0]
        is_sure = self.abstain_below is None or probability >= self.abstain_below
        return name if is_sure else None


def _shown(text: str) -> str:
    """The same on one line: a name may hold line breaks, and what no terminal should be sent."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _aligned(table: list[list[str]]) -> list[str]:
    """Columns of text: numbers to the right; `ood_reasons` only if a row has some."""
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
