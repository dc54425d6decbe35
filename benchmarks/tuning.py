"""What a study over a network's parameters spends on extraction, and what the cache saves.

    python benchmarks/tuning.py

20 trials on the built-in corpus: skser's objective, and what one would write without it, which
fits and scores the same candidates on the same folds and extracts for each. Scores must be equal.
Time in extractors is all that passes in their `fit_transform` and `transform`, reading what is
there already included.
"""

from __future__ import annotations

import argparse
import tempfile
import time

import optuna
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from skser.datasets import make_emotional_speech
from skser.features import FeatureUnionExtractor
from skser.recipes import dense_195
from skser.tuning import Objective, search_space

SPENT = []


def timed(method):
    """A method whose seconds are added to SPENT."""

    def run(self, *args, **kwargs):
        start = time.perf_counter()
        try:
            return method(self, *args, **kwargs)
        finally:
            SPENT.append(time.perf_counter() - start)

    return run


def time_extractors():
    FeatureUnionExtractor.fit = timed(FeatureUnionExtractor.fit)
    FeatureUnionExtractor.transform = timed(FeatureUnionExtractor.transform)


def plain_objective(pipeline, speech, space, cv):
    """What a user would write for Optuna without skser.tuning and without `memory`."""

    def objective(trial):
        as_it_is = trial.user_attrs.get("as_it_is")
        candidate = clone(pipeline).set_params(**({} if as_it_is else space(trial)))
        predicted = cross_val_predict(
            candidate, speech.paths, speech.target, groups=speech.groups, cv=cv
        )
        return balanced_accuracy_score(speech.target, predicted)

    return objective


def run(objective, baseline, n_trials):
    """Scores, seconds in all, and seconds in extractors."""
    SPENT.clear()
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.NopPruner(),
    )
    study.enqueue_trial(**baseline)
    start = time.perf_counter()
    study.optimize(objective, n_trials=n_trials)
    return [trial.value for trial in study.trials], time.perf_counter() - start, sum(SPENT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folds", type=int, default=2)
    args = parser.parse_args()
    time_extractors()
    with tempfile.TemporaryDirectory() as folder:
        speech = make_emotional_speech(folder, random_state=0)
        # scikit-learn would not hand speakers on to a part that is watched.
        pipeline = dense_195(
            random_state=0,
            classify__epochs=args.epochs,
            classify__validation_fraction=0.0,
            classify__early_stopping=None,
        )
        pipeline[:3].fit_transform(speech.paths[:4])  # compiles what there is to compile
        SPENT.clear()
        pipeline[:3].fit_transform(speech.paths)
        single = sum(SPENT)
        print(f"{len(speech.paths)} clips")
        print(f"a single pass of extraction: {single:.1f} s", flush=True)
        space, cv = search_space(pipeline), GroupKFold(args.folds)
        objective = Objective(pipeline, speech, space=space, cv=cv)
        scores, seconds, spent = run(objective, objective.baseline, args.trials)
        print(
            f"skser.tuning: {seconds:.0f} s, of which extractors {spent:.1f} s, "
            f"{spent / single:.2f} x a single pass",
            flush=True,
        )
        plain = plain_objective(pipeline, speech, space, cv)
        plain_scores, plain_seconds, plain_spent = run(plain, objective.baseline, args.trials)
        assert scores == plain_scores, "the two must score alike"
        print(
            f"without it: {plain_seconds:.0f} s, of which extractors {plain_spent:.1f} s, "
            f"{plain_spent / single:.2f} x a single pass"
        )
        print(f"{plain_seconds / seconds:.2f} x")


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    main()
