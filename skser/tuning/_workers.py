"""Trials of a study that several workers may share, any of which may be killed."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

_MAX_REPEATS = 3

# Filters of warnings belong to all threads, so they change here only, when this is imported.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ExperimentalWarning)
    repeat_lost = RetryHeartbeatStaleTrialCallback(_MAX_REPEATS)
    repeat_interrupted = RetryHeartbeatStaleTrialCallback()


def run_trials(
    study: optuna.Study,
    objective: Callable[[optuna.Trial], float],
    *,
    n_trials: int,
    timeout: float | None,
    callbacks: Sequence[Callable[[optuna.Study, FrozenTrial], None]],
) -> int:
    """Run trials until the study, which workers may share, has ``n_trials`` finished ones.

    Returns the number that this worker finished. Running trials are not counted, so that several
    workers may finish a few more.
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    begun: list[int] = []
    finished: list[int] = []
    errors: list[Exception] = []

    def score(trial: optuna.Trial) -> float:
        begun.append(trial.number)
        try:
            return objective(trial)
        except Exception as error:
            errors.append(error)
            raise

    def stop_at_the_last(study: optuna.Study, trial: FrozenTrial) -> None:
        finished.append(trial.number)
        if n_finished(study) >= n_trials:
            study.stop()

    while n_finished(study) < n_trials and time.monotonic() < end:
        try:
            study.optimize(
                score,
                timeout=None if timeout is None else end - time.monotonic(),
                callbacks=[stop_at_the_last, *callbacks],
            )
            break
        except KeyboardInterrupt:
            trials = study.get_trials()  # copies, which the callback changes
            if begun and trials[begun[-1]].state == TrialState.FAIL:
                repeat_interrupted(study, trials[begun[-1]])
            raise
        except (AssertionError, ValueError, UpdateFinishedTrialError) as error:
            if error in errors or begun[-1:] == finished[-1:]:  # of the objective, or a callback
                raise
            # This worker was away, as a laptop that slept, and lost its trial to another worker.
    return len(finished)


def n_finished(study: optuna.Study) -> int:
    """Number of finished trials, without those that another trial repeats."""
    trials = study.get_trials(deepcopy=False)
    repeated = repeats(trials)
    return sum(trial.state.is_finished() and trial.number not in repeated for trial in trials)


def repeats(trials: Sequence[FrozenTrial]) -> dict[int, int]:
    """Numbers of lost or interrupted trials, each with that of the trial that repeats it."""
    # Optuna's retry_history() of them, without its ExperimentalWarning.
    histories = {trial.number: trial.system_attrs.get("retry_history") for trial in trials}
    return {history[-1]: number for number, history in histories.items() if history}
