"""tune: a study of a pipeline's parameters, in one process or several."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from sklearn.utils import check_random_state

from .._utils._hashing import hash_of, identify
from .._utils._param_validation import NONE, RANDOM_STATE, check_value, integer, number
from ..evaluation._folds import without_conveniences
from ..exceptions import ParameterError, StudyError
from ._objective import Objective
from ._result import Tuning
from ._sampler import SeededSampler
from ._storage import is_storage_error, masked, open_study, reason_of
from ._workers import run_trials
from .spaces import Space


def tune(
    pipeline: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    space: Space | None = None,
    n_trials: int = 20,
    timeout: float | None = None,
    cv: Any = None,
    n_jobs: int | None = None,
    storage: Any = None,
    study_name: str = "skser",
    sampler: Any = None,
    pruner: Any = None,
    memory: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
    grace: int = 120,
    callbacks: Sequence[Callable[[optuna.Study, Any], None]] = (),
) -> Tuning:
    """Search the parameters of a pipeline that score best on speakers who are left out.

    The first trial is the pipeline as it is. With a ``storage``, the same call resumes a study that
    was interrupted, and several processes that make it share the study. Only the trial of a killed
    process is lost: a database repeats it, and any other storage runs a new one in its place.

    Parameters
    ----------
    pipeline : estimator
        Pipeline from recordings to emotions; it is cloned, not changed.
    X : Bunch or array-like of shape (n_clips,)
        Corpus, as a loader returns it; or recordings (paths or waveforms).
    y : array-like of shape (n_clips,) or None, default=None
        Labels of the recordings; None with a Bunch, which has its own.
    groups : array-like of shape (n_clips,) or None, default=None
        Speakers of the recordings; None with a Bunch, or if they are unknown.
    space : callable or None, default=None
        ``space(trial) -> params``, for `set_params` of the pipeline. None uses `search_space`.
    n_trials : int, default=20
        Number of finished trials of the study, of all processes together. Several processes may
        finish a few more.
    timeout : float or None, default=None
        Seconds after which no further trial begins.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds that test each clip once. None leaves out five groups of speakers in turn; without
        speakers, it makes five stratified folds.
    n_jobs : int or None, default=None
        Number of folds at a time. With more than one, trials are pruned between folds only.
    storage : str, path, optuna storage or None, default=None
        A path that ends in ``.journal``, for processes on one machine or file system; the URL of a
        database, such as ``sqlite:///study.db`` or ``postgresql://user@host/name``; or
        ``grpc://host:13000``, Optuna's proxy. None keeps the study in memory.
    study_name : str, default="skser"
        Name of the study in the storage.
    sampler : optuna.samplers.BaseSampler or None, default=None
        None uses Optuna's TPE.
    pruner : optuna.pruners.BasePruner or None, default=None
        None stops a trial that is below the median of earlier trials at the same step, from the
        sixth trial and the middle of the first fold on.
    memory : str, path or None, default=None
        Folder of the features that trials share, also with other processes and later calls. None
        keeps them until the call ends. A pipeline with a ``memory`` of its own uses that one.
    random_state : int, RandomState instance or None, default=None
        Seed of the sampler. With an int, one process samples the same trials again. The pipeline
        has a seed of its own.
    grace : int, default=120
        Seconds without a heartbeat after which another process repeats a trial, if ``storage`` is
        the URL of a database.
    callbacks : sequence of callable, default=()
        ``callback(study, trial)`` after each trial of this process.

    Returns
    -------
    tuning : Tuning

    Raises
    ------
    ParameterError
        The space is empty, or sets a parameter that the pipeline does not have.
    DataError
        ``cv`` cannot divide these speakers.
    StudyError
        The storage cannot be opened or written to, or its study of that name is of another
        pipeline, space, corpus or division into folds.

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
    check_value("grace", grace, integer(1))
    check_value("random_state", random_state, RANDOM_STATE)
    if not isinstance(study_name, str) or not study_name:
        raise ParameterError(f"study_name must be a text, got {study_name!r}")
    objective = Objective(
        pipeline, X, y, groups=groups, space=space, cv=cv, n_jobs=n_jobs, memory=memory
    )
    if sampler is None:
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        sampler = SeededSampler(optuna.samplers.TPESampler, seed)
    if pruner is None:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5)
    # A study in memory has no other workers to agree with.
    content = {} if storage is None else _content_of(objective)
    study = open_study(
        storage, study_name, content, objective.baseline, grace, sampler=sampler, pruner=pruner
    )
    objective.extract()
    try:
        n_run = run_trials(
            study, objective, n_trials=n_trials, timeout=timeout, callbacks=callbacks
        )
    except Exception as error:
        # An objective records the errors of its trials; a journal raises OSError.
        if not (is_storage_error(error) or isinstance(error, OSError)):
            raise
        raise StudyError(
            f"storage {masked(storage)} went away ({reason_of(error)}); make the same call "
            "again to resume the study"
        ) from error
    return Tuning(study, objective, n_run)


def _content_of(objective: Objective) -> dict[str, str]:
    """Hashes of everything that the workers of a study must have in common, by name."""
    parts = {
        "pipeline": identify(without_conveniences(objective.pipeline)),
        "space": identify(objective.space),
        "corpus": [_name_and_size(clip) for clip in objective.clips],
        "division into folds": [objective.target, objective.groups, *objective.parts],
    }
    return {name: hash_of(part, f"the {name}", "storage") for name, part in parts.items()}


def _name_and_size(clip: Any) -> Any:
    """Name and size of a recording, which are the same on every machine; or the waveform."""
    is_file = not isinstance(clip, np.ndarray) and Path(clip).is_file()
    return (Path(clip).name, Path(clip).stat().st_size) if is_file else clip
