"""tune: a study of a pipeline's parameters, alone or beside other workers; Tuning: its outcome."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState
from sklearn.utils import Bunch, check_random_state

from .._folds import without_conveniences
from .._identity import hash_of, identify
from .._protocol import describe_protocol
from .._validation import NONE, RANDOM_STATE, check_value, integer, number
from ..exceptions import ParameterError, StudyError
from ._sampler import SeededSampler
from ._storage import is_of_storage, open_study, reason_of, shown
from ._work import counts, replaced, work
from .objective import Objective, best_trial
from .spaces import Space

__all__ = ["Tuning", "tune"]


class Tuning:
    """A study of a pipeline, and what came of it.

    Attributes
    ----------
    study : optuna.study.Study
        With all trials.
    objective : Objective
        What they were scored by.
    n_run : int
        How many of them were run here; other workers ran the others.
    """

    def __init__(self, study: optuna.Study, objective: Objective, n_run: int) -> None:
        self.study = study
        self.objective = objective
        self.n_run = n_run

    @property
    def best_score(self) -> float:
        """UAR of the best trial. It was chosen among others on these clips, and so it flatters."""
        return float(best_trial(self.study).value)

    @property
    def best_params(self) -> dict[str, Any]:
        """What the best trial sets, for `set_params` of the pipeline; empty if it is as it was."""
        return self.objective.params_of(best_trial(self.study))

    @property
    def baseline(self) -> float:
        """UAR of the pipeline as it is; NaN if that trial is not complete."""
        values = [t.value for t in self.study.get_trials(deepcopy=False) if _is_baseline(t)]
        known = [value for value in values if value is not None]
        return float(known[-1]) if known else float("nan")

    @property
    def protocol(self) -> str:
        """In a sentence, who was trained on and who was tested, and that the score is chosen."""
        of = self.objective
        split = describe_protocol(of.pipeline, of.cv, of.parts, of.groups)
        return f"{split}; {self.caveat}"

    @property
    def caveat(self) -> str:
        """What must be said beside the best score."""
        _, n_finished = counts(self.study)
        return f"the best of {n_finished} trials on the clips that it is scored on, so it flatters"

    def best_pipeline(self) -> Any:
        """The pipeline of the best trial, fitted on all clips; see `Objective.best_pipeline`."""
        return self.objective.best_pipeline(self.study)

    def to_frame(self) -> pd.DataFrame:
        """All trials.

        Returns
        -------
        trials : DataFrame
            A row for each, by its number: ``state``; ``uar``, NaN if it is not complete;
            ``fold_uar``, of the folds that it came to; ``seconds``; ``seed``; ``failure``, the
            reason, if it failed; and what was suggested, by name. The first is the pipeline as it
            is, where nothing was.
        """
        trials = self.study.get_trials(deepcopy=False)
        others = replaced(trials)
        rows = []
        for trial in trials:
            attrs = trial.user_attrs
            failure = attrs.get("failure")
            if trial.number in others:
                reason = failure or "its worker was lost"
                failure = f"{reason}; begun anew as trial {others[trial.number]}"
            rows.append(
                {
                    "trial": trial.number,
                    "state": trial.state.name.lower(),
                    # Of one that was pruned, Optuna has the last report, which is of few clips.
                    "uar": trial.value if trial.state == TrialState.COMPLETE else np.nan,
                    "fold_uar": attrs.get("fold_uar", []),
                    "seconds": attrs.get("seconds", np.nan),
                    "seed": attrs.get("seed"),
                    "failure": failure,
                    **trial.params,
                }
            )
        return pd.DataFrame(rows).set_index("trial")

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write tables and pictures.

        ``trials.csv`` is what `to_frame` returns, ``study.json`` says what was best, and how it was
        scored; ``history.png``, ``importance.png`` and ``parallel_coordinates.png`` are Optuna's,
        the last two if there are two trials at least that are complete.

        Parameters
        ----------
        folder : str or path
            Where to write; it is made if it is not there.

        Returns
        -------
        files : list of Path
            What was written.
        """
        from ._saving import save

        return save(self, Path(folder))

    def __repr__(self) -> str:
        return f"<UAR {self.best_score:.3f} (as it is {self.baseline:.3f}), {self.protocol}>"


