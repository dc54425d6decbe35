"""SeededSampler: what a trial is suggested depends on its number and the trials before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optuna


class SeededSampler(optuna.samplers.BaseSampler):
    """A new sampler for each trial, with a seed of its own.

    So a study that was interrupted goes on as it would have gone on, and two workers with one seed
    are not suggested the same.

    Parameters
    ----------
    make : callable
        ``make(seed=...)`` gives an Optuna sampler.
    seed : int
        Seed of the study.
    """

    def __init__(self, make: Callable[..., optuna.samplers.BaseSampler], seed: int) -> None:
        self.make = make
        self.seed = seed
        self._made: dict[int, optuna.samplers.BaseSampler] = {}

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        self._made.pop(trial.number, None)

    def _of(self, trial: Any) -> optuna.samplers.BaseSampler:
        if trial.number not in self._made:
            seed = np.random.SeedSequence([self.seed, trial.number]).generate_state(1)[0]
            self._made[trial.number] = self.make(seed=int(seed))
        return self._made[trial.number]
