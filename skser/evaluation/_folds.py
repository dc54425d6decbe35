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
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from .._utils._files import file_signature, written_whole
from .._utils._hashing import fingerprint
from .._utils._param_validation import N_JOBS, VERBOSE, check_value
from .._utils._progress import progress
from ..recipes._steps import extractions, set_everywhere, steps_of
from ._corpus import Corpus
from ._fitted_fold import FittedFold, features_kept, fit_fold
from ._leakage_checks import warn_of_leakage
from ._splits import Splits


@dataclass(frozen=True)
class Fold:
    """What was measured on the test part of a fold.

    Attributes
    ----------
    measured : list
        By default the probabilities, (n_test, n_classes), in the order of the classes of all clips.
    fit_seconds, predict_seconds : float
        Duration of fitting and of measuring.
    history : dict of list of float or None
        Training of its network, if it has one.
    """

    measured: list[Any]
    fit_seconds: float
    predict_seconds: float
    history: dict[str, list[float]] | None


# Measures a fitted pipeline on the clips of a corpus at some indices.
Measure = Callable[[FittedFold, Corpus, np.ndarray], list[Any]]


def measure_probabilities(fold: FittedFold, corpus: Corpus, test: np.ndarray) -> list[list[float]]:
    """Probabilities of all classes for the clips of a test part."""
    return fold.probabilities(corpus.clips, test, np.unique(corpus.target)).tolist()


def run_folds(
    pipeline: Any,
    corpus: Corpus,
    splits: Splits,
    *,
    measure: Measure = measure_probabilities,
    n_jobs: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> list[Fold]:
    """Fit a pipeline on the train part of each fold, and measure it on the test part.

    Clones of ``pipeline`` are fitted. ``measure`` returns what JSON can hold. The folder
    ``checkpoint`` keeps finished folds, which are not run again. Other parameters and warnings are
    those of :func:`skser.evaluate`.
    """
    check_value("n_jobs", n_jobs, N_JOBS)
    check_value("verbose", verbose, VERBOSE)
    warn_of_leakage(corpus, splits, stacklevel=4)
    files: list[Path | None] = [None] * len(splits)
    if checkpoint is not None:
        folder = Path(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        signatures = [signature(clip) for clip in corpus.clips]
        parts = {
            "pipeline": without_conveniences(pipeline),
            "measure": measure,
            "corpus": [signatures, corpus.target, corpus.groups],
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
            finished = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                delayed(_run_fold)(i, cached, corpus, *splits[i], measure, files[i]) for i in todo
            )
            bar = progress(
                finished,
                desc="folds",
                unit="fold",
                total=len(splits),
                initial=len(folds),
                disable=not verbose,
            )
            folds.update(bar)
    return [folds[i] for i in range(len(splits))]


def fit_and_measure(
    pipeline: Any,
    corpus: Corpus,
    train: np.ndarray,
    test: np.ndarray,
    measure: Measure = measure_probabilities,
    watch: Callable[[Any], None] | None = None,
) -> Fold:
    """Fit a clone on the train part with `fit_fold`, and measure it on the test part."""
    start = time.perf_counter()
    fitted = fit_fold(pipeline, corpus.clips, corpus.target, corpus.groups, train, watch)
    middle = time.perf_counter()
    measured = measure(fitted, corpus, test)
    end = time.perf_counter()
    return Fold(
        measured,
        fit_seconds=round(middle - start, 3),
        predict_seconds=round(end - middle, 3),
        history=history_of(fitted.pipeline),
    )


def _run_fold(
    i: int,
    pipeline: Any,
    corpus: Corpus,
    train: np.ndarray,
    test: np.ndarray,
    measure: Measure,
    file: Path | None,
) -> tuple[int, Fold]:
    fold = fit_and_measure(pipeline, corpus, train, test, measure)
    if file is not None:
        with written_whole(file) as temporary:
            temporary.write_text(json.dumps(asdict(fold)))
    return i, fold


def without_conveniences(pipeline: Any) -> Any:
    """A clone without the parameters that change no score."""
    return set_everywhere(clone(pipeline), memory=None, n_jobs=None, verbose=0, checkpoint=None)


def history_of(pipeline: Any) -> dict[str, list[float]] | None:
    """How the first network in a fitted pipeline was trained; None if there is none."""
    for step in steps_of(pipeline):
        history = getattr(step, "history_", None)
        if isinstance(history, dict) and "loss" in history:
            return history
    return None


def signature(clip: Any) -> Any:
    """A path with its size and time of change, or a clip that is no file as it is."""
    return file_signature(clip) if isinstance(clip, str) and Path(clip).is_file() else clip
