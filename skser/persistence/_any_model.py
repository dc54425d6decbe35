"""Models by the name of their file: joblib's suffixes for joblib, any other for a model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._utils._files import written_whole
from ..exceptions import DataError, ModelError
from . import ModelInfo, load, save
from ._container import is_model_file

_JOBLIB = {".joblib", ".pkl", ".pickle"}


def save_model(pipeline: Any, path: str | os.PathLike[str], info: ModelInfo | None = None) -> None:
    """Keep a fitted pipeline; joblib keeps nothing beside it."""
    if Path(path).suffix not in _JOBLIB:
        save(pipeline, path, info=info)
        return
    import joblib

    with written_whole(path) as temporary:
        joblib.dump(pipeline, temporary, compress=3)


def load_model(
    path: str | os.PathLike[str], *, runtime: str = "auto", trusted: Sequence[str] = ()
) -> Any:
    """Load what `save_model` kept; what was kept with joblib must come from a trusted hand."""
    if not Path(path).is_file():
        raise ModelError(f"{path}: is no file, so there is no model to load")
    if not is_joblib(path):
        return load(path, runtime=runtime, trusted=trusted)  # type: ignore[arg-type]  # which it checks
    import joblib

    try:
        model = joblib.load(path)
    except Exception as error:
        # Unpickling what is no pickle raises almost anything.
        raise ModelError(f"{path}: is no model that can be loaded ({error})") from error
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_"):
        raise DataError(f"{path}: holds a {type(model).__name__}, not a fitted emotion pipeline")
    return model


def check_is_model_file(path: str | os.PathLike[str]) -> None:
    """Raise ModelError for what was kept with joblib, which tells nothing without being run."""
    if Path(path).is_file() and is_joblib(path):
        raise ModelError(
            f"{path}: was kept with joblib, which says nothing of a model; `skser.save` does"
        )


def is_joblib(path: str | os.PathLike[str]) -> bool:
    """Whether a file is to be loaded with joblib."""
    return Path(path).suffix in _JOBLIB and not is_model_file(path)
