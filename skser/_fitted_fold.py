"""A pipeline fitted on the train part of a fold, and asked about clips; speakers go where asked."""

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
from sklearn.utils.metadata_routing import get_routing_for_object

from ._nested import extractions
from .exceptions import DataError


@contextmanager
def features_kept(pipeline: Any, folder: str | os.PathLike[str] | None = None) -> Iterator[Any]:
    """A clone that keeps features while the block lasts, so that no fold extracts them again.

    In ``folder``, they outlast an interruption, and are deleted when the block ends well. Where the
    pipeline keeps them already, that is left alone.
    """
    pipeline = clone(pipeline)
    forgetful = [one["features"] for one in extractions(pipeline) if one["features"].memory is None]
    with TemporaryDirectory() as temporary:
        memory = Path(temporary) if folder is None else Path(folder) / ".skser-features"
        for extractor in forgetful:
            extractor.set_params(memory=memory)
        yield pipeline
        if forgetful and folder is not None:
            shutil.rmtree(memory, ignore_errors=True)


@dataclass(frozen=True)
class FittedFold:
    """A fitted pipeline and the speakers of all clips, if it asks for them."""

    pipeline: Any
    groups: np.ndarray | None

    def params_of(self, part: np.ndarray | slice) -> dict[str, np.ndarray]:
        """What its ``predict`` needs beside the clips of a part."""
        if self.groups is None or not asks(self.pipeline, "predict"):
            return {}
        return {"groups": self.groups[part]}

    def routing(self) -> AbstractContextManager[None]:
        """scikit-learn's metadata routing, where speakers have to be handed on."""
        return config_context(enable_metadata_routing=self.groups is not None)

    def probabilities(
        self, clips: Any, part: np.ndarray | slice, classes: np.ndarray
    ) -> np.ndarray:
        """Probabilities of ``classes``; without ``predict_proba``, all of it for the label."""
        asked, pipeline = clips[part], self.pipeline
        with self.routing():
            if hasattr(pipeline, "predict_proba"):
                found = pipeline.predict_proba(asked, **self.params_of(part))
            else:
                labels = pipeline.predict(asked, **self.params_of(part))
                found = labels[:, np.newaxis] == pipeline.classes_
        found = np.asarray(found, dtype=np.float64)
        good = np.isfinite(found).all(axis=1) & (found >= 0).all(axis=1) & (found.sum(axis=1) > 0)
        if not good.all():
            row = int(good.argmin())
            raise DataError(f"pipeline must give probabilities, got {found[row]} for {asked[row]}")
        probabilities = np.zeros((len(found), len(classes)))
        probabilities[:, np.searchsorted(classes, pipeline.classes_)] = found
        # In float32 they sum to 1 only nearly.
        return probabilities / probabilities.sum(axis=1, keepdims=True)


def fit_fold(
    pipeline: Any,
    clips: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray | None,
    train: np.ndarray,
    watch: Callable[[Any], None] | None = None,
) -> FittedFold:
    """Fit a clone on the train part, with its speakers if a step asks for them.

    ``watch`` is shown the clone before that.
    """
    pipeline = clone(pipeline)
    if watch is not None:
        watch(pipeline)
    fold = FittedFold(pipeline, groups if asks(pipeline, "fit") else None)
    params = {} if fold.groups is None else {"groups": fold.groups[train]}
    with fold.routing():
        pipeline.fit(clips[train], target[train], **params)
    return fold


def asks(pipeline: Any, method: str) -> bool:
    """Whether a step asks for speakers; some estimators cannot be asked about that."""
    try:
        return bool(get_routing_for_object(pipeline).consumes(method, ["groups"]))
    except NotImplementedError:
        return False
