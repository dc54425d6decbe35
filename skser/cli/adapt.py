"""``skser adapt``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import AudioHome, Corpus, Label, Labels, Model, PathColumn, Speaker, Trust

_MIN_RECORDINGS = 20  # fewer do not say what is usual


def adapt(
    model: Model,
    data: Annotated[
        list[Path], typer.Argument(help="Labelled recordings: corpora, folders or tables.")
    ],
    out: Annotated[Path, typer.Option(help="Model file to write.")],
    corpus: Corpus = "auto",
    path_column: PathColumn = None,
    speaker: Speaker = None,
    label: Label = None,
    labels: Labels = None,
    audio_home: AudioHome = None,
    share: Annotated[
        float | None,
        typer.Option(
            help="Share of the weight of the new recordings, 0 to 1; by default that of their "
            "number, at least 0.1."
        ),
    ] = None,
    trust: Trust = None,
) -> None:
    """Fit a model again, on what it was trained on and on a few labelled recordings.

    The model must have been trained with --keep-features, or end in a network, which then goes on
    from its weights. New recordings that it labels should be like those given here.

    Example: skser train RAVDESS EMOVO --recipe whisper --keep-features --out general.skser && skser
    adapt general.skser mine.csv --out mine.skser
    """
    from ..adaptation import adapt as run
    from ..inference import TrainingAudio
    from ..persistence import ModelInfo, load_info
    from ..persistence._any_model import is_joblib, load_model, save_model
    from ._corpora import load_speech
    from ._outputs import check_model_file

    check_model_file(out, [*data, model])
    pipeline = load_model(model, trusted=trust or [])
    speech = load_speech(data, corpus, speaker, labels, label, audio_home, path_column)
    adapted = run(pipeline, speech, share=share)
    previous = None if is_joblib(model) else load_info(model)
    info = None  # what the model was trained on before is not known
    if previous is not None:
        is_enough = previous.audio is None or len(speech.paths) >= _MIN_RECORDINGS
        audio = TrainingAudio.of(adapted, speech.paths).to_dict() if is_enough else previous.audio
        info = ModelInfo.of(speech, audio=audio).after(previous)
    save_model(adapted, out, info)
    typer.echo(f"wrote {out}")
