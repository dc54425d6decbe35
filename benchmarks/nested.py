"""What tuning is worth on new speakers: a study in each fold, judged by the speakers it never saw.

    python benchmarks/nested.py RAVDESS --folder tuning-ravdess

The default recipe on the five folds of Luna-Jiménez et al. In each, a study on the actors that are
trained on searches the linear discriminant, its features and the weight of the network; the best is
fitted on them and labels the others. Run it again to resume it. It writes
results/nested-default-ravdess.json.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import optuna
from accuracy_tables import SPEAKER_INDEPENDENT, read
from sklearn.model_selection import GroupKFold

from skser import make_emotion_pipeline
from skser.datasets import load_ravdess
from skser.model_selection import ravdess_folds
from skser.tuning import combine, nested_evaluate, spaces

RESULTS = Path(__file__).parent / "results"


def functionals(trial):
    """Frames and derivatives of the functionals; few values, so that each is extracted once."""
    step = "vote__functionals__features"
    return {
        f"{step}__n_fft": trial.suggest_categorical(f"{step}__n_fft", [1024, 2048]),
        f"{step}__deltas": trial.suggest_int(f"{step}__deltas", 1, 2),
    }


SPACE = combine(
    functionals,
    partial(spaces.discriminant, step="vote__functionals__classify__estimator"),
    partial(spaces.vote_weights, members=["functionals", "network"]),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ravdess", type=Path, help="folder of RAVDESS speech")
    parser.add_argument("--folder", type=Path, required=True, help="keeps what is finished")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2, help="studies at a time")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    speech = load_ravdess(args.ravdess)
    pipeline = make_emotion_pipeline(random_state=0, n_jobs=args.jobs, memory=args.folder)
    evaluation = nested_evaluate(
        pipeline,
        speech,
        space=SPACE,
        n_trials=args.trials,
        cv=ravdess_folds("luna-jimenez"),
        inner_cv=GroupKFold(3),
        n_jobs=args.jobs,
        checkpoint=args.folder,
        random_state=0,
        verbose=1,
    )
    studies = [_outcome(path) for path in sorted((args.folder / "studies").glob("*.journal"))]
    content = {
        "uar_as_it_was": read("default", "ravdess", SPEAKER_INDEPENDENT)["uars"][0],
        "uar": evaluation.to_frame().loc["uar"].to_dict(),
        "accuracy": evaluation.to_frame().loc["accuracy"].to_dict(),
        "protocol": "nested, folds of Luna-Jimenez",
        "studies": studies,
        "versions": evaluation.versions,
        "fit_seconds": [fold.fit_seconds for fold in evaluation.folds],
    }
    args.results.mkdir(exist_ok=True)
    (args.results / "nested-default-ravdess.json").write_text(json.dumps(content, indent=2) + "\n")
    print(evaluation)
    for study in studies:
        print(study)
    gains = [study["best"] - study["as_it_is"] for study in studies]
    print(f"gain in inner validation: {np.mean(gains):.3f} ± {np.std(gains):.3f}")


def _outcome(path):
    """What a study chose, and what the recipe as it is scored in it."""
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    study = optuna.load_study(study_name="skser", storage=optuna.storages.JournalStorage(backend))
    return {
        "as_it_is": study.trials[0].value,
        "best": study.best_value,
        "params": study.best_params,
        "states": [trial.state.name for trial in study.trials],
    }


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    main()
