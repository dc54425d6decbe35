"""Objective: what a trial's parameters score on speakers that are left out."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._both_sides import digests_of, warn_of_leakage
from .._corpus_parts import read_corpus
from .._fitted_fold import fit_fold
from .._nested import check_steps, extractions, set_everywhere, steps_of
from .._splits import split_corpus
from .._validation import N_JOBS, check_value
from ..classifier import CNNEmotionClassifier
from ..exceptions import DataError
from ..features import SpeakerNormalizer
from ..recipes._assembly import set_or_explain
from ._kept_pipeline import KeptPipeline
from ._remembered import forget
from ._reports import Reports, uar
from ._sharing import Sharing
from .spaces import Space, check_space, search_space

__all__ = ["Objective"]

_MOST_FOLDS = 5
_LONGEST_REASON = 1000  # characters


class Objective:
    """UAR of a trial's pipeline over folds of speakers, as Optuna maximises it.

    A trial sets parameters of a clone of the pipeline, which is fitted and tested fold by fold. It
    may be pruned after each fold, and, where folds go one at a time, ten times within the training
    of a fold. A trial that fails is recorded as failed, and the study goes on.

    What trials have in common is done once: clips are extracted once for all trials with the same
    features, and members of a vote that no parameter of a trial touches are fitted once a fold.

    Parameters
    ----------
    pipeline : estimator
        From recordings to emotions; it is cloned, not changed.
    corpus : Bunch
        As a loader gives it: ``paths`` (or ``waveforms``), ``target``, and where they are known
        ``groups``, the speakers.
    space : callable or None, default=None
        ``space(trial) -> params``, for `set_params` of the pipeline; see `search_space`, which is
        taken for None.
    cv : splitter, iterable of (train, test) or None, default=None
        Folds in which each clip is tested once. None leaves out five groups of speakers in turn;
        without speakers, five stratified parts.
    n_jobs : int or None, default=None
        Folds at a time. With more than one, a trial is pruned between folds only.
    folder : str, path or None, default=None
        Keeps features and fits that trials share, for other workers and later. None keeps them
        until the objective is deleted. A pipeline that keeps features itself is left alone.

    Attributes
    ----------
    baseline : dict
        What `optuna.study.Study.enqueue_trial` takes for a trial of the pipeline as it is.

    Notes
    -----
    A trial has these user attributes: ``fold_uar`` and ``fold_seconds``, of the folds that it came
    to; ``seconds``; ``seed``, the ``random_state`` of the pipeline; and ``failure``, the reason, if
    it failed. Its value is the UAR over all clips, and in the middle of folds that over the clips
    so far.

    The best value of a study is chosen among many on these clips, and so it flatters. See
    `nested_evaluate`.

    Raises
    ------
    ParameterError
        The space is empty or sets what the pipeline does not have.
    DataError
        ``cv`` cannot divide these speakers.

    Examples
    --------
    >>> import optuna
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> from skser.tuning import Objective
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> objective = Objective(pipeline, speech)
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner())
    >>> study.enqueue_trial(**objective.baseline)
    >>> study.optimize(objective, n_trials=3)
    >>> len(study.best_trial.user_attrs["fold_uar"])
    4
    >>> objective.best_pipeline(study).predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    """

    baseline = {"params": {}, "user_attrs": {"as_it_is": True}}

    def __init__(
        self,
        pipeline: Any,
        corpus: Bunch,
        space: Space | None = None,
        *,
        cv: Any = None,
        n_jobs: int | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        check_value("n_jobs", n_jobs, N_JOBS)
        self.space = search_space(pipeline) if space is None else space
        check_space(self.space, pipeline)
        check_steps(pipeline)
        self.pipeline = pipeline
        clips = read_corpus(pipeline, corpus)
        self.clips, self.target, self.groups, _ = clips
        cv = tuning_folds(self.groups) if cv is None else cv
        self.cv, self.parts = split_corpus(clips, cv)
        warn_of_leakage(clips, self.parts)
        self.n_jobs = n_jobs
        self.folder = Path(mkdtemp() if folder is None else folder)
        finalize(self, forget)
        if folder is None:
            finalize(self, rmtree, self.folder, ignore_errors=True)
        self._sharing = Sharing(pipeline, self.folder)

    def __call__(self, trial: Any) -> float:
        """UAR over all clips; NaN if the trial failed, which Optuna takes for that."""
        import optuna

        from ._storage import is_of_storage

        start = time.perf_counter()
        trial.set_user_attr("seed", _seed(self.pipeline))
        try:
            pipeline = self.pipeline_of(trial)
            check_steps(pipeline)
            set_everywhere(pipeline, verbose=0)
            with self._sharing.shared(pipeline):
                return self._score(trial, pipeline)
        except (optuna.TrialPruned, optuna.exceptions.UpdateFinishedTrialError):
            raise
        except Exception as error:
            if is_of_storage(error):
                raise
            # Out of memory, a loss that is NaN, a combination that does not go together...
            trial.set_user_attr("failure", f"{type(error).__name__}: {error}"[:_LONGEST_REASON])
            return float("nan")
        finally:
            with suppress(optuna.exceptions.UpdateFinishedTrialError):
                trial.set_user_attr("seconds", round(time.perf_counter() - start, 3))

    def extract(self) -> None:
        """Extract what trials share now, with the pipeline's progress bar."""
        pipeline = clone(self.pipeline)
        with self._sharing.shared(pipeline):
            for one in extractions(pipeline):
                one.fit_transform(self.clips)

    def pipeline_of(self, trial: Any) -> Any:
        """The pipeline of a trial, not fitted.

        Parameters
        ----------
        trial : optuna.trial.Trial or optuna.trial.FrozenTrial
            A running trial, or a finished one.

        Returns
        -------
        pipeline : estimator
        """
        return set_or_explain(clone(self.pipeline), self.params_of(trial))

    def params_of(self, trial: Any) -> dict[str, Any]:
        """What a trial sets; parameters as of `pipeline_of`."""
        return {} if trial.user_attrs.get("as_it_is") else self.space(trial)

    def best_pipeline(self, study: Any) -> Any:
        """The pipeline of a study's best trial, fitted on all clips.

        Its attribute ``tuned_on_`` has the contents of these clips, so that `skser.evaluate` can
        warn where its score would flatter.

        Parameters
        ----------
        study : optuna.study.Study
            With a trial that is complete.

        Returns
        -------
        pipeline : estimator
        """
        trial = best_trial(study)
        pipeline = self.pipeline_of(trial)
        self._sharing.keep_features(pipeline)
        everything = np.arange(len(self.clips))
        fitted = fit_fold(pipeline, self.clips, self.target, self.groups, everything).pipeline
        self._sharing.let_go(fitted)
        fitted.tuned_on_ = frozenset(digests_of(self.clips))
        return fitted

    def _score(self, trial: Any, pipeline: Any) -> float:
        reports = Reports(trial)
        uars: list[float] = []
        seconds: list[float] = []
        with closing(self._run(pipeline, reports)) as folds:
            for (_, test), (predicted, duration) in zip(self.parts, folds, strict=True):
                uars.append(round(uar(self.target[test], predicted), 4))
                seconds.append(round(duration, 3))
                trial.set_user_attr("fold_uar", uars)
                trial.set_user_attr("fold_seconds", seconds)
                reports.end_fold(self.target[test], predicted, is_last=len(uars) == len(self.parts))
        return reports.score()

    def _run(self, pipeline: Any, reports: Reports) -> Generator[tuple[np.ndarray, float]]:
        """Labels of the clips that each fold leaves out, and its seconds, in their order."""
        data = (self.clips, self.target, self.groups)
        if effective_n_jobs(self.n_jobs) == 1:
            for train, test in self.parts:
                watch = partial(self._watch, reports=reports, test=test)
                yield _fit_and_label(pipeline, *data, train, test, watch)
            return
        with warnings.catch_warnings():
            # TensorFlow makes workers large, and joblib replaces them.
            warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
            yield from Parallel(n_jobs=self.n_jobs, return_as="generator")(
                delayed(_fit_and_label)(pipeline, *data, train, test) for train, test in self.parts
            )

    def _watch(self, pipeline: Any, reports: Reports, test: np.ndarray) -> None:
        """Have the networks of a pipeline report between epochs; those that are kept cannot."""
        steps = steps_of(pipeline)
        networks = [step for step in steps if isinstance(step, CNNEmotionClassifier)]
        kept = [step for one in steps if isinstance(one, KeptPipeline) for step in steps_of(one)]
        watched = [one for one in networks if all(one is not other for other in kept)]
        # Their features need speakers, which a network does not hand on.
        if not watched or any(isinstance(step, SpeakerNormalizer) for step in steps):
            return
        from ._epochs import EpochReports

        for one in watched:
            report = EpochReports(reports, pipeline, self.clips[test], self.target[test])
            one.set_params(callbacks=[*(one.callbacks or ()), report])