def tune(
    pipeline: Any,
    corpus: Bunch,
    space: Space | None = None,
    *,
    n_trials: int = 20,
    timeout: float | None = None,
    cv: Any = None,
    n_jobs: int | None = None,
    storage: Any = None,
    study_name: str = "skser",
    sampler: Any = None,
    pruner: Any = None,
    folder: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
    grace: float = 120.0,
    callbacks: Sequence[Callable[[optuna.Study, Any], None]] = (),
) -> Tuning:
    """Search the parameters of a pipeline that score best on speakers who are left out.

    The first trial is the pipeline as it is. With a ``storage``, the same call goes on with a study
    that was interrupted, and, made in several processes at once, shares it: they run ``n_trials``
    between them. What is lost when a process is killed is the trial that it was running, which
    another one, or the next call, begins anew.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpus : Bunch
        As a loader gives it.
    space : callable or None, default=None
        ``space(trial) -> params``, for `set_params` of the pipeline. None takes `search_space`.
    n_trials : int, default=20
        Trials that the study is to have in all.
    timeout : float or None, default=None
        Seconds after which no further trial begins.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds in which each clip is tested once. None leaves out five groups of speakers in turn.
    n_jobs : int or None, default=None
        Folds at a time.
    storage : str, path, optuna storage or None, default=None
        A path that ends in ``.journal``, for workers on one machine or file system; a URL of a
        database, such as ``sqlite:///study.db`` or ``postgresql://user@host/name``; or
        ``grpc://host:13000``, Optuna's proxy of one. None keeps the study in memory.
    study_name : str, default="skser"
        Its name in the storage.
    sampler : optuna.samplers.BaseSampler or None, default=None
        None takes Optuna's TPE.
    pruner : optuna.pruners.BasePruner or None, default=None
        None stops a trial that is below the median of others at the same step; not before there
        are five of them, nor in the first half of the first fold.
    folder : str, path or None, default=None
        Keeps features and fits that trials share; workers that share a study should share it.
    random_state : int, RandomState instance or None, default=None
        Seed of what is suggested; one process with an int suggests the same again. It is not that
        of the pipeline.
    grace : float, default=120.0
        Seconds after which the trial of a worker that gives no sign of life is begun anew.
    callbacks : sequence of callable, default=()
        ``callback(study, trial)`` after each trial that is run here.

    Returns
    -------
    tuning : Tuning

    Raises
    ------
    ParameterError
        The space is empty, or sets what the pipeline does not have.
    DataError
        ``cv`` cannot divide these speakers.
    StudyError
        The storage cannot be opened or written to, or has a study of that name of something else.

    Examples
    --------
    >>> import optuna
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> from skser.tuning import tune
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> tuning = tune(pipeline, speech, n_trials=3, random_state=0)
    >>> tuning.to_frame()["state"].to_list()
    ['complete', 'complete', 'complete']
    >>> tuning.best_pipeline().predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    """
    check_value("n_trials", n_trials, integer(1))
    check_value("timeout", timeout, number(0, open_low=True), NONE)
    check_value("grace", grace, number(0, open_low=True))
    check_value("random_state", random_state, RANDOM_STATE)
    if not isinstance(study_name, str) or not study_name:
        raise ParameterError(f"study_name must be a text, got {study_name!r}")
    objective = Objective(pipeline, corpus, space, cv=cv, n_jobs=n_jobs, folder=folder)
    if sampler is None:
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        sampler = SeededSampler(optuna.samplers.TPESampler, seed)
    if pruner is None:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5)
    # In memory there is nobody else to agree with.
    about = {} if storage is None else _identity_of(objective)
    study = open_study(storage, study_name, sampler, pruner, about, objective.baseline)
    objective.extract()
    try:
        n_run = work(
            study,
            objective,
            n_trials=n_trials,
            timeout=timeout,
            grace=grace,
            callbacks=callbacks,
        )
    except Exception as error:
        # Trials keep their errors to themselves; an OSError is of a journal.
        if not (is_of_storage(error) or isinstance(error, OSError)):
            raise
        raise StudyError(
            f"storage {shown(storage)} went away ({reason_of(error)}); the same call goes on with "
            "the study"
        ) from error
    return Tuning(study, objective, n_run)


def _identity_of(objective: Objective) -> dict[str, str]:
    """What a study is of, as hashes by their names."""
    parts = {
        "pipeline": identify(without_conveniences(objective.pipeline)),
        "space": identify(objective.space),
        "corpus": [_name_and_size(clip) for clip in objective.clips],
        "division into folds": [objective.target, objective.groups, *objective.parts],
    }
    return {name: hash_of(part, f"the {name}", "storage") for name, part in parts.items()}


def _name_and_size(clip: Any) -> Any:
    """What is the same of a recording on every machine."""
    is_file = not isinstance(clip, np.ndarray) and Path(clip).is_file()
    return (Path(clip).name, Path(clip).stat().st_size) if is_file else clip


def _is_baseline(trial: Any) -> bool:
    return bool(trial.user_attrs.get("as_it_is")) and trial.state == TrialState.COMPLETE
