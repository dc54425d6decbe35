"""Work on a study until it has its trials, beside other workers that may be killed at any time.

A trial that runs has a heartbeat, an attribute that changes. One that was lost, or interrupted, is
failed, and another with the same parameters is put in the queue in its place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

_BEAT = "heartbeat"
_IN_PLACE_OF = "in_place_of"
_N_LOST = "times_lost"
_MOST_LOST = 3


def work(
    study: optuna.Study,
    objective: Callable[[Any], float],
    *,
    n_trials: int,
    timeout: float | None,
    grace: float,
    callbacks: Sequence[Callable[[optuna.Study, FrozenTrial], None]],
) -> int:
    """Run trials until the study has as many as it should; returns how many were run here.

    Parameters
    ----------
    study : optuna.Study
        Other workers may be at work on it.
    objective : callable
        As for `Study.optimize`.
    n_trials : int
        Trials of the study in all, without those that others took the place of.
    timeout : float or None
        No trial begins after so many seconds.
    grace : float
        Seconds without a heartbeat after which another worker's trial is taken for lost.
    callbacks : sequence of callable
        Called after each trial that was run here, as Optuna does.
    """
    start, n_run = time.monotonic(), 0
    watch = _Watch(study, grace)
    while timeout is None or time.monotonic() - start < timeout:
        watch.replace_lost()
        n_begun, n_finished = counts(study)
        if n_begun >= n_trials:
            if n_finished == n_begun:
                break
            time.sleep(min(grace / 10, 1.0))  # its worker may be lost yet
            continue
        trial = _next_trial(study)
        if _is_surplus(study, trial.number, n_trials):
            # Another worker was quicker: for when the study is to have more trials.
            with suppress(UpdateFinishedTrialError):
                study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
            continue
        with suppress(UpdateFinishedTrialError):  # it took so long that it was taken for lost
            _run(study, trial, objective, grace)
            n_run += 1
            for callback in callbacks:
                callback(study, study.get_trials(deepcopy=False)[trial.number])
    return n_run


def counts(study: optuna.Study) -> tuple[int, int]:
    """Trials that have begun, and that have finished, without those that others replaced."""
    states = [trial.state for trial in _counted(study.get_trials(deepcopy=False))]
    n_begun = sum(state != TrialState.WAITING for state in states)
    return n_begun, sum(state.is_finished() for state in states)


def replaced(trials: Sequence[FrozenTrial]) -> dict[int, int]:
    """Numbers of trials that were lost, with those of the trials that took their place."""
    by = {trial.user_attrs.get(_IN_PLACE_OF): trial.number for trial in trials}
    return {number: other for number, other in by.items() if number is not None}


def _counted(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    others = replaced(trials)
    return [trial for trial in trials if trial.number not in others]


def _next_trial(study: optuna.Study) -> optuna.Trial:
    """A trial from the queue, those in place of others first, or a new one."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    for trial in sorted(waiting, key=_rank):
        with suppress(UpdateFinishedTrialError):
            if study._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING):
                return optuna.Trial(study, trial._trial_id)
    return study.ask()


def _is_surplus(study: optuna.Study, number: int, n_trials: int) -> bool:
    """Whether there are enough trials without this one, which another worker has begun.

    One that runs has a heartbeat; of others that were begun at the same time, the first counts.
    """
    trials = _counted(study.get_trials(deepcopy=False))
    mine = next((trial for trial in trials if trial.number == number), None)
    if mine is None:  # taken for lost before its first heartbeat: another has its place
        return True
    counted = [
        trial
        for trial in trials
        if trial.state.is_finished()
        or _BEAT in trial.user_attrs
        or (
            (trial.state == TrialState.RUNNING or _is_replacement(trial))
            and _rank(trial) < _rank(mine)
        )
    ]
    return len(counted) >= n_trials


def _rank(trial: FrozenTrial) -> tuple[bool, int]:
    return (not _is_replacement(trial), trial.number)


def _is_replacement(trial: FrozenTrial) -> bool:
    return _IN_PLACE_OF in trial.user_attrs


def _run(study: optuna.Study, trial: Any, objective: Callable[[Any], float], grace: float) -> None:
    value = math.nan
    with _beating(trial, grace / 4):
        try:
            value = objective(trial)
        except optuna.TrialPruned:
            state = TrialState.PRUNED
        except KeyboardInterrupt:
            with suppress(UpdateFinishedTrialError):
                trial.set_user_attr("failure", "interrupted")
                _replace(study, trial.number, is_lost=False)
            raise
        else:
            state = TrialState.FAIL if math.isnan(value) else TrialState.COMPLETE
    is_complete = state == TrialState.COMPLETE
    study.tell(trial, value if is_complete else None, state=state, skip_if_finished=True)


def _replace(study: optuna.Study, number: int, *, is_lost: bool) -> None:
    """Fail a trial, and put one with the same parameters in the queue; only one worker can.

    Not if it was lost too often, for it may be what kills its workers.
    """
    trial = study.get_trials(deepcopy=False)[number]
    study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
    n_lost = trial.user_attrs.get(_N_LOST, 0) + is_lost
    if n_lost > _MOST_LOST:
        return
    attrs = {_IN_PLACE_OF: number, _N_LOST: n_lost}
    if "as_it_is" in trial.user_attrs:
        attrs["as_it_is"] = trial.user_attrs["as_it_is"]
    study.add_trial(
        optuna.create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=attrs,
        )
    )


class _Watch:
    """Looks at the heartbeats of running trials, by this worker's clock alone."""

    def __init__(self, study: optuna.Study, grace: float) -> None:
        self.study = study
        self.grace = grace
        self._seen: dict[int, tuple[Any, float]] = {}

    def replace_lost(self) -> None:
        """Have trials whose heart has not beaten for too long begin anew."""
        now = time.monotonic()
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        seen = {}
        for trial in running:
            beat = trial.user_attrs.get(_BEAT)
            last, since = self._seen.get(trial.number, (None, now))
            seen[trial.number] = (beat, since if beat == last else now)
            if beat == last and now - since > self.grace:
                with suppress(UpdateFinishedTrialError):
                    _replace(self.study, trial.number, is_lost=True)
        self._seen = seen


@contextmanager
def _beating(trial: Any, interval: float) -> Iterator[None]:
    """Let a trial's heart beat while the block lasts."""
    end = Event()
    trial.set_user_attr(_BEAT, 0)

    def beat() -> None:
        n_beats = 0
        while not end.wait(interval):
            n_beats += 1
            # A storage that is away for a moment, or a trial that was taken for lost: it is the
            # trial itself that complains.
            with suppress(Exception):
                trial.set_user_attr(_BEAT, n_beats)

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
