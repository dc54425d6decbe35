"""Speaker-independent score of the default pipeline on a corpus.

    python benchmarks/accuracy.py ravdess FOLDER --folds luna-jimenez --seeds 0 1 2

Prints the unweighted average recall (UAR, scikit-learn's balanced accuracy) over all clips, each
labelled by a pipeline that was fitted without its speaker, and writes it with versions and seeds
to a JSON file if ``--out`` names one. Nothing is fitted, chosen or normalised on test speakers.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, PredefinedSplit
from sklearn.utils import Bunch

from skser import make_emotion_pipeline
from skser.datasets import load_corpus

# C. Luna-Jimenez et al., "Multimodal emotion recognition on RAVDESS dataset using transfer
# learning", Sensors 21(22), 2021: the actors in the test part of each fold.
LUNA_JIMENEZ = (
    (2, 5, 14, 15, 16),
    (3, 6, 7, 13, 18),
    (10, 11, 12, 19, 20),
    (8, 17, 21, 23, 24),
    (1, 4, 9, 22),
)


def make_folds(name: str, speech: Bunch) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Train and test indices, never with a speaker on both sides."""
    if name == "luna-jimenez":
        fold_of = {f"ravdess-{a:02d}": i for i, actors in enumerate(LUNA_JIMENEZ) for a in actors}
        return PredefinedSplit([fold_of[speaker] for speaker in speech.groups]).split()
    splitter = LeaveOneGroupOut() if name == "loso" else GroupKFold(int(name))
    return splitter.split(speech.paths, speech.target, speech.groups)


def score(speech: Bunch, folds: str, seed: int, memory: str, n_jobs: int, parameters: dict) -> dict:
    """Cross-validate once; features are extracted once for all folds and seeds."""
    pipeline = make_emotion_pipeline(
        random_state=seed, augment__random_state=0, memory=memory, n_jobs=n_jobs, **parameters
    )
    predicted = np.empty_like(speech.target)
    start = time.perf_counter()
    fold_scores = []
    for train, test in make_folds(folds, speech):
        fitted = clone(pipeline).fit(speech.paths[train], speech.target[train])
        predicted[test] = fitted.predict(speech.paths[test])
        fold_scores.append(balanced_accuracy_score(speech.target[test], predicted[test]))
        print(f"  seed {seed} fold {len(fold_scores)}: {fold_scores[-1]:.3f}", flush=True)
    return {
        "seed": seed,
        "uar": balanced_accuracy_score(speech.target, predicted),
        "fold_uars": fold_scores,
        "seconds": time.perf_counter() - start,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", default="loso", help="loso, luna-jimenez or a number of folds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", nargs="*", default=[], help="parameters, as classify__epochs=80")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()

    speech = load_corpus(arguments.data, corpus=arguments.corpus)
    parameters = {k: json.loads(v) for k, v in (text.split("=", 1) for text in arguments.set)}
    with TemporaryDirectory() as memory:
        runs = [
            score(speech, arguments.folds, seed, memory, arguments.jobs, parameters)
            for seed in arguments.seeds
        ]
    uars = [run["uar"] for run in runs]
    print(
        f"{arguments.corpus}, {arguments.folds}, {len(speech.paths)} clips, "
        f"{len(np.unique(speech.groups))} speakers: pooled UAR {np.mean(uars):.3f} "
        f"± {np.std(uars, ddof=min(1, len(uars) - 1)):.3f} over {len(uars)} seeds, "
        f"{np.mean([run['seconds'] for run in runs]):.0f} s each"
    )
    if arguments.out:
        packages = ("skser", "scikit-learn", "tensorflow", "keras", "librosa", "numpy")
        result = {
            "corpus": arguments.corpus,
            "folds": arguments.folds,
            "parameters": parameters,
            "runs": runs,
            "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        }
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