def best_trial(study: Any) -> Any:
    """The best trial of a study; DataError if none is complete."""
    try:
        return study.best_trial
    except ValueError:
        reasons = [trial.user_attrs.get("failure") for trial in study.get_trials(deepcopy=False)]
        told = next((f": {reason}" for reason in reasons if reason), "")
        raise DataError(f"study must have a trial that is complete, got none{told}") from None


def tuning_folds(groups: np.ndarray | None) -> Any:
    """The splitter that trials are scored on if none is given."""
    if groups is None:
        return StratifiedKFold(_MOST_FOLDS, shuffle=True, random_state=0)
    return GroupKFold(min(_MOST_FOLDS, max(len(np.unique(groups)), 2)))


def _fit_and_label(
    pipeline: Any,
    clips: np.ndarray,
    target: np.ndarray,
    groups: np.ndarray | None,
    train: np.ndarray,
    test: np.ndarray,
    watch: Callable[[Any], None] | None = None,
) -> tuple[np.ndarray, float]:
    """Labels of the test part by a pipeline fitted on the train part, and how long it took."""
    start = time.perf_counter()
    classes = np.unique(target)
    fitted = fit_fold(pipeline, clips, target, groups, train, watch)
    labels = classes[fitted.probabilities(clips, test, classes).argmax(axis=1)]
    return labels, time.perf_counter() - start


def _seed(pipeline: Any) -> int | None:
    """The seed that all steps have; None if there is none, or they differ."""
    params = pipeline.get_params().items()
    seeds = {value for name, value in params if name.endswith("random_state")}
    seed = seeds.pop() if len(seeds) == 1 else None
    return int(seed) if isinstance(seed, (int, np.integer)) else None
