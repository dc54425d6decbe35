"""Options of ``skser evaluate``: checks, and folds and corpora by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import Bunch

from .._utils._param_validation import check_value, one_of
from ..evaluation._splits import own_split, random_cv
from ..exceptions import DataError, ParameterError
from ..model_selection import SpeakerTextKFold, ravdess_folds
from ..recipes import get_recipe
from ._outputs import check_folder

_FOLDS = one_of("auto", "speakers", "sentences", "luna-jimenez", "emobox", "random")
# Options of fits, and their values where they are not given.
_FIT_OPTIONS: dict[str, tuple[object, ...]] = {
    "recipe": ("default",),
    "baseline": (None,),
    "folds": ("auto", "speakers"),
    "transductive": (False,),
    "leakage": (False,),
    "explain": (False,),
    "across": (None, (), []),
    "cross_corpus": (False,),
    "set_": (None, (), []),
}


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ParameterError for options that exclude each other or an unwritable folder."""
    folds = options["folds"]
    check_folds(folds)
    given = [name for name, absent in _FIT_OPTIONS.items() if options[name] not in absent]
    if options["model"] is not None and given:
        name = given[0].rstrip("_").replace("_", "-")
        raise ParameterError(f"--{name} must be left out with --model, which is not fitted again")
    if "leakage" in given and "folds" in given:
        raise ParameterError(f"--leakage must have --folds speakers, got {folds!r}")
    if "leakage" in given and "transductive" in given:
        raise ParameterError(
            "--leakage must be used without --transductive: a random fold has too few clips of a "
            "speaker to normalize by"
        )
    if "transductive" in given and folds in ("sentences", "random"):
        raise ParameterError(
            f"--transductive must be used with folds of whole speakers, got --folds {folds}"
        )
    if options["out"] is not None:
        check_folder(Path(options["out"]), options["data"])


def check_several(options: Mapping[str, Any], n_corpora: int) -> None:
    """Raise ParameterError for options that need another number of corpora."""
    if options["cross_corpus"] and n_corpora == 1:
        raise ParameterError("--cross-corpus must be used with several corpora, got one")
    if options["across"] and n_corpora > 1:
        raise ParameterError(
            f"--across must be left out with several corpora, got {n_corpora}: --cross-corpus "
            "tests on each of them"
        )
    folds = options["folds"]
    if n_corpora > 1 and folds in ("luna-jimenez", "emobox"):
        raise ParameterError(f"--folds {folds} must be used with RAVDESS alone, got {n_corpora}")


def check_folds(name: str) -> None:
    """Raise ParameterError for an unknown name of folds."""
    check_value("--folds", name, _FOLDS)


def describe_recipe(name: str, settings: Sequence[str] | None) -> str:
    """The recipe with its settings, and what it makes by the first line of its docstring."""
    made = (inspect.getdoc(get_recipe(name)) or "").partition("\n")[0].removeprefix("Make ")
    chosen = f" with {', '.join(settings)}" if settings else ""
    return f"Recipe {name}{chosen}: {made}" if made else f"Recipe {name}{chosen}."


def choose_folds(name: str, corpus: Bunch, data: Sequence[Path]) -> BaseCrossValidator | None:
    """The splitter with this name, None for the default of `evaluate`."""
    if name == "auto" and own_split(corpus.frame.get("split", [])) is not None:
        return None
    if name == "random":
        return random_cv(corpus.paths, 10)
    if corpus.groups is None or len(np.unique(corpus.groups)) < 2:
        names = ", ".join(map(str, data))
        raise DataError(
            f"{names}: at least two known speakers are needed to leave one out; --speaker says "
            "where their names are"
        )
    if name in ("auto", "speakers"):
        return None
    return SpeakerTextKFold(5) if name == "sentences" else ravdess_folds(name)
