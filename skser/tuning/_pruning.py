"""Reports: intermediate scores of a trial, at the same steps in all trials, for its pruner."""

from __future__ import annotations

import numpy as np
import optuna

from ..metrics import unweighted_average_recall

N_STEPS = 10  # reports of a fold, for any number of epochs


class Reports:
    """Reports the UAR of a trial over the clips of the folds so far.

    Step 10 is the end of the first fold, step 15 the middle of training in the second.
    """

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self._truth: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._step = 0

    def score(self) -> float:
        """UAR over the clips of the finished folds."""
        return unweighted_average_recall(
            np.concatenate(self._truth), np.concatenate(self._predicted)
        )

    def is_due(self, share: float) -> bool:
        """Whether a share of the epochs of a fold reaches a new step, before its last."""
        return share < 1 and self._step_at(share) > self._step

    def within_fold(self, share: float, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Report the predictions of a fold in training; TrialPruned to stop the trial."""
        truths, predictions = [*self._truth, truth], [*self._predicted, predicted]
        self._report(
            unweighted_average_recall(np.concatenate(truths), np.concatenate(predictions)), share
        )

    def end_fold(self, truth: np.ndarray, predicted: np.ndarray, *, is_last: bool) -> None:
        """Report the predictions of a finished fold, except the last."""
        self._truth.append(truth)
        self._predicted.append(predicted)
        if not is_last:
            self._report(self.score(), 0.0)

    def _step_at(self, share: float) -> int:
        return len(self._truth) * N_STEPS + int(share * N_STEPS)

    def _report(self, score: float, share: float) -> None:
        self._step = self._step_at(share)
        self.trial.report(score, self._step)
        if self.trial.should_prune():
            raise optuna.TrialPruned(f"UAR {score:.3f} at step {self._step}")
