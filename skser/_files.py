"""Files written whole or not at all, and models kept with joblib."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import joblib

from .exceptions import DataError


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the block ends well."""
    final = Path(path)
    # The suffix stays, because it tells some writers the format.
    temporary = final.with_name(f".{final.stem}.{uuid.uuid4().hex}{final.suffix}")
    try:
        yield temporary
        os.replace(temporary, final)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Raise DataError now if a file could not be written there later."""
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise DataError(f"{path}: is a directory, so no file can be written there")
    if not folder.is_dir():
        raise DataError(f"{path}: its folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path}: its folder {folder} may not be written to")
    return path


def save_model(pipeline: Any, path: str | os.PathLike[str]) -> None:
    """Keep a fitted pipeline with joblib."""
    with written_whole(path) as temporary:
        joblib.dump(pipeline, temporary, compress=3)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a pipeline kept with `save_model`; like any pickle, it must come from a trusted hand."""
    if not Path(path).is_file():
        raise DataError(f"{path}: is no file, so there is no model to load")
    try:
        model = joblib.load(path)
    except Exception as error:
        # Unpickling what is no pickle raises almost anything.
        raise DataError(f"{path}: is no model that can be loaded ({error})") from error
    if not hasattr(model, "predict_proba") or not hasattr(model, "classes_"):
        raise DataError(f"{path}: holds a {type(model).__name__}, not a fitted emotion pipeline")
    return model
