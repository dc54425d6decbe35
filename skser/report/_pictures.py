"""The pictures of a report, as figures, and as SVG in the colours of the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.utils import Bunch

from ..audio import read_audio
from ..evaluation import Evaluation, LeakageReport
from ..inspection import Saliency
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

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..plotting._style import AxesDisplay

_MAX_SECONDS = 20.0  # of a recording that is drawn
# Stands for the colour of the page's text, which is another one in the dark.
_INK = "#010203"


def draw_pictures(
    evaluation: Evaluation,
    *,
    leakage: LeakageReport | None = None,
    importance: pd.DataFrame | None = None,
    saliency: Saliency | None = None,
    cross_corpus: pd.DataFrame | None = None,
) -> Iterator[tuple[str, Figure]]:
    """Names and figures of all pictures that there are data for."""
    predictions, classes = evaluation.predictions, evaluation.classes
    truth, probabilities = predictions["emotion"], evaluation.probabilities
    n_classes = len(classes)

    confusion = _new_figure(3.6 + 1.2 * n_classes, 2.0 + 0.5 * n_classes)
    left, right = confusion.subplots(1, 2)
    ConfusionDisplay(evaluation.confusion()).plot(normalize=None, ax=left)
    ConfusionDisplay(evaluation.confusion()).plot(ax=right)
    yield "confusion_matrix", confusion

    scores = _new_figure(10.0, 1.4 + 0.6 * n_classes)
    left, right = scores.subplots(1, 2)
    ClassScoresDisplay(evaluation.per_class()).plot(scores=["recall"], ax=left)
    ClassScoresDisplay(evaluation.per_class()).plot(ax=right)
    yield "class_scores", scores

    if "speaker" in predictions:
        draw_speakers = partial(SpeakerScoresDisplay.from_evaluation, evaluation)
        yield "speaker_scores", _figure_of(draw_speakers)
    draw_bins = partial(ReliabilityDisplay.from_predictions, truth, probabilities, classes)
    yield "reliability", _figure_of(draw_bins)
    if evaluation.has_probabilities:
        yield "coverage", _figure_of(partial(CoverageDisplay.from_evaluation, evaluation))

    history = evaluation.training_history
    if len(history):
        curves = _new_figure(9.0, 3.4)
        mean = history.drop(columns="fold").groupby("epoch").mean()
        TrainingCurvesDisplay(mean.to_dict("list")).plot(axes=curves.subplots(1, 2))
        yield "training_curves", curves

    by = "corpus" if predictions.get("corpus", pd.Series()).nunique() > 1 else None
    draw_counts = partial(EmotionDistributionDisplay.from_corpus, Bunch(frame=predictions), by=by)
    yield "emotions", _figure_of(draw_counts)

    mistakes = evaluation.mistakes()
    if len(mistakes) and Path(mistakes["path"].iloc[0]).is_file():
        waveform, sr = read_audio(mistakes["path"].iloc[0], duration=_MAX_SECONDS)
        clip = _new_figure(8.0, 8.6 + 0.36 * n_classes)
        of_clip = probabilities.loc[mistakes.index[0]].astype(float)
        ClipDisplay(waveform, sr, of_clip).plot(figure=clip)
        yield "surest_mistake", clip

    if saliency is not None:
        yield "saliency", _figure_of(SaliencyDisplay(saliency).plot)
    if leakage is not None:
        draw_gap = partial(LeakageGapDisplay.from_reports, {"all clips": leakage})
        yield "leakage_gap", _figure_of(draw_gap)
    if importance is not None:
        yield "block_importance", _figure_of(BlockImportanceDisplay(importance).plot)
    if cross_corpus is not None:
        yield "cross_corpus", _figure_of(CrossCorpusDisplay(cross_corpus).plot)


def _new_figure(width: float, height: float) -> Figure:
    """A figure without pyplot, which would open a window and change the state of the caller."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _figure_of(draw: Callable[..., AxesDisplay]) -> Figure:
    """A figure of the size that a display has by itself; ``draw`` takes the axes as ``ax``."""
    figure = _new_figure(6.0, 4.0)
    figure.set_size_inches(draw(ax=figure.subplots())._figure_size())
    return figure


def in_page_colours(draw: Callable[[], Iterator[tuple[str, Figure]]]) -> dict[str, str]:
    """Each figure as SVG, with text and axes in the colour of the page's text."""
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
        # The browser draws the texts, so fonts that are not installed here are not missed.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        return {name: _as_svg(figure, name) for name, figure in draw()}


def _as_svg(figure: Figure, name: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    # A page holds several pictures, so each needs identifiers of its own.
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    return re.sub(r"(url\(|xlink:href=\"|href=\")#", rf"\1#{name}-", svg)
