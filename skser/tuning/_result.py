"""Tuning: a finished study of a pipeline."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState
from sklearn.base import BaseEstimator

from .._utils._files import written_whole
from .._utils._types import PathLike
from .._utils._versions import versions
from ..evaluation._protocol import describe_protocol
from ._figures import NAMES, draw_figures
from ._objective import Objective, best_trial
from ._workers import n_finished, repeats


class Tuning:
    """A study of a pipeline: its best trial, all trials as a table, and its files.

    Parameters
    ----------
    study : optuna.study.Study
        The study.
    objective : Objective
        Scores its trials.
    n_run : int
        Number of trials that this call ran; other workers, or earlier calls, ran the rest.
    """

    def __init__(self, study: optuna.Study, objective: Objective, n_run: int) -> None:
        self.study = study
        self.objective = objective
        self.n_run = n_run

    @property
    def best_score(self) -> float:
        """UAR of the best trial. It is optimistic: these clips chose the trial."""
        return float(best_trial(self.study).value)

    @property
    def best_params(self) -> dict[str, Any]:
        """Parameters of the best trial, for `set_params`; empty if the baseline is best."""
        return self.objective.params_of(best_trial(self.study))

    @property
    def baseline(self) -> float:
        """UAR of the pipeline as it is; NaN if that trial is not complete."""
        complete = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        values = [t.value for t in complete if t.user_attrs.get("as_it_is") and t.value is not None]
        return float(values[-1]) if values else math.nan

    @property
    def protocol(self) -> str:
        """Speakers of training and test, in a sentence that ends with `caveat`."""
        tuned = self.objective
        split = describe_protocol(tuned.pipeline, tuned.cv, tuned.splits, tuned.corpus.groups)
        return "; ".join(filter(None, [split, tuned.left_out, self.caveat]))

    @property
    def caveat(self) -> str:
        """Note that belongs beside the best score."""
        return (
            f"the best of {n_finished(self.study)} trials on the clips that it is scored on, so it "
            "flatters"
        )

    def best_pipeline(self) -> BaseEstimator:
        """Fit the pipeline of the best trial on all clips.

        Returns
        -------
        pipeline : estimator
            As of `Objective.best_pipeline`.
        """
        return self.objective.best_pipeline(self.study)

    def to_frame(self) -> pd.DataFrame:
        """Return all trials as a table.

        Returns
        -------
        trials : DataFrame
            A row for each trial, by its number: ``state``; ``uar``, NaN unless it is complete;
            ``fold_uar``, UAR of its finished folds; ``seconds``; ``seed``; ``failure``, the reason
            if it failed; and a column for each searched parameter, NaN in the baseline.
        """
        trials = self.study.get_trials(deepcopy=False)
        repeated = repeats(trials)
        return pd.DataFrame([_row(trial, repeated) for trial in trials]).set_index("trial")

    def save(self, folder: PathLike) -> list[Path]:
        """Write the trials, the best parameters and Optuna's figures.

        Parameters
        ----------
        folder : str or path
            Folder for the files; it is made if it is missing.

        Returns
        -------
        files : list of Path
            ``trials.csv``, the table of `to_frame`; ``history.png``, and with two complete trials
            ``importance.png`` and ``parallel_coordinates.png``; last ``study.json``, the best
            parameters, their score and its protocol.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "trials.csv"]
        with written_whole(written[0]) as path:
            self.to_frame().to_csv(path, float_format="%.6g")
        for name in NAMES:  # of an earlier call
            (folder / f"{name}.png").unlink(missing_ok=True)
        for name, figure in draw_figures(self.study):
            written.append(folder / f"{name}.png")
            with written_whole(written[-1]) as path:
                figure.savefig(path, dpi=150, bbox_inches="tight")
        written.append(folder / "study.json")  # last, because it shows that the others are whole
        best = best_trial(self.study)
        summary = {
            "n_trials": n_finished(self.study),
            "best_trial": best.number,
            "uar": best.value,
            "fold_uar": best.user_attrs.get("fold_uar"),
            "uar_as_it_is": None if math.isnan(self.baseline) else self.baseline,
            "params": self.best_params,
            "protocol": self.protocol,
            "versions": versions("optuna"),
        }
        with written_whole(written[-1]) as path:
            text = json.dumps(summary, indent=2, ensure_ascii=False, default=str)
            path.write_text(text, encoding="utf-8")
        return written

    def __repr__(self) -> str:
        return f"<UAR {self.best_score:.3f} (as it is {self.baseline:.3f}), {self.protocol}>"


def _row(trial: FrozenTrial, repeated: dict[int, int]) -> dict[str, Any]:
    attrs = trial.user_attrs
    failure = attrs.get("failure")
    if trial.number in repeated:
        failure = f"lost or interrupted; run again as trial {repeated[trial.number]}"
    return {
        "trial": trial.number,
        "state": trial.state.name.lower(),
        # The value of a pruned trial is its last report, of some of the clips.
        "uar": trial.value if trial.state == TrialState.COMPLETE else np.nan,
        "fold_uar": attrs.get("fold_uar", []),
        "seconds": attrs.get("seconds", np.nan),
        "seed": attrs.get("seed"),
        "failure": failure,
        **trial.params,
    }
