"""The demo: the whole way from recordings to a kept model, on synthetic speech."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from ._cross_validation import predict_by_speaker, speaker_scores
from ._files import save_model, written_whole
from .datasets import make_emotional_speech
from .plotting import TrainingCurvesDisplay
from .recipes import make_emotion_pipeline

__all__ = ["run_demo"]

_N_SPEAKERS = 8
_WRITTEN = (
    "model.joblib",
    "scores.csv",
    "predictions.csv",
    "confusion_matrix.png",
    "training_curves.png",
)


def run_demo(
    folder: str | os.PathLike[str],
    *,
    random_state: int = 0,
    n_epochs: int = 20,
    say: Callable[[str], Any] = print,
) -> float:
    """Synthesise a corpus, cross-validate by speaker, fit, keep the model and label a recording.

    Writes ``speech/``, ``model.joblib``, ``scores.csv``, ``predictions.csv``,
    ``confusion_matrix.png`` and ``training_curves.png`` to the folder.

    Parameters
    ----------
    folder : str or path
        Where to write; it is made if it is not there.
    random_state : int, default=0
        Seed of speech, augmentation and network.
    n_epochs : int, default=20
        Epochs of each training, few so that it is quick.
    say : callable, default=print
        What is told goes there, line by line.

    Returns
    -------
    uar : float
        Unweighted average recall of the cross-validation, over all clips.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # One speaker more than is trained on: who says the recording that is labelled at the end.
    speech = make_emotional_speech(
        folder / "speech", n_speakers=_N_SPEAKERS + 1, random_state=random_state
    )
    stranger = speech.groups == speech.groups[-1]
    paths, target, groups = (a[~stranger] for a in (speech.paths, speech.target, speech.groups))
    say(f"{len(paths)} clips of {_N_SPEAKERS} synthetic speakers in {folder / 'speech'}")

    pipeline = make_emotion_pipeline(random_state=random_state)
    network = pipeline["vote"].named_estimators["network"]["classify"]
    network.set_params(epochs=n_epochs)
    predicted = predict_by_speaker(pipeline, paths, target, groups, n_jobs=-1)
    scores = speaker_scores(target, predicted, groups)
    uar = float(balanced_accuracy_score(target, predicted))
    chance = 1 / len(np.unique(target))
    say(
        f"unweighted average recall {uar:.3f} over all clips, each labelled by a model that never "
        f"heard its speaker ({chance:.3f} would be chance; {scores['uar'].min():.3f} to "
        f"{scores['uar'].max():.3f} for single speakers)"
    )

    network.set_params(validation_fraction=0.15)
    pipeline.fit(paths, target)
    save_model(pipeline, folder / "model.joblib")
    predictions = {"path": paths, "speaker": groups, "emotion": target, "predicted": predicted}
    _write_tables(folder, scores, pd.DataFrame(predictions))
    _write_pictures(folder, pipeline, target, predicted)

    recording = speech.paths[stranger][-1]
    truth = speech.target[stranger][-1]
    probabilities = pipeline.predict_proba([recording])[0]
    best = probabilities.argmax()
    say(
        f"{recording} (a speaker not trained on, acted as {truth}): {pipeline.classes_[best]} with "
        f"probability {probabilities[best]:.2f}"
    )
    for name in _WRITTEN:
        say(f"wrote {folder / name}")
    return uar


def _write_tables(folder: Path, scores: pd.DataFrame, predictions: pd.DataFrame) -> None:
    for name, table in (("scores.csv", scores), ("predictions.csv", predictions)):
        with written_whole(folder / name) as path:
            table.to_csv(path, index=False, float_format="%.4f")


def _write_pictures(folder: Path, pipeline: Any, target: np.ndarray, predicted: np.ndarray) -> None:
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    # Figures of their own, without pyplot: no window, and no state of the caller's is touched.
    confusion = Figure(figsize=(6, 5.2), layout="constrained")
    ax = confusion.add_subplot()
    display = ConfusionMatrixDisplay.from_predictions(
        target,
        predicted,
        normalize="true",
        values_format=".2f",
        cmap="Blues",
        ax=ax,
        colorbar=False,
        im_kw={"vmin": 0, "vmax": 1},
    )
    display.ax_.set(title="Share of each emotion's clips, speakers not trained on")
    curves = Figure(figsize=(9, 3.5), layout="constrained")
    TrainingCurvesDisplay.from_estimator(pipeline, axes=curves.subplots(1, 2))
    for name, figure in (("confusion_matrix.png", confusion), ("training_curves.png", curves)):
        with written_whole(folder / name) as path:
            figure.savefig(path, dpi=150, bbox_inches="tight")
