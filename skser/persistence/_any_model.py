"""Model files and joblib files, distinguished by suffix and first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._utils._files import written_whole
from .._utils._types import EmotionPipeline, PathLike
from ..exceptions import DataError, ModelError, ParameterError
from . import ModelInfo, load, save
from ._container import is_model_file

_JOBLIB = {".joblib", ".pkl", ".pickle"}


def save_model(
    pipeline: EmotionPipeline,
    path: PathLike,
    info: ModelInfo | None = None,
    *,
    include_encoder: bool = False,
) -> None:
    """Save a fitted pipeline; a joblib file has no ``info``, and no encoder."""
    check_include_encoder(path, include_encoder)
    if Path(path).suffix in _JOBLIB:
        import joblib

        with written_whole(path) as temporary:
            joblib.dump(pipeline, temporary, compress=3)
    else:
        save(pipeline, path, info=info, include_encoder=include_encoder)


def check_include_encoder(path: PathLike, include_encoder: bool) -> None:
    """Raise ParameterError if the encoder is to be in a joblib file."""
    if include_encoder and Path(path).suffix in _JOBLIB:
        raise ParameterError(
            "include_encoder must be False for joblib files, which keep no encoder, got True for "
            f"{path}; the suffix .skser names a model file"
        )


def load_model(path: PathLike, *, runtime: str = "auto", trusted: Sequence[str] = ()) -> Any:
    """Load a file that `save_model` wrote; loading a joblib file can run any code."""
    if not Path(path).is_file() or not is_joblib(path):
        return load(path, runtime=runtime, trusted=trusted)  # type: ignore[arg-type]  # checked there
    import joblib

    try:
        model = joblib.load(path)
    except Exception as error:
        # Unpickling other content raises almost anything.
        raise ModelError(f"{path}: cannot be loaded with joblib ({error})") from error
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_"):
        raise DataError(f"{path}: holds a {type(model).__name__}, not a fitted emotion pipeline")
    return model


def is_joblib(path: PathLike) -> bool:
    """Whether an existing file has to be loaded with joblib."""
    return Path(path).suffix in _JOBLIB and not is_model_file(path)
