"""What a few labelled clips are worth: a model trained on them alone, and one adapted by them.

    python benchmarks/adaptation.py RAVDESS EMODB EMOVO --memory FOLDER

A target corpus is new to a model that was trained on the others, with the emotions that all have.
For each speaker of the target, 1, 2, 4 and 8 clips of each emotion are drawn from the other
speakers. A pipeline is trained on these clips alone, and the model of the other corpora is adapted
to them with `skser.adapt`; both label all clips of the speaker. Scores, unweighted average recalls,
are pooled over speakers, and have a mean and a standard deviation over draws. It writes
results/adaptation.json, docs/scores/adaptation.csv and docs/images/adaptation.png; `--draw-only`
repeats table and picture.
"""

from __future__ import annotations

import argparse
import json
from functools import reduce
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skser import adapt
from skser.datasets import load_corpus, merge_corpora
from skser.evaluation._fitted_fold import FittedFold, features_kept, fit_fold
from skser.recipes import keep_features, standardize_by_corpus, whisper
from skser.recipes._standardization import standardize_on

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "adaptation.json"
N_CLIPS = (1, 2, 4, 8)  # of each emotion
METHODS = {
    "scratch": "trained on the labelled clips alone",
    "adapted": "adapted from other corpora",
    "standardised": "adapted, and standardised over all clips of the speaker, without labels",
}


def read(folders: list[Path]) -> dict[str, Bunch]:
    """Corpora with the emotions that all have."""
    corpora = {folder.name: load_corpus(folder) for folder in folders}
    common = reduce(np.intersect1d, (speech.target for speech in corpora.values())).tolist()
    return {name: merge_corpora(speech, labels=common) for name, speech in corpora.items()}


def draw(speech: Bunch, allowed: np.ndarray, n_clips: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of ``n_clips`` of each emotion."""
    return np.concatenate(
        [
            rng.choice(np.flatnonzero(allowed & (speech.target == label)), n_clips, replace=False)
            for label in np.unique(speech.target)
        ]
    )


def predictions(
    speech: Bunch, others: Bunch, pipeline: Pipeline, n_draws: int
) -> dict[tuple[str, int, int], np.ndarray]:
    """Labels of all clips of the target by method, number of clips and draw."""
    model = keep_features(standardize_by_corpus(pipeline))
    domains = {"domains": others.frame["corpus"].to_numpy(dtype=str)}
    everything = np.arange(len(others.paths))
    general = fit_fold(model, others.paths, others.target, domains, everything).pipeline
    labels: dict[tuple[str, int, int], np.ndarray] = {}

    def put(key: tuple[str, int, int], test: np.ndarray, fitted: Pipeline) -> None:
        predicted = FittedFold(fitted, {}).predict(speech.paths[test])
        labels.setdefault(key, np.empty(len(speech.paths), object))[test] = predicted

    for speaker in np.unique(speech.groups):
        test = np.flatnonzero(speech.groups == speaker)
        put(("adapted", 0, 0), test, general)
        put(("standardised", 0, 0), test, standardize_on(general, speech.paths[test]))
        for seed in range(n_draws):
            rng = np.random.default_rng(seed)
            for n in N_CLIPS:
                own = draw(speech, speech.groups != speaker, n, rng)
                X, y = speech.paths[own], speech.target[own]
                scratch = fit_fold(pipeline, X, y, {}, np.arange(len(own))).pipeline
                put(("scratch", n, seed), test, scratch)
                adapted = adapt(general, X, y)
                put(("adapted", n, seed), test, adapted)
                put(("standardised", n, seed), test, standardize_on(adapted, speech.paths[test]))
        print(f"{speaker}: done", flush=True)
    return labels


def table(result: dict) -> list[list[str]]:
    """Rows of the table: corpus, method, and a score for each number of clips."""
    rows = [["new corpus", "model", "0", *map(str, N_CLIPS)]]
    for corpus, scores in result.items():
        for method, name in METHODS.items():
            cells = []
            for n in (0, *N_CLIPS):
                values = scores.get(f"{method} {n}")
                cells.append("" if values is None else text(values))
            rows.append([corpus, name, *cells])
    return rows


def text(values: list[float]) -> str:
    """Mean and deviation, as .712 ± .013."""
    numbers = [np.mean(values)] + ([np.std(values, ddof=1)] if len(values) > 1 else [])
    return " ± ".join(f"{number:.3f}".lstrip("0") for number in numbers)


def picture(result: dict) -> plt.Figure:
    """Scores over the number of labelled clips, a panel for each corpus."""
    figure, grid = plt.subplots(
        1, len(result), figsize=(9, 4.2), sharey=True, squeeze=False, layout="constrained"
    )
    axes = grid[0]
    for ax, (corpus, scores) in zip(axes, result.items(), strict=True):
        for method, style in (("scratch", "o:"), ("adapted", "o-"), ("standardised", "s-")):
            numbers = [n for n in (0, *N_CLIPS) if f"{method} {n}" in scores]
            values = [scores[f"{method} {n}"] for n in numbers]
            places = [(0, *N_CLIPS).index(n) for n in numbers]
            deviations = [np.std(v, ddof=1) if len(v) > 1 else 0.0 for v in values]
            means = [np.mean(v) for v in values]
            ax.errorbar(places, means, deviations, fmt=style, capsize=3, label=METHODS[method])
        ax.set(title=corpus, xlabel="labelled clips of each emotion")
        ax.set_xticks(range(1 + len(N_CLIPS)), (0, *N_CLIPS))
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("unweighted average recall")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", frameon=False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path, nargs="+", help="folders of at least two corpora")
    parser.add_argument("--targets", nargs="+", help="names of folders; all by default")
    parser.add_argument("--model", default="openai/whisper-base", help="name or folder")
    parser.add_argument("--draws", type=int, default=3, help="at least 2")
    parser.add_argument("--memory", help="folder that keeps the features for another run")
    parser.add_argument("--draw-only", action="store_true", help="table and picture of the result")
    arguments = parser.parse_args()
    if not arguments.draw_only:
        corpora, result = read(arguments.corpora), {}
        for target in arguments.targets or corpora:
            speech = corpora[target]
            others = merge_corpora(*(c for name, c in corpora.items() if name != target))
            with features_kept(
                whisper(arguments.model, shrinkage=0.5, memory=arguments.memory)
            ) as pipeline:
                labels = predictions(speech, others, pipeline, arguments.draws)
            scores: dict[str, list[float]] = {}
            for (method, n, _), predicted in labels.items():
                uar = balanced_accuracy_score(speech.target, predicted.astype(str))
                scores.setdefault(f"{method} {n}", []).append(uar)
            result[target] = scores
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    result = json.loads(RESULT.read_text())
    rows = table(result)
    (ROOT / "docs/scores/adaptation.csv").write_text(
        "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n"
    )
    picture(result).savefig(ROOT / "docs/images/adaptation.png", dpi=150)
    for row in rows:
        print(" | ".join(row))


if __name__ == "__main__":
    main()
