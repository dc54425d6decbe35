"""Optuna's figures of a study."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import optuna
from optuna.trial import TrialState

from .spaces import silent_study

NAMES = ("history", "importance", "parallel_coordinates")


def draw_figures(study: optuna.Study) -> Iterator[tuple[str, Any]]:
    """Name and figure of each of Optuna's plots that the trials suffice for, one at a time."""
    import matplotlib.pyplot as plt
    from optuna.visualization import matplotlib as plots

    comparable, names = _comparable(study)
    draws = {"history": lambda: plots.plot_optimization_history(study, target_name="UAR")}
    if names:
        draws["importance"] = lambda: plots.plot_param_importances(
            comparable,
            evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0),
            params=names,
            target_name="UAR",
        )
        draws["parallel_coordinates"] = lambda: plots.plot_parallel_coordinate(
            comparable, params=names, target_name="UAR"
        )
    for name, draw in draws.items():
        with warnings.catch_warnings(), plt.rc_context():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # Matplotlib cannot lay out Optuna's axes again.
            warnings.filterwarnings("ignore", "This figure includes Axes", UserWarning)
            figure: Any = draw().get_figure()
        is_wide = name == "parallel_coordinates"
        figure.set_size_inches(3 + 1.8 * len(names) if is_wide else 8, 4.5)
        yield name, figure
        plt.close(figure)


def _comparable(study: optuna.Study) -> tuple[optuna.Study, list[str]]:
    """A study of the complete trials but the baseline, and short names of its parameters."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [trial for trial in complete if trial.params]
    in_all = set.intersection(*[set(trial.distributions.items()) for trial in trials] or [set()])
    varied = sorted(
        name for name, _ in in_all if len({str(trial.params[name]) for trial in trials}) > 1
    )
    comparable = silent_study()
    if len({trial.value for trial in trials}) < 2:
        return comparable, []
    short = shortened(varied)
    for trial in trials:
        comparable.add_trial(
            optuna.trial.create_trial(
                value=trial.value,
                params={short[name]: trial.params[name] for name in varied},
                distributions={short[name]: trial.distributions[name] for name in varied},
            )
        )
    return comparable, [short[name] for name in varied]


def shortened(names: list[str]) -> dict[str, str]:
    """Shortest unique end of each parameter's name."""
    short = {}
    for name in names:
        parts = name.split("__")
        ends = ["__".join(parts[i:]) for i in reversed(range(len(parts)))]
        short[name] = next(
            (end for end in ends if sum(f"__{n}".endswith(f"__{end}") for n in names) == 1), name
        )
    return short
