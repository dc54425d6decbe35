"""Findings: an evaluation with all that was asked for beside it, told and written to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ._corpus_parts import Corpus, read_corpus
from ._cross_corpus import common_emotions, cross_corpus
from ._evaluation import format_interval
from ._files import written_whole
from ._fitted_fold import FittedFold, features_kept
from ._folds import run_folds
from ._nested import extractions, steps_of
from .evaluation import Evaluation, evaluate
from .explanation import Saliency, block_importance, saliency
from .features import FeatureScaler, SpeakerNormalizer
from .leakage import LeakageReport, leakage_report

# Files that only some runs write.
_OPTIONAL = (
    *("leakage.csv", "block_importance.csv", "cross_corpus.csv", "training_history.csv"),
    *("leakage_gap.png", "block_importance.png", "cross_corpus.png", "training_curves.png"),
    *("saliency.png", "surest_mistake.png", "speaker_scores.png", "coverage.png"),
)


@dataclass(frozen=True)
class Findings:
    """An evaluation, and what else was asked for."""

    evaluation: Evaluation
    leakage: LeakageReport | None = None
    importance: pd.DataFrame | None = None
    saliency: Saliency | None = None
    cross_corpus: pd.DataFrame | None = None

    def told(self) -> list[str]:
        """The scores, line by line."""
        uar = self.evaluation.to_frame().loc["uar"]
        recalls = self.evaluation.per_class()["recall"].items()
        lines = [
            f"unweighted average recall {uar['pooled']:.3f} ({format_interval(uar)}; "
            f"{1 / len(self.evaluation.classes):.3f} would be chance)",
            self.evaluation.protocol,
            "recall " + ", ".join(f"{name} {recall:.2f}" for name, recall in recalls),
        ]
        if self.leakage is not None:
            lines.append(repr(self.leakage))
        tables = {
            "loss of unweighted average recall without a block of features": self.importance,
            "unweighted average recall, trained on (rows) and tested on": self.cross_corpus,
        }
        for heading, table in tables.items():
            if table is not None:
                lines += [heading, table.to_string(float_format="{:.3f}".format)]
        return lines

    def write(self, folder: Path, *, title: str) -> list[Path]:
        """Write tables, pictures and report; returns the files."""
        from .report import write_report
        from .report._writing import write_pictures

        extras: dict[str, Any] = {
            "leakage": self.leakage,
            "importance": self.importance,
            "saliency": self.saliency,
            "cross_corpus": self.cross_corpus,
        }
        tables = {
            "leakage.csv": None if self.leakage is None else self.leakage.to_frame(),
            "block_importance.csv": self.importance,
            "cross_corpus.csv": self.cross_corpus,
        }
        for name in _OPTIONAL:  # of another run, about other things
            (folder / name).unlink(missing_ok=True)
        written = self.evaluation.save(folder)
        for name, table in tables.items():
            if table is not None:
                with written_whole(folder / name) as temporary:
                    table.to_csv(temporary, errors="backslashreplace")
                written.append(folder / name)
        written += write_pictures(self.evaluation, folder, **extras)
        write_report(self.evaluation, folder / "report.html", title=title, **extras)
        return [*written, folder / "report.html"]


def find(
    pipeline: Any,
    corpus: Bunch,
    cv: Any,
    *,
    leakage: bool,
    explain: bool,
    corpora: Mapping[str, Bunch],
    **how: Any,
) -> Findings:
    """Evaluate a pipeline, and whatever else is asked for, on features extracted once.

    ``corpora`` are all corpora of the cross-corpus scores, or none; ``how`` goes to `evaluate`.
    """
    if corpora:
        common_emotions(pipeline, corpora)  # what is wrong with them is said before the long work
    report = losses = places = uar = None
    with features_kept(pipeline, how["checkpoint"]) as kept:
        if leakage:
            report = leakage_report(kept, corpus, cv=cv, **how)
        evaluation = evaluate(kept, corpus, cv=cv, **how) if report is None else report.new_speakers
        if explain:
            losses = block_importance(kept, corpus, cv=cv, **how)
            places = _explain_surest_mistake(kept, corpus, evaluation, **how)
        if corpora:
            uar = cross_corpus(kept, corpora, **how)
    return Findings(evaluation, report, losses, places, uar)


def _explain_surest_mistake(
    pipeline: Any, corpus: Bunch, evaluation: Evaluation, **how: Any
) -> Saliency | None:
    """What spoke for it to a pipeline that was trained on other speakers; None if nothing did.

    Only sequences have places, and only a scaler's zero is what can hide one.
    """
    speech = read_corpus(pipeline, corpus)
    mistakes = evaluation.mistakes()
    extractors = [one["features"] for one in extractions(pipeline)]
    has_sequences = any(extractor.statistics is None for extractor in extractors)
    steps = steps_of(pipeline)
    is_scaled = any(isinstance(step, FeatureScaler) for step in steps)
    by_speaker = any(isinstance(step, SpeakerNormalizer) for step in steps)
    if mistakes.empty or by_speaker or not (is_scaled and has_sequences):
        return None
    surest = mistakes.index[0]
    others = evaluation.predictions["fold"].to_numpy() if speech.groups is None else speech.groups
    parts = [(np.flatnonzero(others != others[surest]), np.array([surest]))]
    emotion = mistakes["predicted"].iloc[0]
    measure = partial(_saliency_in, emotion=emotion)
    (fold,) = run_folds(pipeline, speech, parts, measure=measure, **how)
    values, times, names, probability = fold.measured
    return Saliency(np.array(values), np.array(times), np.array(names), emotion, probability)


def _saliency_in(
    fitted: FittedFold, corpus: Corpus, test: np.ndarray, *, emotion: Any
) -> list[Any]:
    """Saliency of the first clip, as JSON can hold it."""
    found = saliency(fitted.pipeline, corpus.clips[test[0]], emotion=emotion)
    names = found.feature_names.tolist()
    return [found.values.tolist(), found.times.tolist(), names, found.probability]
