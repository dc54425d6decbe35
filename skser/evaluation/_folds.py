"""Fit and measure a pipeline fold by fold, in parallel, and resume an interrupted run."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.parallel import delayed

from .._utils._files import file_signature, written_whole
from .._utils._hashing import fingerprint
from .._utils._parallel import run_parallel
from .._utils._param_validation import N_JOBS, VERBOSE, check_value
from .._utils._progress import progress
from .._utils._segment import Segment
from .._utils._types import PathLike, Recording
from ..recipes._labels import check_folds_needs
from ..recipes._steps import extractions, set_everywhere, steps_of
from ._corpus import Corpus
from ._fitted_fold import FittedFold, features_kept, fit_fold, fit_metadata
from ._leakage_checks import warn_of_leakage
from ._splits import Splits


@dataclass(frozen=True)
class Fold:
    """Measurements on the test part of a fold."""

    measured: list[Any]  # by default the probabilities, (n_test, n_classes)
    fit_seconds: float
    predict_seconds: float
    history: dict[str, list[float]] | None  # of the training of a network


# Measures a fitted pipeline on the clips of a corpus at some indices; JSON can hold the result.
Measure = Callable[[FittedFold, Corpus, np.ndarray], list[Any]]


def measure_probabilities(fold: FittedFold, corpus: Corpus, test: np.ndarray) -> list[list[float]]:
    """Probabilities of all classes for the clips of a test part."""
    return fold.probabilities(corpus.clips, test, np.unique(corpus.target)).tolist()


def run_folds(
    pipeline: BaseEstimator,
    corpus: Corpus,
    splits: Splits,
    *,
    measure: Measure = measure_probabilities,
    name: str = "folds",
    n_jobs: int | None = None,
    checkpoint: PathLike | None = None,
    verbose: int = 0,
) -> list[Fold]:
    """Fit a clone of a pipeline on the train part of each fold, and measure it on the test part.

    ``name`` begins the lines of progress.
    """
    check_value("n_jobs", n_jobs, N_JOBS)
    check_value("verbose", verbose, VERBOSE)
    # Raise before the long work.
    fit_metadata(pipeline, corpus.metadata)
    check_folds_needs(pipeline, corpus.target, corpus.groups, splits)
    warn_of_leakage(corpus, splits, stacklevel=4)
    files: list[Path | None] = [None] * len(splits)
    if checkpoint is not None:
        folder = Path(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        signatures = [signature(clip) for clip in corpus.items]
        parts = {
            "pipeline": without_conveniences(pipeline),
            "measure": measure,
            "corpus": [signatures, corpus.target, corpus.metadata],
        }
        common = fingerprint(parts, parameter="checkpoint")
        files = [folder / f"{joblib.hash((common, *split))}.json" for split in splits]
    # Files are written whole, so any file there is a finished fold.
    folds = {
        i: Fold(**json.loads(file.read_text()))
        for i, file in enumerate(files)
        if file is not None and file.exists()
    }
    todo = [i for i in range(len(splits)) if i not in folds]
    if todo:
        with features_kept(pipeline, checkpoint) as cached, warnings.catch_warnings():
            for extraction in extractions(cached):
                extraction.fit_transform(corpus.clips)
            set_everywhere(cached, verbose=0)
            # TensorFlow makes workers large, and joblib replaces them.
            warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
            finished = run_parallel(
                (
                    delayed(_run_fold)(i, cached, corpus, *splits[i], measure, files[i])
                    for i in todo
                ),
                n_jobs,
            )
            count = {"total": len(splits), "initial": len(folds)}
            folds.update(progress(finished, desc=name, unit="fold", disable=not verbose, **count))
    return [folds[i] for i in range(len(splits))]


def fit_and_measure(
    pipeline: BaseEstimator,
    corpus: Corpus,
    train: np.ndarray,
    test: np.ndarray,
    measure: Measure = measure_probabilities,
    watch: Callable[[BaseEstimator], None] | None = None,
) -> Fold:
    """Fit a clone on the train part with `fit_fold`, and measure it on the test part."""
    start = time.perf_counter()
    fitted = fit_fold(pipeline, corpus.clips, corpus.target, corpus.metadata, train, watch)
    middle = time.perf_counter()
    measured = measure(fitted, corpus, test)
    end = time.perf_counter()
    seconds = round(middle - start, 3), round(end - middle, 3)
    return Fold(measured, *seconds, history_of(fitted.pipeline))


def _run_fold(
    i: int,
    pipeline: BaseEstimator,
    corpus: Corpus,
    train: np.ndarray,
    test: np.ndarray,
    measure: Measure,
    file: Path | None,
) -> tuple[int, Fold]:
    """Fit, measure and save a fold; its number helps to put finished folds in order."""
    fold = fit_and_measure(pipeline, corpus, train, test, measure)
    if file is not None:
        with written_whole(file) as temporary:
            temporary.write_text(json.dumps(asdict(fold)))
    return i, fold


def without_conveniences(pipeline: BaseEstimator) -> BaseEstimator:
    """A clone without the parameters that change no score."""
    return set_everywhere(clone(pipeline), memory=None, n_jobs=None, verbose=0, checkpoint=None)


def history_of(pipeline: BaseEstimator) -> dict[str, list[float]] | None:
    """Training history of the first network in a fitted pipeline; None if it has none."""
    for step in steps_of(pipeline):
        history = getattr(step, "history_", None)
        if isinstance(history, dict) and "loss" in history:
            return history
    return None


def signature(clip: Recording) -> object:
    """The path, size and modification time of a file; a clip that is not a file, unchanged."""
    if isinstance(clip, (str, os.PathLike)) and os.path.isfile(clip):
        return file_signature(clip)
    if isinstance(clip, Segment):
        return (signature(clip.path), clip.start, clip.end)
    return clip
