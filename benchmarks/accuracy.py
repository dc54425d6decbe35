"""Score of a recipe on a corpus under a protocol.

    python benchmarks/accuracy.py default ravdess FOLDER --protocol luna-jimenez --seeds 0 1 2
    python benchmarks/accuracy.py default synthetic FOLDER

The second needs no corpus: to try the script, it writes synthetic speech into the folder. Finished
folds are saved in ``benchmarks/results/RECIPE-CORPUS-PROTOCOL.json``, with versions and seeds; run
the same command again to resume. ``accuracy_tables.py`` makes tables of these files.

Speaker-independent protocols, in which nothing is fitted, chosen or normalised on test speakers:

- ``loso``: leave one speaker out; ``5`` (or another number): folds of whole speakers;
- ``luna-jimenez``, ``emobox``: published folds of RAVDESS;
- any of these with ``-transductive``: the same folds, with features normalised by speaker, those of
  test speakers over all their clips.

Protocols whose training and test clips share speakers, for comparison with published claims:

- ``mixed-5`` (or another number): folds of random clips;
- ``random-15`` (or another number): 15 % of the clips, at random, are the test part;
- ``watched``: the test clips are the validation clips of early stopping and the learning rate;
- ``watched-views``: the same, and augmented views of a clip are in both parts. Each view counts as
  a clip here; a pipeline cannot leak like this.
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
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skser import Augmenter
from skser._utils._files import written_whole
from skser.datasets import load_corpus, make_emotional_speech
from skser.evaluation._fitted_fold import fit_fold
from skser.model_selection import ravdess_folds
from skser.recipes import RECIPES, get_recipe
from skser.recipes._standardization import standardize_by_speaker
from skser.recipes._steps import extractions, steps_of

RESULTS = Path(__file__).parent / "results"
TRANSDUCTIVE = "-transductive"


def read_corpus(name: str, folder: Path) -> Bunch:
    """Load a corpus; ``synthetic`` is written into the folder first."""
    if name == "synthetic":
        return make_emotional_speech(folder, random_state=0)
    return load_corpus(folder, corpus=name)


def make_folds(protocol: str, speech: Bunch, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Train and test indices of each fold; ``watched`` has no test part."""
    if protocol.startswith("watched"):
        everything = np.arange(len(speech.paths))
        return [(everything, everything[:0])]
    if protocol.startswith("random-"):
        share = int(protocol.removeprefix("random-")) / 100
        splitter = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
        return list(splitter.split(speech.paths, speech.target))
    if protocol.startswith("mixed-"):
        n_folds = int(protocol.removeprefix("mixed-"))
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        return list(splitter.split(speech.paths, speech.target))
    protocol = protocol.removesuffix(TRANSDUCTIVE)
    if protocol == "loso":
        splitter = LeaveOneGroupOut()
    else:
        splitter = GroupKFold(int(protocol)) if protocol.isdigit() else ravdess_folds(protocol)
    return list(splitter.split(speech.paths, speech.target, speech.groups))


