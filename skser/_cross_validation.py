"""Labels of clips whose speaker was not trained on."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.utils.parallel import Parallel, delayed

from ._nested import extractions, set_everywhere
from ._progress import progress

# With more speakers than this, they are put together into this many folds.
_MOST_FOLDS = 10


def predict_by_speaker(
    pipeline: Any,
    paths: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Label every clip with a pipeline that never heard its speaker, ``n_jobs`` folds at a time.

    Features are extracted once for all folds, into the ``memory`` of the pipeline's extractors or a
    temporary folder.
    """
    n_speakers = len(np.unique(groups))
    splitter = LeaveOneGroupOut() if n_speakers <= _MOST_FOLDS else GroupKFold(_MOST_FOLDS)
    folds = list(splitter.split(paths, target, groups))
    with TemporaryDirectory() as folder:
        pipeline = clone(pipeline)
        for extraction in extractions(pipeline):
            if extraction["features"].memory is None:
                extraction.set_params(features__memory=Path(folder))
            extraction.fit_transform(paths)
        set_everywhere(pipeline, features__verbose=0, classify__verbose=0)
        labels = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_fit_and_predict)(pipeline, paths[train], target[train], paths[test])
            for train, test in folds
        )
        predicted = np.empty_like(target)
        bar = progress(labels, desc="cross-validation", unit="fold", total=len(folds))
        with warnings.catch_warnings():
            # TensorFlow makes workers large, and joblib replaces them.
            warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
            for (_, test), labels_of_fold in zip(folds, bar, strict=True):
                predicted[test] = labels_of_fold
    return predicted


def speaker_scores(target: np.ndarray, predicted: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    """Number of clips and UAR of each speaker."""
    rows = []
    for speaker in np.unique(groups):
        own = groups == speaker
        uar = balanced_accuracy_score(target[own], predicted[own])
        rows.append({"speaker": speaker, "n_clips": int(own.sum()), "uar": uar})
    return pd.DataFrame(rows)


def _fit_and_predict(
    pipeline: Any, paths: np.ndarray, target: np.ndarray, new_paths: np.ndarray
) -> np.ndarray:
    return clone(pipeline).fit(paths, target).predict(new_paths)
