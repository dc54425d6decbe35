"""Sharing: what trials have in common with the pipeline as it is, made once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import is_
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from .._folds import without_conveniences
from .._identity import identify
from .._nested import extractions, steps_before, steps_of
from ..voting import SoftVotingClassifier
from ._kept_pipeline import KeptPipeline
from ._remembered import RememberedFeatures


class Sharing:
    """Features, and fitted members of votes, that trials share.

    Parameters
    ----------
    pipeline : estimator
        As it is; trials change parameters of clones of it.
    folder : Path
        Keeps what is shared.
    """

    def __init__(self, pipeline: Any, folder: Path) -> None:
        self.folder = folder
        self._features = {_identity(one) for one in extractions(pipeline)}
        self._members = {
            _identity(Pipeline([*steps_before(pipeline, partial(is_, vote))[0], member]))
            for vote in steps_of(pipeline)
            if isinstance(vote, SoftVotingClassifier)
            for member in vote.estimators
        }

    @contextmanager
    def shared(self, pipeline: Any) -> Iterator[None]:
        """Let the pipeline of a trial share while the block lasts."""
        with TemporaryDirectory() as own:
            for vote in steps_of(pipeline):
                if isinstance(vote, SoftVotingClassifier):
                    self._keep_members(pipeline, vote)
            common = self.keep_features(pipeline)
            for one in extractions(pipeline):
                if one["features"].memory is None:
                    # What only this trial has would pile up.
                    one["features"].set_params(memory=own)
            for name, step in pipeline.get_params().items():
                if any(step is one for one in common):
                    params = step.get_params(deep=False)
                    pipeline.set_params(**{name: RememberedFeatures(**params)})
            yield

    def keep_features(self, pipeline: Any) -> list[Any]:
        """Have the extractors that trials have in common keep features; returns them."""
        common = [
            one["features"] for one in extractions(pipeline) if _identity(one) in self._features
        ]
        for extractor in common:
            if extractor.memory is None:
                extractor.set_params(memory=self.folder)
        return common

    def let_go(self, pipeline: Any) -> None:
        """Have a pipeline that goes its own way keep features here no longer."""
        for one in extractions(pipeline):
            if one["features"].memory == self.folder:
                one["features"].set_params(memory=None)

    def _keep_members(self, pipeline: Any, vote: Any) -> None:
        """Keep the fits of members that a trial leaves as they were, with all that is before."""
        before, _ = steps_before(pipeline, partial(is_, vote))
        kept = []
        for name, member in vote.estimators:
            is_common = _identity(Pipeline([*before, (name, member)])) in self._members
            if type(member) is Pipeline and is_common:
                member = KeptPipeline(
                    **member.get_params(deep=False), folder=self.folder / "skser-fits"
                )
            kept.append((name, member))
        vote.estimators = kept


def _identity(part: Any) -> str:
    """What a part of a pipeline does, for comparison."""
    return joblib.hash(identify(without_conveniences(part)))
