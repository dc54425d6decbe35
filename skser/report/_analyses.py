"""The analyses of `skser evaluate`, on features that are extracted once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from .._utils._types import CV
from ..evaluation import Evaluation, cross_corpus, evaluate, leakage_report
from ..evaluation._corpus import Corpus, read_corpus
from ..evaluation._cross_corpus import common_emotions
from ..evaluation._fitted_fold import FittedFold, features_kept
from ..evaluation._folds import run_folds
from ..features import FeatureScaler, FeatureUnionExtractor, SpeakerNormalizer
from ..inspection import Saliency, block_importance, saliency
from ..recipes._steps import steps_of
from ._findings import Findings


def make_findings(
    pipeline: Pipeline,
    corpus: Bunch,
    cv: CV,
    *,
    leakage: bool,
    explain: bool,
    corpora: Mapping[str, Bunch],
    baseline: Pipeline | None = None,
    **params: Any,
) -> Findings:
    """Evaluate a pipeline and run the requested analyses, with ``params`` of `evaluate`.

    ``corpora`` are all corpora of the cross-corpus scores, or empty; ``baseline`` is a pipeline to
    compare with.
    """
    if corpora:
        common_emotions(corpora, pipeline)  # raises before the long work
    of_baseline = report = losses = salience = uar = None
    if baseline is not None:
        with features_kept(baseline, params["checkpoint"]) as baseline:
            of_baseline = evaluate(baseline, corpus, cv=cv, **params)
    with features_kept(pipeline, params["checkpoint"]) as pipeline:
        if leakage:
            report = leakage_report(pipeline, corpus, cv=cv, **params)
            evaluation = report.new_speakers
        else:
            evaluation = evaluate(pipeline, corpus, cv=cv, **params)
        if explain:
            losses = block_importance(pipeline, corpus, cv=cv, **params)
            salience = _explain_surest_mistake(pipeline, corpus, evaluation, **params)
        if corpora:
            uar = cross_corpus(pipeline, corpora, **params)
    return Findings(evaluation, report, losses, salience, uar, of_baseline)


def _explain_surest_mistake(
    pipeline: Pipeline, corpus: Bunch, evaluation: Evaluation, **params: Any
) -> Saliency | None:
    """Saliency of the most confident mistake, by a fit on the other speakers.

    None without a mistake, without sequences of features (those of a pre-trained encoder have no
    names to explain), or without a scaler: saliency replaces patches by its zero.
    """
    speech = read_corpus(corpus, pipeline=pipeline)
    mistakes = evaluation.mistakes()
    steps = steps_of(pipeline)
    has_sequences = any(
        isinstance(step, FeatureUnionExtractor) and step.statistics is None for step in steps
    )
    is_scaled = any(isinstance(step, FeatureScaler) for step in steps)
    by_speaker = any(isinstance(step, SpeakerNormalizer) for step in steps)
    if mistakes.empty or by_speaker or not (is_scaled and has_sequences):
        return None
    surest = mistakes.index[0]
    folds = evaluation.predictions["fold"].reindex(range(len(speech.clips)), fill_value=-1)
    units = folds.to_numpy() if speech.groups is None else speech.groups
    parts = [(np.flatnonzero(units != units[surest]), np.array([surest]))]
    emotion = mistakes["predicted"].iloc[0]
    measure = partial(_saliency_in_fold, emotion=emotion)
    (fold,) = run_folds(pipeline, speech, parts, measure=measure, name="saliency", **params)
    values, times, names, probability = fold.measured
    return Saliency(np.array(values), np.array(times), np.array(names), emotion, probability)


def _saliency_in_fold(
    fitted: FittedFold, corpus: Corpus, test: np.ndarray, *, emotion: Hashable
) -> list[Any]:
    """Saliency of the first test clip, as JSON can hold it."""
    result = saliency(fitted.pipeline, corpus.clips[test[0]], emotion=emotion)
    names = result.feature_names.tolist()
    return [result.values.tolist(), result.times.tolist(), names, result.probability]
