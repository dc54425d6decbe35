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

from .. import plotting
from ..audio import read_audio

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..plotting._style import AxesDisplay
    from ._findings import Findings

_MAX_SECONDS = 20.0  # of a recording that is drawn
_INK = "#010203"  # replaced by the colour of the page's text


def draw_pictures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    """Names and figures of all pictures that there are data for."""
    evaluation = findings.evaluation
    predictions, n_classes = evaluation.predictions, len(evaluation.classes)

    confusion = _new_figure(3.6 + 1.2 * n_classes, 2.0 + 0.5 * n_classes)
    left, right = confusion.subplots(1, 2)
    plotting.ConfusionDisplay.from_evaluation(evaluation, normalize=None, ax=left)
    plotting.ConfusionDisplay.from_evaluation(evaluation, ax=right)
    yield "confusion_matrix", confusion

    scores = _new_figure(10.0, 1.4 + 0.6 * n_classes)
    left, right = scores.subplots(1, 2)
    plotting.ClassScoresDisplay.from_evaluation(evaluation, scores=["recall"], ax=left)
    plotting.ClassScoresDisplay.from_evaluation(evaluation, ax=right)
    yield "class_scores", scores

    if "speaker" in predictions:
        draw_speakers = partial(plotting.SpeakerScoresDisplay.from_evaluation, evaluation)
        yield "speaker_scores", _figure_of(draw_speakers)
    if evaluation.has_probabilities:
        draw_reliability = partial(plotting.ReliabilityDisplay.from_evaluation, evaluation)
        yield "reliability", _figure_of(draw_reliability)
        draw_coverage = partial(plotting.CoverageDisplay.from_evaluation, evaluation)
        yield "coverage", _figure_of(draw_coverage)

    if len(evaluation.training_history):
        curves = _new_figure(9.0, 3.4)
        axes = curves.subplots(1, 2)
        plotting.TrainingCurvesDisplay.from_evaluation(evaluation, axes=axes)
        yield "training_curves", curves

    by = "corpus" if predictions.get("corpus", pd.Series()).nunique() > 1 else None
    draw_emotions = plotting.EmotionDistributionDisplay.from_evaluation
    yield "emotions", _figure_of(partial(draw_emotions, evaluation, by=by))

    mistakes = evaluation.mistakes()
    if len(mistakes) and Path(mistakes["path"].iloc[0]).is_file():
        waveform, sr = read_audio(mistakes["path"].iloc[0], duration=_MAX_SECONDS)
        clip = _new_figure(8.0, 8.6 + 0.36 * n_classes)
        of_clip = evaluation.probabilities.loc[mistakes.index[0]].astype(float)
        plotting.ClipDisplay(waveform, sr, of_clip).plot(figure=clip)
        yield "surest_mistake", clip

    if findings.comparison is not None:
        draw = plotting.ComparisonDisplay(findings.comparison).plot
        yield "comparison", _figure_of(partial(draw, names=("baseline", "this pipeline")))
    if findings.saliency is not None:
        yield "saliency", _figure_of(plotting.SaliencyDisplay(findings.saliency).plot)
    if findings.leakage is not None:
        reports = {"all clips": findings.leakage}
        yield "leakage_gap", _figure_of(partial(plotting.LeakageGapDisplay.from_reports, reports))
    if findings.importance is not None:
        importance = plotting.BlockImportanceDisplay(findings.importance)
        yield "block_importance", _figure_of(importance.plot)
    if findings.cross_corpus is not None:
        yield "cross_corpus", _figure_of(plotting.CrossCorpusDisplay(findings.cross_corpus).plot)


def _new_figure(width: float, height: float) -> Figure:
    """A figure without pyplot, which would open a window and change the state of the caller."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _figure_of(draw: Callable[..., AxesDisplay]) -> Figure:
    """A figure of the size of its display; ``draw`` takes the axes as ``ax``."""
    figure = _new_figure(6.0, 4.0)
    figure.set_size_inches(draw(ax=figure.subplots())._figure_size())
    return figure


def in_page_colours(draw: Callable[[], Iterator[tuple[str, Figure]]]) -> dict[str, str]:
    """Each figure as SVG, with text and axes in the colour of the page's text."""
    import matplotlib

    # The browser has fonts for every script.
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "skser"}
    style |= dict.fromkeys(("axes.facecolor", "figure.facecolor"), "none")
    style |= dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), _INK)
    style |= dict.fromkeys(("xtick.color", "ytick.color"), _INK)
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # The browser draws the texts, so fonts that are not installed here do not matter.
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
