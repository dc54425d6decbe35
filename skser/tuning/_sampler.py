"""SeededSampler: the parameters of a trial depend on its number and the trials before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from optuna import Study
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial


def _delegated(method: str) -> Any:
    """The same method of the sampler of a trial."""

    def sample(self: SeededSampler, study: Study, trial: FrozenTrial, *args: object) -> Any:
        return getattr(self._of(trial), method)(study, trial, *args)

    return sample


class SeededSampler(BaseSampler):
    """A new sampler ``make(seed=...)`` for each trial, with a seed from ``seed`` and its number.

    An interrupted study then resumes with the parameters that it would have sampled, and two
    workers with the same seed do not sample the same ones.
    """

    def __init__(self, make: Callable[..., BaseSampler], seed: int) -> None:
        self.make = make
        self.seed = seed
        self._samplers: dict[int, BaseSampler] = {}

    infer_relative_search_space = _delegated("infer_relative_search_space")
    sample_relative = _delegated("sample_relative")
    sample_independent = _delegated("sample_independent")

    def after_trial(self, study: Study, trial: FrozenTrial, *args: object) -> None:
        self._samplers.pop(trial.number, None)

    def _of(self, trial: FrozenTrial) -> BaseSampler:
        if trial.number not in self._samplers:
            seed = np.random.SeedSequence([self.seed, trial.number]).generate_state(1)[0]
            self._samplers[trial.number] = self.make(seed=int(seed))
        return self._samplers[trial.number]
