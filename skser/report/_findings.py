"""Findings: an evaluation and its extra analyses, as lines of text, as files and as one page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from .._utils._files import check_writable, written_whole
from .._utils._temperature import at_temperature, fit_temperature
from .._utils._types import PathLike
from ..evaluation import Evaluation, LeakageReport, compare
from ..evaluation._protocol import is_speaker_independent
from ..evaluation._result import format_interval
from ..inspection import Saliency
from ..metrics import coverage_accuracy
from ._pictures import draw_pictures, in_page_colours

# Files that only some runs write.
_OPTIONAL = (
    *("comparison.csv", "comparison.png", "reliability.png", "leakage.csv"),
    *("block_importance.csv", "cross_corpus.csv", "training_history.csv"),
    *("leakage_gap.png", "block_importance.png", "cross_corpus.png", "training_curves.png"),
    *("saliency.png", "surest_mistake.png", "speaker_scores.png", "coverage.png", "coverage.csv"),
)
_N_MISTAKES = 20
_N_THRESHOLDS = 20
_SCORES = {
    "uar": ("Unweighted average recall", "mean over the emotions of their recall"),
    "accuracy": ("Accuracy", "share of correct predictions"),
    "macro_f1": ("Macro F1", "mean over the emotions of their F1"),
    "log_loss": ("Log loss", "mean negative log probability of the true emotion; 0 is best"),
    "calibration_error": ("Calibration error", "distance of confidence and accuracy; 0 is best"),
}


@dataclass(frozen=True)
class Findings:
    """An evaluation and its extra analyses, None if not requested."""

    evaluation: Evaluation
    leakage: LeakageReport | None = None
    importance: pd.DataFrame | None = None
    saliency: Saliency | None = None
    cross_corpus: pd.DataFrame | None = None
    baseline: Evaluation | None = None

    @cached_property
    def comparison(self) -> pd.DataFrame | None:
        """The scores against those of the baseline."""
        return None if self.baseline is None else compare(self.baseline, self.evaluation)

    def summary_lines(self) -> list[str]:
        """The scores, line by line."""
        uar = self.evaluation.to_frame().loc["uar"]
        recalls = self.evaluation.per_class()["recall"].items()
        lines = [
            f"unweighted average recall {uar['pooled']:.3f} ({format_interval(uar)}; "
            f"chance {1 / len(self.evaluation.classes):.3f})",
            self.evaluation.protocol,
            "recall " + ", ".join(f"{name} {recall:.2f}" for name, recall in recalls),
        ]
        corpora = self.evaluation.predictions.get("corpus", pd.Series())
        if corpora.nunique() > 1:
            by_corpus = self.evaluation.by("corpus")["uar"].items()
            lines.append("by corpus " + ", ".join(f"{name} {uar:.3f}" for name, uar in by_corpus))
        if self.leakage is not None:
            lines.append(repr(self.leakage).strip("<>"))
        tables = {
            "scores against those of the baseline": self.comparison,
            "loss of unweighted average recall without a block of features": self.importance,
            "unweighted average recall, trained on (rows), tested on (columns)": self.cross_corpus,
        }
        for heading, table in tables.items():
            if table is not None:
                lines += [heading, table.to_string(float_format="{:.3f}".format)]
        return lines

    def write(self, folder: Path, *, title: str, description: str = "") -> list[Path]:
        """Write tables, pictures and report, and return the files."""
        for name in _OPTIONAL:  # left by an earlier run with other options
            (folder / name).unlink(missing_ok=True)
        files = self.evaluation.save(folder)
        tables = {
            "comparison": self.comparison,
            "leakage": None if self.leakage is None else self.leakage.to_frame(),
            "block_importance": self.importance,
            "cross_corpus": self.cross_corpus,
        }
        for name, table in tables.items():
            if table is not None:
                files.append(folder / f"{name}.csv")
                with written_whole(files[-1]) as temporary:
                    table.to_csv(temporary, errors="backslashreplace")
        if self.evaluation.has_probabilities:
            files.append(folder / "coverage.csv")
            with written_whole(files[-1]) as temporary:
                _coverage(self.evaluation).to_csv(temporary, index=False, float_format="%.4f")
        for name, figure in draw_pictures(self):
            files.append(folder / f"{name}.png")
            with written_whole(files[-1]) as temporary:
                figure.savefig(temporary, dpi=150)
        files.append(folder / "report.html")
        self.write_page(files[-1], title=title, description=description)
        return files

    def write_page(self, path: PathLike, *, title: str, description: str = "") -> None:
        """Write the report; DataError if it cannot be written there."""
        from jinja2 import Environment, PackageLoader

        path = check_writable(path)
        evaluation = self.evaluation
        scores = evaluation.to_frame()
        environment = Environment(
            loader=PackageLoader("skser", "report"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        page = environment.get_template("report.html.jinja").render(
            vars(self),
            title=title,
            description=description,
            n_speakers=evaluation.predictions.get("speaker", pd.Series()).nunique(),
            uar=scores.loc["uar"],
            scores=scores,
            comparison=self.comparison,
            score_names=_SCORES,
            parts=self._parts(),
            mistakes=evaluation.mistakes().head(_N_MISTAKES),
            pictures=in_page_colours(lambda: draw_pictures(self)),
            seconds=sum(fold.fit_seconds + fold.predict_seconds for fold in evaluation.folds),
        )
        with written_whole(path) as temporary:
            temporary.write_text(page, encoding="utf-8")

    def _parts(self) -> list[str]:
        """Columns with several values; not the folds if each is one speaker."""
        table = self.evaluation.predictions
        parts = [name for name in self.evaluation.parts if table[name].nunique() > 1]
        if "speaker" in parts and "fold" in parts:
            n_pairs = len(table[["speaker", "fold"]].drop_duplicates())
            if n_pairs == table["speaker"].nunique() == table["fold"].nunique():
                parts.remove("fold")
        return parts


def _coverage(evaluation: Evaluation) -> pd.DataFrame:
    """Coverage and scores at some thresholds, also for the model of `skser train --scores`.

    That model has the temperature of this evaluation, if its speakers are new.
    """
    truth, classes = evaluation.predictions["emotion"], evaluation.classes
    probabilities = {"no": evaluation.probabilities.to_numpy()}
    if is_speaker_independent(evaluation.protocol):
        temperature = fit_temperature(truth, probabilities["no"], classes)
        probabilities["yes"] = at_temperature(probabilities["no"], temperature)
    tables = []
    for is_calibrated, values in probabilities.items():
        table = coverage_accuracy(truth, values, classes)
        wanted = np.linspace(1, 1 / _N_THRESHOLDS, _N_THRESHOLDS)
        rows = [(table["coverage"] - share).abs().argmin() for share in wanted]
        table = table.iloc[np.unique(rows)]
        # Rounded down, for at least this coverage.
        table = table.assign(threshold=np.floor(table["threshold"] * 1e4) / 1e4)
        table = table.drop_duplicates("threshold")
        table.insert(0, "calibrated", is_calibrated)
        tables.append(table)
    return pd.concat(tables)


def write_report(
    evaluation: Evaluation,
    path: PathLike,
    *,
    title: str = "Speech emotion recognition",
    description: str = "",
    leakage: LeakageReport | None = None,
    importance: pd.DataFrame | None = None,
    saliency: Saliency | None = None,
    cross_corpus: pd.DataFrame | None = None,
    baseline: Evaluation | None = None,
) -> None:
    """Write an evaluation as one HTML page, which opens from disk and loads nothing else.

    Parameters
    ----------
    evaluation : Evaluation
        Result of :func:`skser.evaluate`.
    path : str or path
        File to write.
    title : str, default="Speech emotion recognition"
        Heading of the page.
    description : str, default=""
        A paragraph below the protocol, such as what the pipeline is.
    leakage : LeakageReport or None, default=None
        Result of :func:`skser.evaluation.leakage_report`, for the gap to random folds.
    importance : DataFrame of shape (n_blocks, 2) or None, default=None
        Result of :func:`skser.inspection.block_importance`.
    saliency : Saliency or None, default=None
        Result of :func:`skser.inspection.saliency` for the mistake with the highest confidence.
    cross_corpus : DataFrame of shape (n_corpora, n_corpora) or None, default=None
        Result of :func:`skser.cross_corpus`.
    baseline : Evaluation or None, default=None
        Evaluation of another pipeline on the same clips, for a section with the result of
        :func:`skser.compare`.

    Raises
    ------
    DataError
        ``baseline`` is not of the same clips, or ``path`` is a folder, or its folder does not
        exist or cannot be written to.
    """
    findings = Findings(evaluation, leakage, importance, saliency, cross_corpus, baseline)
    findings.write_page(path, title=title, description=description)
