"""What trials share with the baseline, made once: features, and fitted members of votes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import is_
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from .._utils._files import written_whole
from .._utils._hashing import fingerprint, identify
from .._utils._types import Recordings
from ..classifiers import SoftVotingClassifier
from ..evaluation._folds import signature, without_conveniences
from ..recipes._steps import extractions, steps_before, steps_of


class SharedParts:
    """Keeps the parts of a pipeline that trials leave as they are, in the folder ``memory``."""

    def __init__(self, pipeline: BaseEstimator, memory: Path) -> None:
        self.memory = memory
        branches = [branch for _, branch in _branches(pipeline)]
        self._shared = {_identity(part) for part in (*extractions(pipeline), *branches)}

    @contextmanager
    def keep_features(self, pipeline: BaseEstimator) -> Iterator[tuple[Path, str]]:
        """Have the extractors of a pipeline keep features while the block lasts.

        Features of this pipeline alone go to a temporary folder, so that they do not pile up.
        Yields both folders.
        """
        with TemporaryDirectory() as temporary:
            for extraction in extractions(pipeline):
                if extraction["features"].memory is None:
                    is_shared = _identity(extraction) in self._shared
                    extraction["features"].set_params(
                        memory=self.memory if is_shared else temporary
                    )
            yield self.memory, temporary

    def keep_members(self, pipeline: BaseEstimator) -> None:
        """Have the members of votes that a trial leaves as they are load their earlier fits."""
        for vote, branch in list(_branches(pipeline)):
            if _identity(branch) in self._shared:
                name, member = branch.steps[-1]
                params = {**member.get_params(deep=False), "memory": self.memory / "fits"}
                vote.set_params(**{name: KeptPipeline(**params)})


class KeptPipeline(Pipeline):
    """A pipeline that is fitted once on the same clips; the folder ``memory`` keeps its fits."""

    steps: list[tuple[str, BaseEstimator]]

    def fit(self, X: Recordings, y: ArrayLike, **params: object) -> KeptPipeline:
        """Fit the steps, or load them as they were fitted on the same clips and labels."""
        member = Pipeline(self.steps, transform_input=self.transform_input)
        is_recordings = isinstance(X, np.ndarray) and X.dtype == object
        parts = {
            "the member": without_conveniences(member),
            "clips": [signature(clip) for clip in X] if is_recordings else X,
            "labels": [y, params],
        }
        file = Path(self.memory, f"{fingerprint(parts, parameter='memory')}.joblib")
        if file.exists():
            self.steps = joblib.load(file)
            return self
        self.steps = member.fit(X, y, **params).steps
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as temporary:
            joblib.dump(self.steps, temporary)
        return self


def _branches(pipeline: BaseEstimator) -> Iterator[tuple[SoftVotingClassifier, Pipeline]]:
    """Each vote, with the steps up to the end of each of its members that is a pipeline."""
    for vote in steps_of(pipeline):
        if isinstance(vote, SoftVotingClassifier):
            before, _ = steps_before(pipeline, partial(is_, vote))
            for name, member in vote.estimators:
                if isinstance(member, Pipeline) and not isinstance(member, KeptPipeline):
                    yield vote, Pipeline([*before, (name, member)])


def _identity(part: Any) -> str:
    """Hash of what a part of a pipeline does."""
    return joblib.hash(identify(without_conveniences(part)))
