"""Features that trials share with the baseline, extracted once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from .._utils._hashing import identify
from ..evaluation._folds import without_conveniences
from ..recipes._steps import extractions


class SharedFeatures:
    """Keeps the features of a pipeline for all trials that extract the same ones.

    Parameters
    ----------
    pipeline : estimator
        The baseline; trials set parameters of its clones.
    memory : Path
        Folder of the features.
    """

    def __init__(self, pipeline: Any, memory: Path) -> None:
        self.memory = memory
        self._shared = {_identity(extraction) for extraction in extractions(pipeline)}

    @contextmanager
    def kept(self, pipeline: Any) -> Iterator[tuple[Any, ...]]:
        """Have the extractors of a pipeline keep features while the block lasts.

        Features of this pipeline alone go to a temporary folder, so that they do not pile up.
        Yields both folders.
        """
        with TemporaryDirectory() as temporary:
            for extraction in extractions(pipeline):
                extractor = extraction["features"]
                if extractor.memory is None:
                    is_shared = _identity(extraction) in self._shared
                    extractor.set_params(memory=self.memory if is_shared else temporary)
            yield self.memory, temporary


def _identity(extraction: Pipeline) -> str:
    """Hash of the parameters that features depend on."""
    return joblib.hash(identify(without_conveniences(extraction)))
