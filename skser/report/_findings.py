"""Findings: an evaluation and its extra analyses, as lines of text and as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from .._utils._files import written_whole
from ..evaluation import Evaluation, LeakageReport, cross_corpus, evaluate, leakage_report
from ..evaluation._corpus import Corpus, read_corpus
from ..evaluation._cross_corpus import common_emotions
from ..evaluation._fitted_fold import FittedFold, features_kept
from ..evaluation._folds import run_folds
from ..evaluation._result import format_interval
from ..features import FeatureScaler, SpeakerNormalizer
from ..inspection import Saliency, block_importance, saliency
from ..recipes._steps import extractions, steps_of

# Files that only some runs write.
_OPTIONAL = (
    *("leakage.csv", "block_importance.csv", "cross_corpus.csv", "training_history.csv"),
    *("leakage_gap.png", "block_importance.png", "cross_corpus.png", "training_curves.png"),
    *("saliency.png", "surest_mistake.png", "speaker_scores.png", "coverage.png"),
)


@dataclass(frozen=True)
class Findings:
    """An evaluation and its extra analyses, None if not requested."""

    evaluation: Evaluation
    leakage: LeakageReport | None = None
    importance: pd.DataFrame | None = None
    saliency: Saliency | None = None
    cross_corpus: pd.DataFrame | None = None

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
        if self.leakage is not None:
            lines.append(repr(self.leakage))
        tables = {
            "loss of unweighted average recall without a block of features": self.importance,
            "unweighted average recall, trained on (rows), tested on (columns)": self.cross_corpus,
        }
        for heading, table in tables.items():
            if table is not None:
                lines += [heading, table.to_string(float_format="{:.3f}".format)]
        return lines

    def write(self, folder: Path, *, title: str) -> list[Path]:
        """Write tables, pictures and report, and return the files."""
        from . import write_report
        from ._writing import write_pictures

        extras = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        tables = {
            "leakage.csv": None if self.leakage is None else self.leakage.to_frame(),
            "block_importance.csv": self.importance,
            "cross_corpus.csv": self.cross_corpus,
        }
        for name in _OPTIONAL:  # left by an earlier run with other options
            (folder / name).unlink(missing_ok=True)
        files = self.evaluation.save(folder)
        for name, table in tables.items():
            if table is not None:
                with written_whole(folder / name) as temporary:
                    table.to_csv(temporary, errors="backslashreplace")
                files.append(folder / name)
        files += write_pictures(self.evaluation, folder, **extras)
        write_report(self.evaluation, folder / "report.html", title=title, **extras)
        return [*files, folder / "report.html"]


def make_findings(
    pipeline: Pipeline,
    corpus: Bunch,
    cv: Any,
    *,
    leakage: bool,
    explain: bool,
    corpora: Mapping[str, Bunch],
    **params: Any,
) -> Findings:
    """Evaluate a pipeline and run the requested analyses, on features extracted once.

    ``corpora`` are all corpora of the cross-corpus scores, or empty; ``params`` are those of
    `evaluate`.
    """
    if corpora:
        common_emotions(pipeline, corpora)  # raises before the long work
    report = losses = salience = uar = None
    with features_kept(pipeline, params["checkpoint"]) as kept:
        if leakage:
            report = leakage_report(kept, corpus, cv=cv, **params)
            evaluation = report.new_speakers
        else:
            evaluation = evaluate(kept, corpus, cv=cv, **params)
        if explain:
            losses = block_importance(kept, corpus, cv=cv, **params)
            salience = _explain_surest_mistake(kept, corpus, evaluation, **params)
        if corpora:
            uar = cross_corpus(kept, corpora, **params)
    return Findings(evaluation, report, losses, salience, uar)


def _explain_surest_mistake(
    pipeline: Pipeline, corpus: Bunch, evaluation: Evaluation, **params: Any
) -> Saliency | None:
    """Saliency of the mistake with the highest confidence, by a fit on the other speakers.

    None without a mistake, without sequences of features, or without a scaler, whose zero is what
    saliency puts in the place of a patch.
    """
    speech = read_corpus(pipeline, corpus)
    mistakes = evaluation.mistakes()
    has_sequences = any(step["features"].statistics is None for step in extractions(pipeline))
    steps = steps_of(pipeline)
    is_scaled = any(isinstance(step, FeatureScaler) for step in steps)
    by_speaker = any(isinstance(step, SpeakerNormalizer) for step in steps)
    if mistakes.empty or by_speaker or not (is_scaled and has_sequences):
        return None
    surest = mistakes.index[0]
    units = evaluation.predictions["fold"].to_numpy() if speech.groups is None else speech.groups
    parts = [(np.flatnonzero(units != units[surest]), np.array([surest]))]
    emotion = mistakes["predicted"].iloc[0]
    measure = partial(_saliency_in_fold, emotion=emotion)
    (fold,) = run_folds(pipeline, speech, parts, measure=measure, **params)
    values, times, names, probability = fold.measured
    return Saliency(np.array(values), np.array(times), np.array(names), emotion, probability)


def _saliency_in_fold(
    fitted: FittedFold, corpus: Corpus, test: np.ndarray, *, emotion: Any
) -> list[Any]:
    """Saliency of the first test clip, as JSON can hold it."""
    result = saliency(fitted.pipeline, corpus.clips[test[0]], emotion=emotion)
    names = result.feature_names.tolist()
    return [result.values.tolist(), result.times.tolist(), names, result.probability]
