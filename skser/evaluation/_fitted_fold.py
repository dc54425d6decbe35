"""A pipeline fitted on the train part of a fold, with speakers and corpora for its steps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from .._utils._types import PathLike, Recordings
from ..exceptions import DataError
from ..recipes._standardization import is_standardized_by_corpus
from ..recipes._steps import extractions

# ``groups``, the speakers of all clips, and ``domains``, their corpora, as far as they are known.
Metadata = Mapping[str, np.ndarray]


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
    """A fitted pipeline, and the metadata of all clips that it may consume."""

    pipeline: BaseEstimator
    metadata: Metadata

    def params(self, part: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """The metadata of the clips of a part that ``predict`` consumes."""
        names = consumed(self.pipeline, "predict", self.metadata)
        return {name: self.metadata[name][part] for name in names}

    def routing(self) -> AbstractContextManager[None]:
        """scikit-learn's metadata routing, if there is metadata to pass on."""
        return config_context(enable_metadata_routing=bool(self.metadata))

    def predict(
        self, clips: Recordings, method: str = "predict", part: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Result of a method of the pipeline for all clips."""
        with self.routing():
            return getattr(self.pipeline, method)(clips, **self.params(part))

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
                f"pipeline must return probabilities, got {predicted[row]} for "
                f"{_safe_indexing(tested, row)}"
            )
        probabilities = np.zeros((len(predicted), len(classes)))
        probabilities[:, np.searchsorted(classes, self.pipeline.classes_)] = predicted
        # In float32 they sum to 1 only nearly.
        return probabilities / probabilities.sum(axis=1, keepdims=True)


def fit_fold(
    pipeline: BaseEstimator,
    clips: Recordings,
    target: np.ndarray,
    metadata: Metadata,
    train: np.ndarray,
    watch: Callable[[BaseEstimator], None] | None = None,
    **fit_params: object,
) -> FittedFold:
    """Fit a clone on the train part, after a call of ``watch`` with it.

    If it consumes ``sample_weight``, several corpora in the train part have the same total weight.
    """
    pipeline = clone(pipeline)
    if watch is not None:
        watch(pipeline)
    used = fit_metadata(pipeline, metadata)
    params = {name: values[train] for name, values in used.items()}
    if "domains" in metadata and consumed(pipeline, "fit", ["sample_weight"]):
        params |= _alike(metadata["domains"][train])
    with config_context(enable_metadata_routing=bool(params)):
        params |= _check_method_params(clips, fit_params, indices=train)
        pipeline.fit(_safe_indexing(clips, train), target[train], **params)
    return FittedFold(pipeline, used)


def fit_metadata(pipeline: BaseEstimator, metadata: Metadata) -> Metadata:
    """The metadata that ``fit`` consumes; DataError if it needs corpora that are not known."""
    if "domains" not in metadata and is_standardized_by_corpus(pipeline):
        raise DataError(
            "corpus must have a column corpus in its frame, which the pipeline standardises by, "
            "got none or missing values"
        )
    names = consumed(pipeline, "fit", metadata)
    return {name: metadata[name] for name in metadata if name in names}


def _alike(domains: np.ndarray) -> dict[str, np.ndarray]:
    """``sample_weight`` of mean 1 with the same sum for each domain; none for a single one."""
    if len(np.unique(domains)) < 2:
        return {}
    return {"sample_weight": compute_sample_weight("balanced", domains)}


def consumed(pipeline: BaseEstimator, method: str, names: Iterable[str]) -> set[str]:
    """Names of metadata that a step consumes; none for estimators without metadata routing."""
    try:
        return set(get_routing_for_object(pipeline).consumes(method, list(names)))
    except NotImplementedError:
        return set()
