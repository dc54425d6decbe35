"""Reports: the score of a trial so far, at steps that all trials have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

# Within a fold a trial is reported this often, however many epochs it has.
N_STEPS = 10


def uar(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Unweighted average recall over the classes that there are."""
    classes = np.unique(truth)
    return float(np.mean([np.mean(predicted[truth == name] == name) for name in classes]))


class Reports:
    """Reports of a trial: UAR over the clips of the folds so far.

    Step 10 is the end of the first fold, step 15 the middle of training in the second.

    Parameters
    ----------
    trial : optuna.trial.Trial
        Is told, and decides.
    """

    def __init__(self, trial: Any) -> None:
        self.trial = trial
        self._truth: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._step = 0

    def score(self) -> float:
        """UAR over the clips of the folds that have ended."""
        return uar(np.concatenate(self._truth), np.concatenate(self._predicted))

    def is_due(self, share: float) -> bool:
        """Whether a share of the epochs of a fold is a new step; their end is for `end_fold`."""
        return share < 1 and self._step_at(share) > self._step

    def within_fold(self, share: float, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Report what a fold in training says; TrialPruned if that is not worth going on."""
        score = uar(
            np.concatenate([*self._truth, truth]), np.concatenate([*self._predicted, predicted])
        )
        self._report(score, self._step_at(share))

    def end_fold(self, truth: np.ndarray, predicted: np.ndarray, *, is_last: bool) -> None:
        """Report what a fold says in the end; after the last one there is nothing to prune."""
        self._truth.append(truth)
        self._predicted.append(predicted)
        if not is_last:
            self._report(self.score(), self._step_at(0.0))

    def _step_at(self, share: float) -> int:
        return len(self._truth) * N_STEPS + int(share * N_STEPS)

    def _report(self, score: float, step: int) -> None:
        import optuna

        self._step = step
        self.trial.report(score, step)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"UAR {score:.3f} at step {step}")
