"""KeptPipeline: a pipeline that is fitted once on the same clips, in all trials and workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import joblib
from sklearn.pipeline import Pipeline

from .._files import written_whole
from .._folds import signature, without_conveniences
from .._identity import identify, own_code
from .._versions import versions
from ..clips import Clips


class KeptPipeline(Pipeline):
    """A member of a vote that trials leave as it is.

    Parameters
    ----------
    steps : list of (str, estimator)
        As of a Pipeline, like the other parameters.
    folder : str or path
        Where fitted steps are kept.
    """

    def __init__(
        self,
        steps: list[tuple[str, Any]],
        *,
        folder: Any = None,
        transform_input: list[str] | None = None,
        memory: Any = None,
        verbose: bool = False,
    ) -> None:
        self.steps: list[tuple[str, Any]]
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)
        self.folder = folder

    def fit(self, X: Any, y: Any = None, **params: Any) -> KeptPipeline:
        """Fit the steps, or take them as they were fitted on the same clips and labels."""
        # Clips know when their recordings change, and paths do not.
        is_paths = not isinstance(X, Clips) and isinstance(X[0], (str, os.PathLike))
        clips = [signature(clip) for clip in X] if is_paths else X
        what = identify(without_conveniences(Pipeline(self.steps)))
        key = joblib.hash((what, own_code(), versions(), clips, y, params))
        file = Path(self.folder) / f"{key}.joblib"
        if file.exists():
            self.steps = joblib.load(file)
            return self
        super().fit(X, y, **params)
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as temporary:
            joblib.dump(self.steps, temporary)
        return self
