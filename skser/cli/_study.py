"""Options of ``skser tune``: the search space, and what is said of trials."""

from __future__ import annotations

import ast
import json
import math
import runpy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from sklearn.utils import Bunch

from .._findings import Findings
from .._models import save_model
from .._nested import set_everywhere
from ..exceptions import LeakageWarning, ParameterError
from ..tuning import Tuning, combine, nested_evaluate, search_space, tune
from ..tuning._work import counts
from ..tuning.spaces import PARTS, Space

_RANGE = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=VALUE,VALUE,..."


def choose_space(pipeline: Any, names: Sequence[str], ranges: Sequence[str]) -> Space:
    """The search space of ``--space`` and ``--range``; without either, the ready one."""
    parts = [name for name in names if name in PARTS]
    files = [_load_space(name) for name in names if name not in PARTS]
    spaces = [_parse_range(text) for text in ranges]
    if parts or not (files or spaces):
        spaces.insert(0, search_space(pipeline, parts) if parts else search_space(pipeline))
    return combine(*spaces, *files)


def run_study(
    pipeline: Any,
    corpus: Bunch,
    space: Space,
    out: Path,
    *,
    nested: bool,
    say: Callable[[str], None],
    **how: Any,
) -> None:
    """Run trials, and when the study has all of them write what came of it.

    ``how`` goes to `tune`. Of several workers, the first one to see the end writes.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    n_trials = how["n_trials"]
    tuning = tune(
        pipeline,
        corpus,
        space,
        folder=out / "shared",
        callbacks=[lambda study, trial: say(told_trial(study, trial, n_trials))],
        **how,
    )
    with _alone(out):
        if _is_written(tuning, out):
            say(f"{out / 'study.json'} has it all already")
        else:
            _write(tuning, out, say)
        if nested:
            _write_nested(pipeline, corpus, space, out, say, how)
    if not nested:
        caveat = f"UAR {tuning.best_score:.3f} is {tuning.caveat}"
        warnings.warn(f"{caveat}; --nested says what tuning is worth", LeakageWarning, 2)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Have workers that end at the same time write one after another."""
    try:
        import fcntl
    except ImportError:  # on Windows: files are then written twice, whole each time
        yield
        return
    with open(folder / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_written(tuning: Tuning, out: Path) -> bool:
    """Whether files say what the study says; study.json is the last of them."""
    try:
        about = json.loads((out / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return about.get("n_trials") == counts(tuning.study)[1] and (out / "best.skser").is_file()


def _write(tuning: Tuning, out: Path, say: Callable[[str], None]) -> None:
    best = set_everywhere(tuning.best_pipeline(), verbose=0)
    save_model(best, out / "best.skser")
    for path in (out / "best.skser", *tuning.save(out)):
        say(f"wrote {path}")
    say(f"UAR {tuning.best_score:.3f}, as it is {tuning.baseline:.3f}")
    for name, value in tuning.best_params.items():
        say(f"  {name} = {value}")


def _write_nested(
    pipeline: Any,
    corpus: Bunch,
    space: Space,
    out: Path,
    say: Callable[[str], None],
    how: dict[str, Any],
) -> None:
    evaluation = nested_evaluate(
        pipeline,
        corpus,
        space,
        n_trials=how["n_trials"],
        timeout=how["timeout"],
        cv=how["cv"],
        n_jobs=how["n_jobs"],
        folder=out / "nested",
        random_state=how["random_state"],
        verbose=1,
    )
    findings = Findings(evaluation)
    for line in findings.summary_lines():
        say(line)
    for path in findings.write(out / "nested", title=out.resolve().name):
        say(f"wrote {path}")


def told_trial(study: Any, trial: Any, n_trials: int) -> str:
    """A finished trial in a line."""
    outcome = f"UAR {trial.value:.3f}" if trial.value is not None else "failed"
    if trial.state.name == "PRUNED":
        outcome = f"stopped at {outcome}"
    reason = trial.user_attrs.get("failure")
    if reason:
        outcome += f" ({reason.splitlines()[0]})"
    if trial.user_attrs.get("as_it_is"):
        outcome += ", the pipeline as it is"
    line = f"trial {trial.number}: {outcome} ({counts(study)[1]} of {n_trials})"
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return line
    best = max(complete, key=lambda one: one.value)
    return f"{line}; best {best.value:.3f}, trial {best.number}"


def _parse_range(text: str) -> Space:
    """``"classify__learning_rate=1e-4:1e-2:log"`` to a search space."""
    name, _, values = text.partition("=")
    pieces = values.split(":")
    is_log = pieces[-1] == "log"
    if not name or not values or len(pieces) - is_log > 2:
        raise ParameterError(f"--range must be {_RANGE}, got {text!r}")
    if len(pieces) == 1:
        choices = [_parse_value(piece) for piece in values.split(",")]
        return partial(
            _suggest, name=name, method="suggest_categorical", limits={"choices": choices}
        )
    try:
        low, high = (_parse_number(piece) for piece in pieces[:2])
        if not -math.inf < low < high < math.inf or (is_log and low <= 0):
            raise ValueError
    except ValueError:
        raise ParameterError(
            f"--range must be {_RANGE}, LOW below HIGH and above 0 with log, got {text!r}"
        ) from None
    is_integer = isinstance(low, int) and isinstance(high, int)
    method = "suggest_int" if is_integer else "suggest_float"
    return partial(
        _suggest, name=name, method=method, limits={"low": low, "high": high, "log": is_log}
    )


def _suggest(trial: Any, name: str, method: str, limits: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(trial, method)(name, **limits)}


def _parse_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _parse_value(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, (bool, int, float, str, type(None))) else text


def _load_space(text: str) -> Space:
    """The function in ``"my_space.py:space"``."""
    file, _, name = text.rpartition(":")
    if not file.endswith(".py") or not name:
        raise ParameterError(
            f"--space must be one of {', '.join(PARTS)}, or FILE.py:FUNCTION, got {text!r}"
        )
    if not Path(file).is_file():
        raise ParameterError(f"--space must name a file that there is, got {file}")
    # Not imported under a name, so that worker processes are sent its code.
    found = runpy.run_path(file)
    if not callable(found.get(name)):
        raise ParameterError(f"--space must name a function of {file}, got {name!r}")
    return found[name]
