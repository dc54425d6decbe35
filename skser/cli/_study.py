"""Options of ``skser tune``: the search space, and a line for each trial."""

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
from optuna.trial import BaseTrial, FrozenTrial, TrialState
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from ..exceptions import LeakageWarning, ParameterError
from ..inference import TrainingAudio
from ..persistence import ModelInfo
from ..persistence._any_model import save_model
from ..recipes._steps import set_everywhere
from ..report._findings import Findings
from ..tuning import Tuning, combine, nested_evaluate, search_space, tune
from ..tuning._workers import n_finished
from ..tuning.spaces import PARTS, Space
from ._corpora import without_test_part

_RANGE = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=VALUE,VALUE,..."


def choose_space(pipeline: BaseEstimator, names: Sequence[str], ranges: Sequence[str]) -> Space:
    """Return the search space of ``--space`` and ``--range``; without either, the default one."""
    parts = [name for name in names if name in PARTS]
    files = [_load_space(name) for name in names if name not in PARTS]
    spaces = [_parse_range(text) for text in ranges]
    if parts or not (files or spaces):
        spaces.insert(0, search_space(pipeline, parts) if parts else search_space(pipeline))
    return combine(*spaces, *files)


def run_study(
    pipeline: BaseEstimator,
    corpus: Bunch,
    out: Path,
    *,
    nested: bool,
    log: Callable[[str], None],
    **params: Any,
) -> None:
    """Run a study with ``params`` of `tune`, and write its results when it has all trials.

    Of several processes, the first one to finish writes.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    searched, line = without_test_part(corpus)
    if line:
        log(f"the search is on the rest of the corpus: {line}")
    tuning = tune(
        pipeline,
        corpus,
        memory=out / "shared",
        callbacks=[lambda study, trial: log(trial_line(study, trial, params["n_trials"]))],
        **params,
    )
    with _locked(out):
        if _is_written(tuning, out):
            log(f"{out / 'study.json'} is up to date")
        else:
            _write(tuning, searched, out, log)
        if nested:
            names = ("space", "n_trials", "timeout", "cv", "n_jobs", "random_state")
            shared = {name: params[name] for name in names}
            _write_nested(pipeline, corpus, out / "nested", log, shared)
    if not nested:
        caveat = f"UAR {tuning.best_score:.3f} is {tuning.caveat}"
        warnings.warn(f"{caveat}; --nested scores it on other speakers", LeakageWarning, 2)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Have processes that finish at the same time write one after another."""
    try:
        import fcntl
    except ImportError:  # Windows: each process writes whole files
        yield
        return
    with open(folder / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_written(tuning: Tuning, out: Path) -> bool:
    """Whether the files are those of the study as it is; study.json is written last."""
    try:
        about = json.loads((out / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return about.get("n_trials") == n_finished(tuning.study) and (out / "best.skser").is_file()


def _write(tuning: Tuning, searched: Bunch, out: Path, log: Callable[[str], None]) -> None:
    best = set_everywhere(tuning.best_pipeline(), verbose=0)
    audio = TrainingAudio.of(best, searched.paths).to_dict()
    save_model(best, out / "best.skser", ModelInfo.of(searched, audio=audio))
    for path in (out / "best.skser", *tuning.save(out)):
        log(f"wrote {path}")
    log(f"UAR {tuning.best_score:.3f}, as it is {tuning.baseline:.3f}")
    for name, value in tuning.best_params.items():
        log(f"  {name} = {value}")


def _write_nested(
    pipeline: BaseEstimator,
    corpus: Bunch,
    folder: Path,
    log: Callable[[str], None],
    params: dict[str, Any],
) -> None:
    evaluation = nested_evaluate(pipeline, corpus, checkpoint=folder, verbose=1, **params)
    findings = Findings(evaluation)
    for line in findings.summary_lines():
        log(line)
    for path in findings.write(folder, title=folder.resolve().parent.name):
        log(f"wrote {path}")


def trial_line(study: optuna.Study, trial: FrozenTrial, n_trials: int) -> str:
    """Describe a finished trial in a line."""
    outcome = f"UAR {trial.value:.3f}" if trial.value is not None else "failed"
    if trial.state.name == "PRUNED":
        outcome = f"stopped at {outcome}"
    reason = trial.user_attrs.get("failure")
    if reason:
        outcome += f" ({reason.splitlines()[0]})"
    if trial.user_attrs.get("as_it_is"):
        outcome += ", the pipeline as it is"
    line = f"trial {trial.number}: {outcome} ({n_finished(study)} of {n_trials})"
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return line
    best = study.best_trial
    return f"{line}; best {best.value:.3f}, trial {best.number}"


def _parse_range(text: str) -> Space:
    """Make a search space of ``"classify__learning_rate=1e-4:1e-2:log"``."""
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


def _suggest(trial: BaseTrial, name: str, method: str, limits: dict[str, Any]) -> dict[str, Any]:
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
    """Load the function of ``"my_space.py:space"``."""
    file, _, name = text.rpartition(":")
    if not file.endswith(".py") or not name:
        raise ParameterError(
            f"--space must be one of {', '.join(PARTS)}, or FILE.py:FUNCTION, got {text!r}"
        )
    if not Path(file).is_file():
        raise ParameterError(f"--space must name an existing file, got {file}")
    # Run without a module name, so that joblib pickles the function for worker processes.
    content = runpy.run_path(file)
    if not callable(content.get(name)):
        raise ParameterError(f"--space must name a function of {file}, got {name!r}")
    return content[name]
