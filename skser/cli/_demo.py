"""``skser demo``: from recordings to a saved model, on synthetic speech."""

from __future__ import annotations

from collections.abc import Sequence
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
_N_FOLDS = 3


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("skser-demo"),
    seed: Seed = 0,
) -> None:
    """Make synthetic speech, cross-validate by speaker, train and save a model, label a recording.

    Takes less than a minute and downloads nothing. Writes recordings, model, scores and a report.
    """
    from ._outputs import check_folder

    check_folder(out)
    run_demo(out, seed=seed)


def run_demo(
    folder: Path,
    *,
    n_speakers: int = 8,
    emotions: Sequence[str] = ("neutral", "happy", "sad", "angry", "fear"),
    seed: int = 0,
    **params: Any,
) -> None:
    """Run the demo with ``params`` of the pipeline; one more speaker is labelled at the end."""
    from sklearn.model_selection import GroupKFold
    from sklearn.utils import Bunch

    from ..datasets import make_emotional_speech
    from ..evaluation import evaluate
    from ..persistence._any_model import save_model
    from ..recipes import make_emotion_pipeline
    from ..report._findings import Findings

    home, model = folder / "speech", folder / "model.skser"
    speech = make_emotional_speech(
        home, n_speakers=n_speakers + 1, emotions=emotions, n_takes=1, random_state=seed
    )
    is_known = speech.groups != speech.groups[-1]
    columns = ("paths", "target", "groups", "frame")
    known = Bunch(**{name: speech[name][is_known] for name in columns})
    typer.echo(
        f"1. Recordings: {len(known.paths)} clips, {n_speakers} synthetic speakers, "
        f"{len(emotions)} emotions, in {home}"
    )
    _echo_command("skser datasets check FOLDER")

    typer.echo(f"2. Cross-validation: train on some speakers, test on others, {_N_FOLDS} times ...")
    pipeline = make_emotion_pipeline(random_state=seed, **{**_QUICK, **params})
    findings = Findings(evaluate(pipeline, known, cv=GroupKFold(_N_FOLDS)))
    for line in findings.summary_lines():
        typer.echo(f"   {line}")
    files = findings.write(folder, title="Synthetic speech")
    _echo_command("skser evaluate FOLDER --out scores")

    typer.echo("3. Training: the same pipeline on all speakers ...")
    pipeline.fit(known.paths, known.target)
    save_model(pipeline, model)
    _echo_command("skser train FOLDER --out model.skser")

    recording, truth = speech.paths[-1], speech.target[-1]
    typer.echo(f"4. Prediction: {recording}, a new speaker acting {str(truth)!r}")
    (probabilities,) = pipeline.predict_proba([recording])
    ranked = sorted(zip(probabilities, pipeline.classes_, strict=True), reverse=True)
    typer.echo("   " + ", ".join(f"{emotion} {probability:.2f}" for probability, emotion in ranked))
    _echo_command(f"skser predict {model} RECORDING")

    typer.echo("5. Files")
    for path in (model, *files):
        typer.echo(f"   wrote {path}")
    typer.echo(f"Open {folder / 'report.html'} in a browser.")


def _echo_command(command: str) -> None:
    typer.echo(f"   On your own recordings: {command}")
