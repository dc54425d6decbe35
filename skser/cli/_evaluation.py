"""Options of ``skser evaluate``: checks, and folds and corpora by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from .._utils._param_validation import check_value, one_of
from ..exceptions import DataError, ParameterError
from ..features import FeatureScaler, SpeakerNormalizer
from ..model_selection import SpeakerTextKFold, ravdess_folds
from ..recipes._steps import steps_of
from ._outputs import check_folder

_FOLDS = one_of("speakers", "sentences", "luna-jimenez", "emobox", "random")


def check_options(out: Path | None, model: Path | None, **options: Any) -> None:
    """Raise ParameterError for options that exclude each other, or a folder that is not writable.

    ``options`` are the other options of ``skser evaluate`` by their names.
    """
    folds = options["folds"]
    check_folds(folds)
    is_set = {f"--{name}": bool(value) for name, value in options.items()}
    is_set["--folds"] = folds != "speakers"
    is_set["--recipe"] = options["recipe"] != "default"
    for name in is_set:
        if model is not None and is_set[name]:
            raise ParameterError(f"{name} must be left out with --model, which is not fitted again")
    if is_set["--leakage"] and is_set["--folds"]:
        raise ParameterError(f"--leakage must have --folds speakers, got {folds!r}")
    if is_set["--leakage"] and is_set["--transductive"]:
        raise ParameterError(
            "--leakage must be used without --transductive: a random fold has too few clips of a "
            "speaker to normalize by"
        )
    if is_set["--transductive"] and folds in ("sentences", "random"):
        raise ParameterError(
            f"--transductive must be used with folds of whole speakers, got --folds {folds}"
        )
    if out is not None:
        check_folder(out)


def check_folds(name: str) -> None:
    """Raise ParameterError for an unknown name of folds."""
    check_value("--folds", name, _FOLDS)


def choose_folds(name: str, corpus: Bunch, data: Path) -> BaseCrossValidator | None:
    """The splitter with this name, None for the default of `evaluate`."""
    if name == "random":
        return StratifiedKFold(10, shuffle=True, random_state=0)
    if corpus.groups is None or len(np.unique(corpus.groups)) < 2:
        raise DataError(
            f"{data}: at least two known speakers are needed to leave one out; --speaker says "
            "where their names are"
        )
    if name == "speakers":
        return None
    return SpeakerTextKFold(5) if name == "sentences" else ravdess_folds(name)


def name_corpora(data: Path, others: list[Path]) -> dict[str, Path]:
    """The other corpora by the names of their folders or tables, which must differ."""
    names = [path.resolve().stem for path in (data, *others)]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"--across must be corpora with different names, got {name} twice")
    return dict(zip(names[1:], others, strict=True))


def normalize_by_speaker(pipeline: Pipeline) -> None:
    """Replace every scaler by a transductive SpeakerNormalizer."""
    if not any(isinstance(step, FeatureScaler) for step in steps_of(pipeline)):
        raise ParameterError("--transductive must be left out: the recipe has no scaler")
    for owner in steps_of(pipeline):
        if "scale" in getattr(owner, "named_steps", {}):
            owner.set_params(scale=SpeakerNormalizer(transductive=True))
