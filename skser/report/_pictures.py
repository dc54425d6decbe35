"""The pictures of a report, as figures, and as SVG in the colours of the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from .._evaluation import Evaluation
from ..audio import read_audio
from ..exceptions import SkserWarning
from ..explanation import Saliency
from ..leakage import LeakageReport
from ..plotting import (
    BlockImportanceDisplay,
    ClassScoresDisplay,
    ClipDisplay,
    ConfusionDisplay,
    CoverageDisplay,
    CrossCorpusDisplay,
    EmotionDistributionDisplay,
    LeakageGapDisplay,
    ReliabilityDisplay,
    SaliencyDisplay,
    SpeakerScoresDisplay,
    TrainingCurvesDisplay,
)

# More of a long recording would be a picture of nothing.
_LONGEST_CLIP = 20.0
# Stands for the colour of the page's text, which is another in the dark.
_INK = "#010203"


def draw_pictures(
    evaluation: Evaluation,
    *,
    leakage: LeakageReport | None = None,
    importance: pd.DataFrame | None = None,
    saliency: Saliency | None = None,
    cross_corpus: pd.DataFrame | None = None,
) -> Iterator[tuple[str, Any]]:
    """Names and figures; those that there is nothing to draw of are left out."""
    from matplotlib.figure import Figure

    predictions, classes = evaluation.predictions, evaluation.classes
    n_classes = len(classes)

    def figure(width: float, height: float) -> Any:
        # A figure of its own, without pyplot: no window, and no state of the caller's is touched.
        return Figure(figsize=(width, height), layout="constrained")

    confusion = figure(3.6 + 1.2 * n_classes, 2.0 + 0.5 * n_classes)
    plain, shares = confusion.subplots(1, 2)
    ConfusionDisplay(evaluation.confusion()).plot(normalize=None, ax=plain)
    ConfusionDisplay(evaluation.confusion()).plot(ax=shares)
    yield "confusion_matrix", confusion

    scores = figure(10.0, 1.4 + 0.6 * n_classes)
    left, right = scores.subplots(1, 2)
    ClassScoresDisplay(evaluation.per_class()).plot(scores=["recall"], ax=left)
    ClassScoresDisplay(evaluation.per_class()).plot(ax=right)
    yield "class_scores", scores

    if "speaker" in predictions:
        speakers = figure(7.0, 1.5 + 0.25 * predictions["speaker"].nunique())
        SpeakerScoresDisplay.from_evaluation(evaluation, ax=speakers.subplots())
        yield "speaker_scores", speakers

    reliability = figure(4.6, 4.6)
    ReliabilityDisplay.from_predictions(
        predictions["emotion"], evaluation.probabilities, classes, ax=reliability.subplots()
    )
    yield "reliability", reliability

    if evaluation.has_probabilities:
        coverage = figure(6.0, 4.0)
        CoverageDisplay.from_evaluation(evaluation, ax=coverage.subplots())
        yield "coverage", coverage

    history = evaluation.training_history
    if len(history):
        curves = figure(9.0, 3.4)
        mean = history.drop(columns="fold").groupby("epoch").mean()
        TrainingCurvesDisplay.from_history(mean.to_dict("list"), axes=curves.subplots(1, 2))
        yield "training_curves", curves

    distribution = figure(7.0, 1.2 + 0.4 * n_classes)
    by = "corpus" if predictions.get("corpus", pd.Series()).nunique() > 1 else None
    EmotionDistributionDisplay.from_corpus(
        Bunch(frame=predictions), by=by, ax=distribution.subplots()
    )
    yield "emotions", distribution

    mistakes = evaluation.mistakes()
    if len(mistakes) and Path(mistakes["path"].iloc[0]).is_file():
        surest = mistakes.iloc[0]
        probabilities = evaluation.probabilities.loc[mistakes.index[0]].astype(float)
        waveform, sr = read_audio(surest["path"], duration=_LONGEST_CLIP)
        clip = figure(8.0, 8.6 + 0.36 * n_classes)
        ClipDisplay(waveform, sr, probabilities).plot(figure=clip)
        yield "surest_mistake", clip

    if saliency is not None:
        places = figure(8.0, 3.4)
        SaliencyDisplay(saliency).plot(ax=places.subplots())
        yield "saliency", places

    if leakage is not None:
        gap = figure(7.0, 2.0)
        LeakageGapDisplay.from_reports({"all clips": leakage}, ax=gap.subplots())
        yield "leakage_gap", gap

    if importance is not None:
        blocks = figure(7.0, 1.2 + 0.35 * len(importance))
        BlockImportanceDisplay(importance).plot(ax=blocks.subplots())
        yield "block_importance", blocks

    if cross_corpus is not None:
        n_rows, n_columns = cross_corpus.shape
        matrix = figure(2.6 + 1.2 * n_columns, 1.6 + 0.6 * n_rows)
        CrossCorpusDisplay(cross_corpus).plot(ax=matrix.subplots())
        yield "cross_corpus", matrix


def in_page_colours(draw: Callable[[], Iterator[tuple[str, Any]]]) -> dict[str, str]:
    """SVG of each figure, whose text and axes have the colour of the page's text."""
    import matplotlib

    style: Any = {
        "svg.fonttype": "none",  # the browser has fonts for every script
        "svg.hashsalt": "skser",
        "text.color": _INK,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # A font that is not installed here is no matter: the texts stay texts.
        warnings.filterwarnings("ignore", "no installed font has", SkserWarning)
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        return {name: _as_svg(figure, name) for name, figure in draw()}


def _as_svg(figure: Any, name: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    # Several pictures are on one page, so what they refer to needs names of their own.
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    return re.sub(r"(url\(|xlink:href=\"|href=\")#", rf"\1#{name}-", svg)
