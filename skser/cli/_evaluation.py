"""Options of ``skser evaluate``: what goes together, folds and corpora by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Bunch

from .._nested import steps_of
from .._validation import check_value, one_of
from ..exceptions import DataError, ParameterError
from ..features import FeatureScaler, SpeakerNormalizer
from ..model_selection import SpeakerTextKFold, ravdess_folds

_FOLDS = one_of("speakers", "sentences", "luna-jimenez", "emobox", "random")


def check_options(out: Path | None, model: Path | None, **options: Any) -> None:
    """Raise ParameterError now for options that do not go together, or cannot be written to.

    ``options`` are those of ``skser evaluate`` by their names, except for what is scored.
    """
    folds = options["folds"]
    check_folds(folds)
    is_set = {f"--{name}": bool(value) for name, value in options.items()}
    is_set["--folds"] = folds != "speakers"
    is_set["--recipe"] = options["recipe"] != "default"
    for name in is_set:
        if model is not None and is_set[name]:
            raise ParameterError(f"{name} must be left out with --model, which is taken as it is")
    if is_set["--leakage"] and is_set["--folds"]:
        raise ParameterError(f"--leakage must have --folds speakers, got {folds!r}")
    if is_set["--leakage"] and is_set["--transductive"]:
        raise ParameterError(
            "--leakage must be used without --transductive: random folds have too few clips of a "
            "speaker"
        )
    if is_set["--transductive"] and folds in ("sentences", "random"):
        raise ParameterError(
            f"--transductive must be used with folds of whole speakers, got --folds {folds}"
        )
    if out is not None:
        check_folder(out)


def check_folds(name: str) -> None:
    """Raise ParameterError for folds of another name."""
    check_value("--folds", name, _FOLDS)


def check_folder(out: Path) -> None:
    """Raise ParameterError now if there could be no folder of ``--out`` to write to."""
    if out.exists() and not out.is_dir():
        raise ParameterError(f"--out must be a folder, got the file {out}")
    nearest = next(one for one in (out.absolute(), *out.absolute().parents) if one.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        why = "may not be written to" if nearest.is_dir() else "is no folder"
        raise ParameterError(f"--out must be a folder to write to, got {out} ({nearest} {why})")


def choose_folds(name: str, corpus: Bunch, data: Path) -> Any:
    """The splitter of that name for a corpus; None is evaluate's own."""
    if name == "random":
        return StratifiedKFold(10, shuffle=True, random_state=0)
    if corpus.groups is None or len(np.unique(corpus.groups)) < 2:
        raise DataError(
            f"{data}: the speakers are not known, or there is only one, so none can be left out; "
            "say with --speaker where they are named"
        )
    if name == "speakers":
        return None
    return SpeakerTextKFold(5) if name == "sentences" else ravdess_folds(name)


def name_corpora(data: Path, others: list[Path]) -> dict[str, Path]:
    """The other corpora by the names of their folders or tables, which have to differ."""
    names = [path.resolve().stem for path in (data, *others)]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"--across must be corpora of other names, got {name} twice")
    return dict(zip(names[1:], others, strict=True))


def normalize_by_speaker(pipeline: Any) -> None:
    """Put a transductive SpeakerNormalizer in the place of every scaler."""
    if not any(isinstance(step, FeatureScaler) for step in steps_of(pipeline)):
        raise ParameterError("--transductive must be left out: the recipe has no step scale")
    for owner in steps_of(pipeline):
        if "scale" in getattr(owner, "named_steps", {}):
            owner.set_params(scale=SpeakerNormalizer(transductive=True))
