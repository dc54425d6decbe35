"""write_report: scores, tables and pictures of an evaluation on one page."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from .._evaluation import Evaluation
from .._files import check_writable, written_whole
from ..explanation import Saliency
from ..leakage import LeakageReport
from ._pictures import draw_pictures, in_page_colours

_N_MISTAKES = 20
_SCORES = {
    "uar": ("Unweighted average recall", "mean of the shares of each emotion that are found"),
    "accuracy": ("Accuracy", "share of clips that are right"),
    "macro_f1": ("Macro F1", "mean of the emotions' F1"),
    "log_loss": ("Log loss", "surprise at the truth; 0 is best"),
    "calibration_error": ("Calibration error", "how far confidence is off; 0 is best"),
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
    """Write an evaluation as one HTML page, which opens from disk and fetches nothing.

    Parameters
    ----------
    evaluation : Evaluation
        As :func:`skser.evaluate` returns it.
    path : str or path
        The file.
    title : str, default="Speech emotion recognition"
        Heading of the page.
    leakage : LeakageReport or None, default=None
        As :func:`skser.leakage.leakage_report` returns it; adds the gap to random folds.
    importance : DataFrame or None, default=None
        As :func:`skser.explanation.block_importance` returns it.
    saliency : Saliency or None, default=None
        As :func:`skser.explanation.saliency` returns it, of the surest mistake.
    cross_corpus : DataFrame or None, default=None
        As :func:`skser.cross_corpus` returns it.
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
        Path(temporary).write_text(page, encoding="utf-8")


def write_pictures(evaluation: Evaluation, folder: Path, **extras: Any) -> list[Path]:
    """Write every picture of the report as PNG; returns the files."""
    written = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name, figure in draw_pictures(evaluation, **extras):
            file = folder / f"{name}.png"
            with written_whole(file) as temporary:
                figure.savefig(temporary, dpi=150)
            written.append(file)
    # One character that no font has would be told by every text and picture that it is in.
    for message in {str(one.message): one.message for one in caught}.values():
        if not str(message).startswith("Glyph "):
            warnings.warn(message, stacklevel=2)
    return written
