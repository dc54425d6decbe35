"""Rows of ``skser predict``, as CSV, JSON lines or a table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..inference._abstention import Abstention
    from ..inference._batches import Prediction


@dataclass(frozen=True)
class PredictionRows:
    """Predictions as rows, with all emotions or the ``top`` most probable ones."""

    classes: list[str]
    top: int | None
    abstention: Abstention
    n_adapted: int | None

    def csv_header(self) -> str:
        return _csv_line(self.header())

    def header(self) -> list[str]:
        if self.top is None:
            return ["file", "emotion", *self.classes, *self._last_columns()]
        ranks = range(2, min(self.top, len(self.classes)) + 1)
        columns = (f"{name}{rank}" for rank in ranks for name in ("emotion", "probability"))
        return ["file", "emotion", "probability", *columns, *self._last_columns()]

    def cells(self, prediction: Prediction, form: str) -> list[str]:
        emotion, ranked = self._rank(prediction)
        if prediction.silence:
            shown = [""] * (len(self.header()) - len(self._last_columns()) - 2)
        elif self.top is None:
            shown = [form.format(ranked[name]) for name in self.classes]
        else:
            shown = [text for name, p in ranked.items() for text in (name, form.format(p))][1:]
        last = [] if self.n_adapted is None else [str(self.n_adapted)]
        reasons = "; ".join(prediction.ood_reasons)
        silence = str(prediction.silence)
        return [prediction.file, emotion or "", *shown, silence, reasons, *last]

    def csv_line(self, prediction: Prediction) -> str:
        return _csv_line(self.cells(prediction, "{:.4f}"))

    def json_line(self, prediction: Prediction) -> str:
        emotion, ranked = self._rank(prediction)
        content = {
            "file": prediction.file,
            "emotion": emotion,
            "silence": prediction.silence,
            "probabilities": {name: round(p, 4) for name, p in ranked.items()} or None,
            "ood_reasons": list(prediction.ood_reasons),
        }
        if self.n_adapted is not None:
            content["adapted_to"] = self.n_adapted
        return json.dumps(content, ensure_ascii=False) + "\n"

    def _last_columns(self) -> list[str]:
        adapted = [] if self.n_adapted is None else ["adapted_to"]
        return ["silence", "ood_reasons", *adapted]

    def _rank(self, prediction: Prediction) -> tuple[str | None, dict[str, float]]:
        """The emotion, None if too improbable, and probabilities, the highest first.

        Silence has neither.
        """
        probabilities = prediction.probabilities
        if probabilities is None:
            return None, {}
        order = (-probabilities).argsort(kind="stable")[: self.top]
        ranked = {self.classes[i]: float(probabilities[i]) for i in order}
        emotion = next(iter(ranked))
        return None if self.abstention.is_below(ranked[emotion]) else emotion, ranked


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def printable(text: str) -> str:
    """The text on one line, without control characters, which a file name may contain."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def aligned(table: list[list[str]]) -> list[str]:
    """Aligned columns, numbers to the right; without those that no recording stands out in."""
    table = [[printable(text) for text in row] for row in table]
    usual = {"ood_reasons": "", "silence": "False"}
    columns = [c for c in zip(*table, strict=True) if {*c[1:]} != {usual.get(c[0])}]
    texts = []
    for column in columns:
        is_number = all(text.replace(".", "", 1).isdigit() for text in column[1:] if text)
        align, width = (str.rjust if is_number else str.ljust), max(map(len, column))
        texts.append([align(text, width) for text in column])
    return ["  ".join(row).rstrip() for row in zip(*texts, strict=True)]
