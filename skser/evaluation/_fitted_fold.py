"""A pipeline fitted on the train part of a fold, with speakers for steps that consume them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from .._utils._types import PathLike, Recordings
from ..exceptions import DataError
from ..recipes._steps import extractions


@contextmanager
def features_kept(
    pipeline: BaseEstimator, checkpoint: PathLike | None = None
) -> Iterator[BaseEstimator]:
    """A clone that caches features within a ``with`` block, so that folds share them.

    The cache in ``checkpoint`` survives an interruption; it is deleted when the block succeeds. An
    extractor that has a ``memory`` keeps its own.
    """
    pipeline = clone(pipeline)
    extractors = [steps["features"] for steps in extractions(pipeline)]
    extractors = [extractor for extractor in extractors if extractor.memory is None]
    with TemporaryDirectory() as temporary:
        memory = Path(temporary) if checkpoint is None else Path(checkpoint) / ".skser-features"
        for extractor in extractors:
            extractor.set_params(memory=memory)
        yield pipeline
        if extractors and checkpoint is not None:
            shutil.rmtree(memory, ignore_errors=True)


@dataclass(frozen=True)
class FittedFold:
    """A fitted pipeline, and the speakers of all clips if a step consumes them."""

    pipeline: BaseEstimator
    groups: np.ndarray | None

    def group_params(self, part: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """``groups`` of the clips of a part, if ``predict`` consumes them."""
        if self.groups is None or not consumes_groups(self.pipeline, "predict"):
            return {}
        return {"groups": self.groups[part]}

    def routing(self) -> AbstractContextManager[None]:
        """scikit-learn's metadata routing, if there are speakers to pass on."""
        return config_context(enable_metadata_routing=self.groups is not None)

    def predict(
        self, clips: Recordings, method: str = "predict", part: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Result of a method of the pipeline for all clips."""
        with self.routing():
            return getattr(self.pipeline, method)(clips, **self.group_params(part))

    def probabilities(self, clips: Recordings, part: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Probabilities of some clips; 1 for the predicted label without ``predict_proba``."""
        tested = _safe_indexing(clips, part)
        has_probabilities = hasattr(self.pipeline, "predict_proba")
        predicted = self.predict(tested, "predict_proba" if has_probabilities else "predict", part)
        if not has_probabilities:
            predicted = predicted[:, np.newaxis] == self.pipeline.classes_
        predicted = np.asarray(predicted, dtype=np.float64)
        total = predicted.sum(axis=1)
        valid = np.isfinite(predicted).all(axis=1) & (predicted >= 0).all(axis=1) & (total > 0)
        if not valid.all():
            row = int(valid.argmin())
            raise DataError(
                f"pipeline must return probabilities, got {predicted[row]} for {tested[row]}"
            )
        probabilities = np.zeros((len(predicted), len(classes)))
        probabilities[:, np.searchsorted(classes, self.pipeline.classes_)] = predicted
        # In float32 they sum to 1 only nearly.
        return probabilities / probabilities.sum(axis=1, keepdims=True)


def fit_fold(
    pipeline: BaseEstimator,
    clips: Recordings,
    target: np.ndarray,
    groups: np.ndarray | None,
    train: np.ndarray,
    watch: Callable[[BaseEstimator], None] | None = None,
    **fit_params: object,
) -> FittedFold:
    """Fit a clone on the train part, after a call of ``watch`` with it."""
    pipeline = clone(pipeline)
    if watch is not None:
        watch(pipeline)
    fold = FittedFold(pipeline, groups if consumes_groups(pipeline, "fit") else None)
    params = _check_method_params(clips, fit_params, indices=train)
    if fold.groups is not None:
        params["groups"] = fold.groups[train]
    with fold.routing():
        pipeline.fit(_safe_indexing(clips, train), target[train], **params)
    return fold


def consumes_groups(pipeline: BaseEstimator, method: str) -> bool:
    """Whether a step consumes ``groups``; False for estimators without metadata routing."""
    try:
        return bool(get_routing_for_object(pipeline).consumes(method, ["groups"]))
    except NotImplementedError:
        return False
