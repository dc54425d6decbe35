"""Fit a pipeline and measure it fold by fold, in parallel, and go on where it was."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from ._corpus_parts import Parts
from ._files import written_whole
from ._fitted_fold import FittedFold, features_kept, fit_fold
from ._identity import hash_of, identify, own_code
from ._nested import extractions, set_everywhere, steps_of
from ._progress import progress
from ._versions import versions
from .audio import file_signature


@dataclass(frozen=True)
class Fold:
    """What was measured on the test part of a fold.

    Attributes
    ----------
    measured : list
        By default the probabilities, (n_test, n_classes), in the order of the classes of all clips.
    fit_seconds, predict_seconds : float
        How long it took.
    history : dict of list of float or None
        Training of its network, if it has one.
    """

    measured: list[Any]
    fit_seconds: float
    predict_seconds: float
    history: dict[str, list[float]] | None


# Measures a fitted pipeline; of all clips and their labels, those at some indices.
Measure = Callable[[FittedFold, np.ndarray, np.ndarray, np.ndarray], list[Any]]


def probabilities_of(
    fitted: FittedFold, clips: np.ndarray, target: np.ndarray, test: np.ndarray
) -> list[list[float]]:
    """Probabilities of all classes for the clips of a test part."""
    return fitted.probabilities(clips, test, np.unique(target)).tolist()


def run_folds(
    pipeline: Any,
    clips: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray | None,
    parts: Parts,
    *,
    measure: Measure = probabilities_of,
    n_jobs: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> list[Fold]:
    """Fit a pipeline on the one side of each part, and measure it on the other.

    Parameters
    ----------
    pipeline : estimator
        Not fitted, and not changed.
    clips : ndarray of shape (n_clips,)
        Paths or waveforms.
    target, groups : ndarray of shape (n_clips,)
        Labels, and speakers where they are known.
    parts : list of (train, test)
        Indices of clips.
    measure : callable, default=probabilities_of
        Gives what JSON can hold.
    n_jobs : int or None, default=None
        Folds at a time.
    folder : str, path or None, default=None
        Keeps finished folds; what is there already is not done again.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    folds : list of Fold
    """
    files: list[Path | None] = [None] * len(parts)
    if folder is not None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        common = _digest(pipeline, measure, [signature(clip) for clip in clips], target, groups)
        files = [folder / f"{joblib.hash((common, *part))}.json" for part in parts]
    folds = {i: _read(file) for i, file in enumerate(files) if file is not None and file.exists()}
    todo = [i for i in range(len(parts)) if i not in folds]
    if todo:
        with features_kept(pipeline, folder) as kept, warnings.catch_warnings():
            for extraction in extractions(kept):
                extraction.fit_transform(clips)
            set_everywhere(kept, features__verbose=0, classify__verbose=0)
            # TensorFlow makes workers large, and joblib replaces them.
            warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
            found = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                delayed(_run_fold)(i, kept, clips, target, groups, *parts[i], measure, files[i])
                for i in todo
            )
            bar = progress(
                found,
                desc="folds",
                unit="fold",
                total=len(parts),
                initial=len(folds),
                disable=not verbose,
            )
            folds.update(bar)
    return [folds[i] for i in range(len(parts))]


def without_conveniences(pipeline: Any) -> Any:
    """A clone without the parameters that change no score."""
    return set_everywhere(
        clone(pipeline),
        features__memory=None,
        features__n_jobs=None,
        features__verbose=0,
        classify__verbose=0,
        **{"__checkpoint": None, "__n_jobs": None},  # of a search around a pipeline
    )


def history_of(pipeline: Any) -> dict[str, list[float]] | None:
    """How the first network in a fitted pipeline was trained; None if there is none."""
    for step in steps_of(pipeline):
        history = getattr(step, "history_", None)
        if isinstance(history, dict) and "loss" in history:
            return history
    return None


def _run_fold(
    i: int,
    pipeline: Any,
    clips: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray | None,
    train: np.ndarray,
    test: np.ndarray,
    measure: Measure,
    file: Path | None,
) -> tuple[int, Fold]:
    start = time.perf_counter()
    fitted = fit_fold(pipeline, clips, target, groups, train)
    middle = time.perf_counter()
    measured = measure(fitted, clips, target, test)
    end = time.perf_counter()
    fold = Fold(
        measured,
        fit_seconds=round(middle - start, 3),
        predict_seconds=round(end - middle, 3),
        history=history_of(fitted.pipeline),
    )
    if file is not None:
        with written_whole(file) as temporary:
            temporary.write_text(json.dumps(asdict(fold)))
    return i, fold


def _digest(pipeline: Any, measure: Measure, *data: Any) -> str:
    """What the outcome of a fold depends on, but for its clips."""
    what = (identify(without_conveniences(pipeline)), identify(measure))
    modules = {type(step).__module__.partition(".")[0] for step in steps_of(pipeline)}
    packages = {name for module in modules for name in packages_distributions().get(module, [])}
    known = (what, data, own_code(), versions(*sorted(packages)))
    return hash_of(known, "pipeline", "folder")


def signature(clip: Any) -> Any:
    """A waveform, or a path with what changes when the file does."""
    is_file = not isinstance(clip, np.ndarray) and Path(clip).is_file()
    return file_signature(clip) if is_file else clip


def _read(file: Path) -> Fold:
    """A finished fold; files are written whole, so one that is there is good."""
    return Fold(**json.loads(file.read_text()))
