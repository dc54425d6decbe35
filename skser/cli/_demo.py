"""``skser demo``: from recordings to a saved model, on synthetic speech."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Seed

# The default recipe, smaller: half a minute on two cores, and the scores are still plausible.
_QUICK = {
    "load__duration": 2.5,
    "augment__n_views": 3,
    "vote__functionals__features__deltas": 0,
    "vote__network__classify__epochs": 20,
    "vote__network__classify__network__filters": (16, 32),
    "vote__network__classify__validation_fraction": 0.2,
}


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("skser-demo"),
    seed: Seed = 0,
) -> None:
    """Make synthetic speech, cross-validate by speaker, train and save a model, label a recording.

    Takes less than a minute and downloads nothing. Writes recordings, model, scores and a report.
    """
    from ._outputs import check_folder

    check_folder(out)
    run_demo(out, random_state=seed, log=typer.echo)


def run_demo(
    folder: Path,
    *,
    n_speakers: int = 8,
    emotions: Sequence[str] = ("neutral", "happy", "sad", "angry", "fear"),
    n_folds: int = 3,
    random_state: int = 0,
    log: Callable[[str], Any] = print,
    **params: Any,
) -> float:
    """Run the demo.

    Writes ``speech/``, ``model.skser``, and all files of ``skser evaluate``: tables, pictures and
    ``report.html``.

    Parameters
    ----------
    folder : Path
        Where to write; made if missing.
    n_speakers : int, default=8
        Speakers to train and test on. One more speaks the recording that is labelled at the end.
    emotions : sequence of str, default=("neutral", "happy", "sad", "angry", "fear")
        Emotions of the synthetic speech.
    n_folds : int, default=3
        Folds of the cross-validation, with different speakers in each.
    random_state : int, default=0
        Seed of speech, augmentation and network.
    log : callable, default=print
        Called with each line of text.
    **params
        Parameters of the pipeline, as in :func:`skser.make_emotion_pipeline`.

    Returns
    -------
    uar : float
        Unweighted average recall of the cross-validation, over all clips.
    """
    from sklearn.model_selection import GroupKFold
    from sklearn.utils import Bunch

    from ..datasets import make_emotional_speech
    from ..evaluation import evaluate
    from ..persistence._any_model import save_model
    from ..recipes import make_emotion_pipeline
    from ..report._findings import Findings

    speech = make_emotional_speech(
        folder / "speech",
        n_speakers=n_speakers + 1,
        emotions=emotions,
        n_takes=1,
        random_state=random_state,
    )
    is_known = speech.groups != speech.groups[-1]
    known = Bunch(**{name: speech[name][is_known] for name in ("paths", "target", "groups")})
    known.frame = speech.frame[is_known]
    log(
        f"1. Recordings: {len(known.paths)} clips, {n_speakers} synthetic speakers, "
        f"{len(emotions)} emotions, in {folder / 'speech'}"
    )
    _yours(log, "skser datasets check FOLDER")

    log(f"2. Cross-validation: train on some speakers, test on the others, {n_folds} times ...")
    pipeline = make_emotion_pipeline(random_state=random_state, **{**_QUICK, **params})
    evaluation = evaluate(pipeline, known, cv=GroupKFold(n_folds))
    findings = Findings(evaluation)
    for line in findings.summary_lines():
        log(f"   {line}")
    report = findings.write(folder, title="Synthetic speech")
    _yours(log, "skser evaluate FOLDER --out scores")

    log("3. Training: the same pipeline on all speakers ...")
    pipeline.fit(known.paths, known.target)
    model = folder / "model.skser"
    save_model(pipeline, model)
    _yours(log, "skser train FOLDER --out model.skser")

    recording, truth = speech.paths[-1], speech.target[-1]
    log(f"4. Prediction: {recording}, a new speaker acting {str(truth)!r}")
    (probabilities,) = pipeline.predict_proba([recording])
    ranked = sorted(zip(probabilities, pipeline.classes_, strict=True), reverse=True)
    log("   " + ", ".join(f"{emotion} {probability:.2f}" for probability, emotion in ranked))
    _yours(log, f"skser predict {model} RECORDING")

    log("5. Files")
    for path in (model, *report):
        log(f"   wrote {path}")
    log(f"Open {folder / 'report.html'} in a browser.")
    return float(evaluation.to_frame()["pooled"]["uar"])


def _yours(log: Callable[[str], Any], command: str) -> None:
    log(f"   On your own recordings: {command}")
