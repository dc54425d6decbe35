"""A pipeline fitted on the train part of a fold; steps that consume ``groups`` get speakers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from ..exceptions import DataError
from ..recipes._steps import extractions


@contextmanager
def features_kept(pipeline: Any, checkpoint: str | os.PathLike[str] | None = None) -> Iterator[Any]:
    """A clone that caches features while the block lasts, so that folds do not extract them again.

    The cache is in ``checkpoint``, where it outlasts an interruption, and is deleted when the block
    ends well. A ``memory`` of the pipeline's own is left alone.
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

    pipeline: Any
    groups: np.ndarray | None

    def group_params(self, part: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """``groups`` of the clips of a part, if ``predict`` consumes them."""
        if self.groups is None or not consumes_groups(self.pipeline, "predict"):
            return {}
        return {"groups": self.groups[part]}

    def routing(self) -> AbstractContextManager[None]:
        """scikit-learn's metadata routing, where speakers have to be passed on."""
        return config_context(enable_metadata_routing=self.groups is not None)

    def predict(self, clips: Any, method: str = "predict") -> np.ndarray:
        """Labels of all clips, or what another method of the pipeline returns."""
        with self.routing():
            return getattr(self.pipeline, method)(clips, **self.group_params())

    def probabilities(self, clips: Any, part: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Probabilities of ``classes`` for a part of the clips.

        Without ``predict_proba``, the predicted label has probability 1.
        """
        tested = _safe_indexing(clips, part)
        fold = FittedFold(self.pipeline, None if self.groups is None else self.groups[part])
        if hasattr(self.pipeline, "predict_proba"):
            predicted = np.asarray(fold.predict(tested, "predict_proba"), dtype=np.float64)
        else:
            predicted = 1.0 * (fold.predict(tested)[:, np.newaxis] == self.pipeline.classes_)
        total = predicted.sum(axis=1)
        valid = np.isfinite(predicted).all(axis=1) & (predicted >= 0).all(axis=1) & (total > 0)
        if not valid.all():
            row = int(valid.argmin())
            raise DataError(
                f"pipeline must give probabilities, got {predicted[row]} for {tested[row]}"
            )
        probabilities = np.zeros((len(predicted), len(classes)))
        probabilities[:, np.searchsorted(classes, self.pipeline.classes_)] = predicted
        # In float32 they sum to 1 only nearly.
        return probabilities / probabilities.sum(axis=1, keepdims=True)


def fit_fold(
    pipeline: Any,
    clips: Any,
    target: np.ndarray,
    groups: np.ndarray | None,
    train: np.ndarray,
    watch: Callable[[Any], None] | None = None,
    **fit_params: Any,
) -> FittedFold:
    """Fit a clone on the train part, with its speakers if a step consumes them.

    ``watch`` is called with the clone before that. Of ``fit_params`` with a row for each clip, the
    train part is passed.
    """
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


def consumes_groups(pipeline: Any, method: str) -> bool:
    """Whether a step consumes ``groups``; some estimators do not support that question."""
    try:
        return bool(get_routing_for_object(pipeline).consumes(method, ["groups"]))
    except NotImplementedError:
        return False
