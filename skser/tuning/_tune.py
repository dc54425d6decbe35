"""tune: a study of a pipeline's parameters, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import ArrayLike
from optuna.pruners import BasePruner, MedianPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, check_random_state

from .._utils._hashing import hash_of
from .._utils._param_validation import NONE, RANDOM_STATE, check_value, integer, number
from .._utils._types import CV, PathLike, RandomState, Recordings
from ..audio._recordings import AnyRecording
from ..evaluation._folds import without_conveniences
from ..exceptions import ParameterError, StudyError
from ._objective import Objective
from ._result import Tuning
from ._sampler import SeededSampler
from ._storage import is_storage_error, masked, open_study, reason_of
from ._workers import run_trials
from .spaces import Space


def tune(
    pipeline: BaseEstimator,
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    space: Space | None = None,
    n_trials: int = 20,
    timeout: float | None = None,
    cv: CV = None,
    n_jobs: int | None = None,
    storage: PathLike | BaseStorage | None = None,
    study_name: str = "skser",
    sampler: BaseSampler | None = None,
    pruner: BasePruner | None = None,
    memory: PathLike | None = None,
    random_state: RandomState = None,
    grace: int = 120,
    callbacks: Sequence[Callable[[optuna.Study, FrozenTrial], None]] = (),
) -> Tuning:
    """Search the parameters of a pipeline that score best on speakers who are left out.

    The first trial is the pipeline as it is. With a ``storage``, the same call resumes an
    interrupted study, and several processes can share it. A killed process loses its trial: a
    database repeats it, and any other storage runs a new trial in its place.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features; it is cloned, not changed.
    X : Bunch or array-like of length n_clips
        Corpus, as a loader returns it; recordings (paths or waveforms); or features, as in
        `skser.evaluate`.
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
        speakers, it makes five stratified folds, of whole recordings if some clips are segments. If
        the corpus has a split (see `skser.evaluate`), its part "test" (or "val", if there is no
        "test") is left out of the study and of the best pipeline, and None trains on "train" and
        tests on "val". Indices of (train, test) are used as they are, whatever the split.
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
        Folder of the features and fitted members of a vote that trials share, also with other
        processes and later calls. None keeps them until the call ends. An extractor with a
        ``memory`` uses that one for its features.
    random_state : int, RandomState instance or None, default=None
        Seed of the sampler; the pipeline has another. With an int, one process samples the same
        trials again.
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
    >>> tuning.best_pipeline().predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    """
    check_value("n_trials", n_trials, integer(1))
    check_value("timeout", timeout, number(0, open_low=True), NONE)
    check_value("grace", grace, integer(2))
    check_value("random_state", random_state, RANDOM_STATE)
    if not isinstance(study_name, str) or not study_name:
        raise ParameterError(f"study_name must be a text, got {study_name!r}")
    objective = Objective(
        pipeline, X, y, groups=groups, space=space, cv=cv, n_jobs=n_jobs, memory=memory
    )
    if sampler is None:
        seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
        sampler = SeededSampler(TPESampler, seed)
    if pruner is None:
        pruner = MedianPruner(n_startup_trials=5, n_warmup_steps=5)
    # A study in memory has no other workers to agree with.
    content = {} if storage is None else _content_of(objective)
    study = open_study(storage, study_name, content, grace, sampler=sampler, pruner=pruner)
    objective.extract()

    def score(trial: optuna.Trial) -> float:
        if trial.number == 0:
            trial.set_user_attr("as_it_is", True)
        return objective(trial)

    try:
        n_run = run_trials(study, score, n_trials=n_trials, timeout=timeout, callbacks=callbacks)
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
    corpus = objective.corpus
    parts = {
        "pipeline": without_conveniences(objective.pipeline),
        "space": objective.space,
        "corpus": [_name_and_size(clip) for clip in corpus.items],
        "division into folds": [corpus.target, corpus.groups, *objective.splits],
    }
    return {name: hash_of(part, f"the {name}", "storage") for name, part in parts.items()}


def _name_and_size(clip: AnyRecording) -> object:
    """Name and size of a recording, which are the same on every machine; or the waveform."""
    path = Path(clip) if isinstance(clip, str) else None
    return (path.name, path.stat().st_size) if path is not None and path.is_file() else clip
