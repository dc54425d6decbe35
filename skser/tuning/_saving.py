"""Tables and pictures of a study as files."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import TrialState

from .._files import written_whole
from .._versions import versions
from ._silent import silent_study
from ._work import counts
from .objective import best_trial

if TYPE_CHECKING:
    from .tune import Tuning

_PICTURES = ("history", "importance", "parallel_coordinates")


def save(tuning: Tuning, folder: Path) -> list[Path]:
    """Write tables and pictures; see `Tuning.save`."""
    folder.mkdir(parents=True, exist_ok=True)
    best = best_trial(tuning.study)
    about = {
        "n_trials": counts(tuning.study)[1],
        "best_trial": best.number,
        "uar": best.value,
        "fold_uar": best.user_attrs.get("fold_uar"),
        "uar_as_it_is": None if math.isnan(tuning.baseline) else tuning.baseline,
        "params": {name: _plain(value) for name, value in tuning.best_params.items()},
        "protocol": tuning.protocol,
        "versions": versions("optuna"),
    }
    with written_whole(folder / "trials.csv") as path:
        tuning.to_frame().to_csv(path, float_format="%.6g")
    written = [folder / "trials.csv"]
    for name in _PICTURES:  # of another time, when there were other trials
        (folder / f"{name}.png").unlink(missing_ok=True)
    for name, figure in _draw(tuning.study):
        file = folder / f"{name}.png"
        with written_whole(file) as path:
            figure.savefig(path, dpi=150, bbox_inches="tight")
        written.append(file)
    # Last, because who finds it takes the others for written.
    with written_whole(folder / "study.json") as path:
        path.write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")
    return [*written, folder / "study.json"]


def _draw(study: optuna.Study) -> Iterator[tuple[str, Any]]:
    """Optuna's pictures, by name, one at a time."""
    import matplotlib.pyplot as plt
    from optuna.visualization import matplotlib as pictures

    draws = {"history": lambda: pictures.plot_optimization_history(study, target_name="UAR")}
    searched, names = _searched(study)
    if names:
        draws["importance"] = lambda: pictures.plot_param_importances(
            searched,
            evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0),
            params=names,
            target_name="UAR",
        )
        draws["parallel_coordinates"] = lambda: pictures.plot_parallel_coordinate(
            searched, params=names, target_name="UAR"
        )
    for name, draw in draws.items():
        with warnings.catch_warnings(), plt.rc_context():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # Optuna lays out figures in a way of its own, which Matplotlib remarks upon.
            warnings.filterwarnings("ignore", "This figure includes Axes", UserWarning)
            figure: Any = draw().get_figure()
        is_wide = name == "parallel_coordinates"
        figure.set_size_inches(3 + 1.8 * len(names) if is_wide else 8, 4.5)
        yield name, figure
        plt.close(figure)


def _searched(study: optuna.Study) -> tuple[optuna.Study, list[str]]:
    """A study of the trials that can be compared, and the parameters that vary, by short names.

    The pipeline as it is was suggested nothing, which Optuna could not rank.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [trial for trial in done if trial.params]
    # Those that all have, of the same range.
    common = set.intersection(*[set(trial.distributions.items()) for trial in trials] or [set()])
    varied = sorted(
        name for name, _ in common if len({str(trial.params[name]) for trial in trials}) > 1
    )
    short = shortened(varied)
    searched = silent_study()
    if len({trial.value for trial in trials}) < 2:
        return searched, []
    for trial in trials:
        searched.add_trial(
            optuna.trial.create_trial(
                value=trial.value,
                params={short[name]: trial.params[name] for name in varied},
                distributions={short[name]: trial.distributions[name] for name in varied},
            )
        )
    return searched, [short[name] for name in varied]


def shortened(names: list[str]) -> dict[str, str]:
    """Of each name of a parameter, the shortest end that no other has."""
    short = {}
    for name in names:
        parts = name.split("__")
        ends = ["__".join(parts[i:]) for i in reversed(range(len(parts)))]
        others = [other for other in names if other != name]
        alone = [end for end in ends if not any(f"__{o}".endswith(f"__{end}") for o in others)]
        short[name] = alone[0] if alone else name
    return short


def _plain(value: Any) -> Any:
    """A value as JSON can hold it; of an object, its text."""
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value