def predict_fold(
    pipeline: Pipeline, protocol: str, speech: Bunch, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted labels of the test part of a fold."""
    if protocol == "watched":
        pipeline.fit(speech.paths, speech.target)
        watched = pipeline[-1].validation_clips_
        return speech.target[watched], pipeline.predict(speech.paths[watched])
    if protocol == "watched-views":
        views = pipeline[:-2].fit_transform(speech.paths)
        rows, labels = views.flatten(), views.repeat(speech.target)
        classifier = pipeline[-2:].fit(rows, labels)
        watched = classifier[-1].validation_clips_
        return labels[watched], classifier.predict(rows[watched])
    metadata = {"groups": speech.groups} if protocol.endswith(TRANSDUCTIVE) else {}
    fold = fit_fold(pipeline, speech.paths, speech.target, metadata, train)
    classes = fold.pipeline.classes_
    probabilities = fold.probabilities(speech.paths, test, classes)
    return speech.target[test], classes[probabilities.argmax(axis=1)]


def score_fold(
    pipeline: Pipeline, protocol: str, speech: Bunch, seed: int, fold: int, *parts: np.ndarray
) -> dict[str, Any]:
    """Fit and test once: the confusion matrix and seconds of a fold."""
    start = time.perf_counter()
    truth, predicted = predict_fold(clone(pipeline), protocol, speech, *parts)
    matrix = confusion_matrix(truth, predicted, labels=np.unique(speech.target))
    seconds = round(time.perf_counter() - start, 1)
    return {"seed": seed, "fold": fold, "seconds": seconds, "confusion": matrix.tolist()}


def check_protocol(pipeline: Pipeline, protocol: str) -> None:
    """Exit if a protocol does not apply to a recipe."""
    if protocol.startswith("watched") and not getattr(pipeline[-1], "validation_fraction", 0):
        raise SystemExit(f"{protocol}: the recipe has no validation clips")
    if protocol == "watched-views" and pipeline["augment"].n_views == 1:
        raise SystemExit("watched-views: the recipe has one view of each clip")


def parameters(pipeline: Pipeline) -> dict[str, Any]:
    """All parameters of a recipe as JSON, with objects replaced by the names of their classes."""
    return json.loads(json.dumps(pipeline.get_params(), default=lambda part: type(part).__name__))


def run(
    arguments: argparse.Namespace, speech: Bunch, done: list[dict[str, Any]], memory: str
) -> Iterator[dict[str, Any]]:
    """Score the unfinished folds."""
    known = {(fold["seed"], fold["fold"]) for fold in done}
    todo = []
    for seed in arguments.seeds:
        pipeline = get_recipe(arguments.recipe)(random_state=seed, memory=memory, **arguments.set)
        for step in steps_of(pipeline):
            if isinstance(step, Augmenter):
                step.set_params(random_state=0)  # so that seeds share the features
        if arguments.protocol.endswith(TRANSDUCTIVE):
            pipeline = standardize_by_speaker(pipeline)
        for fold, parts in enumerate(make_folds(arguments.protocol, speech, seed)):
            if (seed, fold) not in known:
                todo.append((pipeline, arguments.protocol, speech, seed, fold, *parts))
    if todo:  # cache the features for all folds and seeds
        for extraction in extractions(clone(todo[0][0])):
            extraction.set_params(features__n_jobs=arguments.jobs).fit_transform(speech.paths)
    workers = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    yield from workers(delayed(score_fold)(*job) for job in todo)


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """Mean and deviation over seeds of the scores over all clips."""
    scores = []
    for seed in sorted({fold["seed"] for fold in result["folds"]}):
        folds = [fold["confusion"] for fold in result["folds"] if fold["seed"] == seed]
        matrix = np.sum(folds, axis=0)
        right, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        recalls, f1 = right / true, 2 * right / (true + predicted)
        scores.append((recalls.mean(), right.sum() / matrix.sum(), f1.mean()))
    uar, accuracy, macro_f1 = np.transpose(scores)
    ddof = min(1, len(uar) - 1)
    return {
        "n_seeds": len(uar),
        "uar": uar.mean(),
        "uar_sd": uar.std(ddof=ddof),
        "uars": uar.tolist(),
        "accuracy": accuracy.mean(),
        "accuracy_sd": accuracy.std(ddof=ddof),
        "macro_f1": macro_f1.mean(),
        "seconds": float(np.mean([fold["seconds"] for fold in result["folds"]])),
    }


def write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", choices=list(RECIPES))
    parser.add_argument("corpus", help="ravdess, emodb, emovo, ..., or synthetic")
    parser.add_argument("data", type=Path, help="its folder")
    parser.add_argument("--name", help="name of the corpus in results, by default its loader's")
    parser.add_argument("--protocol", default="loso")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=2, help="number of folds that run in parallel")
    parser.add_argument("--set", nargs="*", default=[], help="parameters: classify__epochs=80")
    parser.add_argument("--out", type=Path, help="file of the results")
    parser.add_argument("--memory", type=Path, help="folder of the feature cache")
    arguments = parser.parse_args()
    arguments.set = {k: json.loads(v) for k, v in (text.split("=", 1) for text in arguments.set)}
    arguments.name = arguments.name or arguments.corpus
    if arguments.out is None:
        if arguments.set:
            parser.error("--set needs --out: results are of recipes as they are")
        stem = f"{arguments.recipe}-{arguments.name}-{arguments.protocol}"
        arguments.out = RESULTS / f"{stem}.json"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    pipeline = get_recipe(arguments.recipe)(**arguments.set)
    check_protocol(pipeline, arguments.protocol)
    speech = read_corpus(arguments.corpus, arguments.data)
    packages = ("skser", "scikit-learn", "tensorflow", "keras", "onnxruntime", "librosa", "numpy")
    result = {
        "recipe": arguments.recipe,
        "corpus": arguments.name,
        "protocol": arguments.protocol,
        "parameters": parameters(pipeline),
        "n_clips": len(speech.paths),
        "n_speakers": len(np.unique(speech.groups)),
        "classes": np.unique(speech.target).tolist(),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        "folds": [],
    }
    if arguments.out.exists():
        saved = json.loads(arguments.out.read_text())
        for name in result:
            if name != "folds" and saved.get(name) != result[name]:
                raise SystemExit(
                    f"{arguments.out} is of another {name}: remove it, or choose another file with "
                    "--out"
                )
        result["folds"] = saved["folds"]
    with TemporaryDirectory() as temporary:
        memory = str(arguments.memory or temporary)
        for fold in run(arguments, speech, result["folds"], memory):
            result["folds"].append(fold)
            result["folds"].sort(key=lambda fold: (fold["seed"], fold["fold"]))
            write(arguments.out, result)
            print(f"seed {fold['seed']} fold {fold['fold']}: {fold['seconds']:.0f} s", flush=True)
    scores = summary(result)
    print(
        f"{arguments.recipe} on {arguments.name}, {arguments.protocol}: pooled UAR "
        f"{scores['uar']:.3f} ± {scores['uar_sd']:.3f} over {scores['n_seeds']} seeds "
        f"({', '.join(f'{uar:.3f}' for uar in scores['uars'])}), accuracy "
        f"{scores['accuracy']:.3f}, {scores['seconds']:.0f} s a fold"
    )


if __name__ == "__main__":
    main()
