"""The demo: the whole way from recordings to a kept model, on synthetic speech."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.utils import Bunch

from ._findings import Findings
from ._models import save_model
from .datasets import make_emotional_speech
from .evaluation import evaluate
from .recipes import make_emotion_pipeline

__all__ = ["run_demo"]

_N_SPEAKERS = 8


def run_demo(
    folder: str | os.PathLike[str],
    *,
    random_state: int = 0,
    n_epochs: int = 20,
    say: Callable[[str], Any] = print,
) -> float:
    """Synthesise a corpus, cross-validate by speaker, fit, keep the model and label a recording.

    Writes ``speech/``, ``model.skser``, and all that ``skser evaluate`` writes: tables, pictures
    and ``report.html``.

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
    known = Bunch(
        paths=speech.paths[~stranger],
        target=speech.target[~stranger],
        groups=speech.groups[~stranger],
        frame=speech.frame[~stranger],
    )
    say(f"{len(known.paths)} clips of {_N_SPEAKERS} synthetic speakers in {folder / 'speech'}")

    pipeline = make_emotion_pipeline(random_state=random_state)
    network = pipeline["vote"].named_estimators["network"]["classify"]
    network.set_params(epochs=n_epochs, validation_fraction=0.15)
    evaluation = evaluate(pipeline, known, n_jobs=-1)
    findings = Findings(evaluation)
    for line in findings.summary_lines()[:2]:
        say(line)
    pipeline.fit(known.paths, known.target)
    save_model(pipeline, folder / "model.skser")

    recording = speech.paths[stranger][-1]
    truth = speech.target[stranger][-1]
    probabilities = pipeline.predict_proba([recording])[0]
    best = probabilities.argmax()
    say(
        f"{recording} (a speaker not trained on, acted as {truth}): {pipeline.classes_[best]} with "
        f"probability {probabilities[best]:.2f}"
    )
    for path in [
        folder / "model.skser",
        *findings.write(folder, title="Synthetic speech"),
    ]:
        say(f"wrote {path}")
    return float(evaluation.to_frame()["pooled"]["uar"])
