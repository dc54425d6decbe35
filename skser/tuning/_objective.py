"""Objective: UAR of a trial's pipeline on speakers that it was not trained on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Generator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import numpy as np
import optuna
from numpy.typing import ArrayLike
from optuna.trial import BaseTrial
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, _safe_indexing
from sklearn.utils.parallel import delayed

from .._utils._parallel import is_serial, run_parallel
from .._utils._param_validation import N_JOBS, check_value
from .._utils._types import CV, PathLike, Recordings
from ..classifiers import CNNEmotionClassifier
from ..evaluation._corpus import read_corpus
from ..evaluation._fitted_fold import fit_fold
from ..evaluation._folds import Fold, fit_and_measure
from ..evaluation._leakage_checks import digests_of, warn_of_leakage
from ..evaluation._splits import held_out
from ..exceptions import DataError
from ..features import SpeakerNormalizer
from ..metrics import unweighted_average_recall
from ..recipes._assembly import set_or_explain
from ..recipes._labels import check_folds_needs
from ..recipes._steps import check_steps, extractions, set_everywhere, steps_of
from ._folds import study_folds
from ._pruning import Reports
from ._sharing import KeptPipeline, SharedParts
from ._storage import is_storage_error
from .spaces import Space, check_space, search_space

__all__ = ["Objective"]

_MAX_REASON_LENGTH = 1000  # characters


class Objective:
    """UAR of a trial's pipeline over folds of speakers, for an Optuna study to maximise.

    A pruner can stop a trial after each fold, and, with ``n_jobs=None``, ten times during the
    training of a network that it changes. A trial that raises an error is recorded as failed, and
    the study continues. Trials share features, and fits of the members of a vote that they leave
    as they are.

    Parameters
    ----------
    pipeline : estimator
        A classifier of recordings, or of features; it is cloned, not changed.
    X, y, groups, space, cv, n_jobs : optional
        As in `tune`.
    memory : str, path or None, default=None
        Folder of what trials share, also with other workers and later calls. None keeps it until
        the objective is deleted. An extractor with a ``memory`` uses that one for its features.

    Attributes
    ----------
    left_out : str
        The recordings that the split of the corpus keeps for tests, in a line; "" without a split.
    baseline : dict
        Arguments of `optuna.study.Study.enqueue_trial` for a trial of the pipeline as it is.

    Notes
    -----
    User attributes of a trial are ``fold_uar`` and ``fold_seconds`` of its finished folds;
    ``seconds``; ``seed``, the ``random_state`` of the pipeline; and ``failure``, the reason if it
    failed. Its intermediate values are the UAR over the clips tested so far.

    The best value of a study is optimistic, because these clips chose it; see `nested_evaluate`.

    Raises
    ------
    ParameterError, DataError
        As in `tune`.

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
    >>> study = optuna.create_study(direction="maximize")
    >>> study.enqueue_trial(**objective.baseline)
    >>> study.optimize(objective, n_trials=2)
    >>> objective.best_pipeline(study).predict(speech.waveforms[:1])
    array(['angry'], dtype='<U5')
    """

    baseline = {"params": {}, "user_attrs": {"as_it_is": True}}

    def __init__(
        self,
        pipeline: BaseEstimator,
        X: Bunch | Recordings | ArrayLike,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        space: Space | None = None,
        cv: CV = None,
        n_jobs: int | None = None,
        memory: PathLike | None = None,
    ) -> None:
        check_value("n_jobs", n_jobs, N_JOBS)
        self.space = search_space(pipeline) if space is None else space
        check_space(self.space, pipeline)
        check_steps(pipeline)
        self.pipeline = pipeline
        self.corpus = read_corpus(X, y, groups, pipeline=pipeline)
        self.left_out = ""
        if cv is None or hasattr(cv, "split") or isinstance(cv, int):
            tested, self.left_out = held_out(self.corpus.frame)
            self.corpus = self.corpus.take(np.flatnonzero(~tested))
        self.cv, self.splits = study_folds(self.corpus, cv)
        check_folds_needs(pipeline, self.corpus.target, self.corpus.groups, self.splits)
        warn_of_leakage(self.corpus, self.splits)
        self.n_jobs = n_jobs
        self.memory = Path(mkdtemp() if memory is None else memory)
        if memory is None:
            finalize(self, rmtree, self.memory, ignore_errors=True)
        self._shared = SharedParts(pipeline, self.memory)

    def __call__(self, trial: optuna.Trial) -> float:
        """Score the pipeline of a trial.

        Parameters
        ----------
        trial : optuna.trial.Trial
            A running trial.

        Returns
        -------
        uar : float
            UAR over all clips; NaN, which Optuna records as a failure, after an error.
        """
        start = time.perf_counter()
        trial.set_user_attr("seed", _seed(self.pipeline))
        try:
            pipeline = self.pipeline_of(trial)
            check_steps(pipeline)
            set_everywhere(pipeline, verbose=0)
            self._shared.keep_members(pipeline)
            with self._shared.keep_features(pipeline):
                return self._score(trial, pipeline)
        except (optuna.TrialPruned, optuna.exceptions.UpdateFinishedTrialError):
            raise
        except Exception as error:
            if is_storage_error(error):
                raise
            # Out of memory, a loss of NaN, parameters that exclude each other...
            trial.set_user_attr("failure", f"{type(error).__name__}: {error}"[:_MAX_REASON_LENGTH])
            return float("nan")
        finally:
            with suppress(optuna.exceptions.UpdateFinishedTrialError):
                trial.set_user_attr("seconds", round(time.perf_counter() - start, 3))

    def extract(self) -> None:
        """Extract the features that trials share now, with the pipeline's progress bar."""
        pipeline = clone(self.pipeline)
        with self._shared.keep_features(pipeline):
            for extraction in extractions(pipeline):
                extraction.fit_transform(self.corpus.clips)

    def pipeline_of(self, trial: BaseTrial) -> BaseEstimator:
        """Return the pipeline of a trial, not fitted.

        Parameters
        ----------
        trial : optuna.trial.Trial or optuna.trial.FrozenTrial
            A running trial, or a finished one.

        Returns
        -------
        pipeline : estimator
        """
        return set_or_explain(clone(self.pipeline), self.params_of(trial))

    def params_of(self, trial: BaseTrial) -> dict[str, Any]:
        """Return the parameters that a trial sets.

        Parameters
        ----------
        trial : optuna.trial.Trial or optuna.trial.FrozenTrial
            A running trial, or a finished one.

        Returns
        -------
        params : dict
            For `set_params` of the pipeline; empty for the baseline.
        """
        return {} if trial.user_attrs.get("as_it_is") else self.space(trial)

    def best_pipeline(self, study: optuna.Study) -> BaseEstimator:
        """Fit the pipeline of a study's best trial on all clips of the search.

        Parameters
        ----------
        study : optuna.study.Study
            A study with a complete trial.

        Returns
        -------
        pipeline : estimator
            Its attribute ``tuned_on_`` has hashes of the clips, so that `skser.evaluate` can warn
            of optimistic scores.

        Raises
        ------
        DataError
            No trial of the study is complete.
        """
        pipeline = self.pipeline_of(best_trial(study))
        clips, target = self.corpus.clips, self.corpus.target
        with self._shared.keep_features(pipeline) as folders:
            everything = np.arange(len(clips))
            fitted = fit_fold(pipeline, clips, target, self.corpus.metadata, everything).pipeline
        for extraction in extractions(fitted):
            if extraction["features"].memory in folders:
                extraction["features"].set_params(memory=None)
        fitted.tuned_on_ = frozenset(digests_of(self.corpus.items))
        return fitted

    def _score(self, trial: optuna.Trial, pipeline: BaseEstimator) -> float:
        reports = Reports(trial)
        classes = np.unique(self.corpus.target)
        uars: list[float] = []
        seconds: list[float] = []
        with closing(self._run_folds(pipeline, reports)) as folds:
            for (_, test), fold in zip(self.splits, folds, strict=True):
                truth = self.corpus.target[test]
                predicted = classes[np.argmax(fold.measured, axis=1)]
                uars.append(round(unweighted_average_recall(truth, predicted), 4))
                seconds.append(round(fold.fit_seconds + fold.predict_seconds, 3))
                trial.set_user_attr("fold_uar", uars)
                trial.set_user_attr("fold_seconds", seconds)
                reports.end_fold(truth, predicted, is_last=len(uars) == len(self.splits))
        return reports.score()

    def _run_folds(self, pipeline: BaseEstimator, reports: Reports) -> Generator[Fold]:
        """Yield the folds in order, each when it is measured."""
        if is_serial(self.n_jobs):
            for train, test in self.splits:
                watch = partial(self._watch, reports=reports, test=test)
                yield fit_and_measure(pipeline, self.corpus, train, test, watch=watch)
            return
        with warnings.catch_warnings():
            # TensorFlow makes workers large, and joblib replaces them.
            warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)
            yield from run_parallel(
                (delayed(fit_and_measure)(pipeline, self.corpus, *s) for s in self.splits),
                self.n_jobs,
                return_as="generator",
            )

    def _watch(self, pipeline: BaseEstimator, reports: Reports, test: np.ndarray) -> None:
        """Have the networks of a pipeline report between epochs, unless trials share their fits."""
        steps = steps_of(pipeline)
        if any(isinstance(step, SpeakerNormalizer) for step in steps):
            return  # its features need speakers, which a network does not get
        kept = [member for member in steps if isinstance(member, KeptPipeline)]
        shared = {id(step) for member in kept for step in steps_of(member)}
        for network in steps:
            if isinstance(network, CNNEmotionClassifier) and id(network) not in shared:
                from ._epoch_callback import EpochReports

                clips = _safe_indexing(self.corpus.clips, test)
                truth = self.corpus.target[test]
                callback = EpochReports(reports, pipeline, clips, truth)
                network.set_params(callbacks=[*(network.callbacks or ()), callback])


def best_trial(study: optuna.Study) -> Any:
    """Return the best trial of a study; DataError if none is complete."""
    try:
        return study.best_trial
    except ValueError:
        reasons = [trial.user_attrs.get("failure") for trial in study.get_trials(deepcopy=False)]
        first = next((f": {reason}" for reason in reasons if reason), "")
        raise DataError(f"study must have a trial that is complete, got none{first}") from None


def _seed(pipeline: BaseEstimator) -> int | None:
    """Common seed of all steps, or None."""
    params = pipeline.get_params().items()
    seeds = {value for name, value in params if name.endswith("random_state")}
    seed = seeds.pop() if len(seeds) == 1 else None
    return int(seed) if isinstance(seed, (int, np.integer)) else None
