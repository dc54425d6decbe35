"""write_report: scores, tables and pictures of an evaluation on one page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from .._utils._files import check_writable, written_whole
from ..evaluation import Evaluation, LeakageReport
from ..inspection import Saliency
from ._pictures import draw_pictures, in_page_colours

_N_MISTAKES = 20
_SCORES = {
    "uar": ("Unweighted average recall", "mean over the emotions of their recall"),
    "accuracy": ("Accuracy", "share of correct predictions"),
    "macro_f1": ("Macro F1", "mean over the emotions of their F1"),
    "log_loss": ("Log loss", "mean negative log probability of the true emotion; 0 is best"),
    "calibration_error": ("Calibration error", "distance of confidence and accuracy; 0 is best"),
}


def write_report(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    title: str = "Speech emotion recognition",
    leakage: LeakageReport | None = None,
    importance: pd.DataFrame | None = None,
    saliency: Saliency | None = None,
    cross_corpus: pd.DataFrame | None = None,
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
    leakage : LeakageReport or None, default=None
        Result of :func:`skser.evaluation.leakage_report`, for the gap to random folds.
    importance : DataFrame of shape (n_blocks, 2) or None, default=None
        Result of :func:`skser.inspection.block_importance`.
    saliency : Saliency or None, default=None
        Result of :func:`skser.inspection.saliency` for the mistake with the highest confidence.
    cross_corpus : DataFrame of shape (n_corpora, n_corpora) or None, default=None
        Result of :func:`skser.cross_corpus`.

    Raises
    ------
    DataError
        ``path`` is a folder, or its folder does not exist or cannot be written to.
    """
    from jinja2 import Environment, PackageLoader

    path = check_writable(path)
    extras: dict[str, Any] = {
        "leakage": leakage,
        "importance": importance,
        "saliency": saliency,
        "cross_corpus": cross_corpus,
    }
    scores = evaluation.to_frame()
    environment = Environment(
        loader=PackageLoader("skser", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.jinja").render(
        title=title,
        evaluation=evaluation,
        **extras,
        uar=scores.loc["uar"],
        scores=scores,
        score_names=_SCORES,
        parts=[name for name in evaluation.parts if evaluation.predictions[name].nunique() > 1],
        mistakes=evaluation.mistakes().head(_N_MISTAKES),
        pictures=in_page_colours(lambda: draw_pictures(evaluation, **extras)),
        seconds=sum(fold.fit_seconds + fold.predict_seconds for fold in evaluation.folds),
    )
    with written_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def write_pictures(evaluation: Evaluation, folder: Path, **extras: Any) -> list[Path]:
    """Write every picture of the report as PNG, and return the files."""
    files = []
    for name, figure in draw_pictures(evaluation, **extras):
        files.append(folder / f"{name}.png")
        with written_whole(files[-1]) as temporary:
            figure.savefig(temporary, dpi=150)
    return files
