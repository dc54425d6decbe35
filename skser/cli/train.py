"""``skser train``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    AudioHome,
    Corpus,
    Data,
    Jobs,
    Label,
    Labels,
    PathColumn,
    Recipe,
    Seed,
    Settings,
    Speaker,
    make_pipeline,
)


def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Model file to write.")],
    corpus: Corpus = "auto",
    path_column: PathColumn = None,
    speaker: Speaker = None,
    label: Label = None,
    labels: Labels = None,
    audio_home: AudioHome = None,
    recipe: Recipe = "default",
    scores: Annotated[
        Path | None, typer.Option(help="Folder of `skser evaluate --out`, for calibration.")
    ] = None,
    seed: Seed = 0,
    jobs: Jobs = 1,
    set_: Settings = None,
    with_test: Annotated[
        bool,
        typer.Option("--with-test", help="Train on the part of a split that is for tests, too."),
    ] = False,
    keep_features: Annotated[
        bool,
        typer.Option("--keep-features", help="Keep training features, for `skser adapt`."),
    ] = False,
    include_encoder: Annotated[
        bool,
        typer.Option(
            "--include-encoder",
            help="Put the pre-trained encoder into the model file, for machines without network.",
        ),
    ] = False,
) -> None:
    """Fit a pipeline on labelled recordings and save it as a model file.

    Several corpora become one model: each is standardised by its own recordings, and they count
    alike whatever their size.

    If a corpus has a split (folders train and test), the model is trained without the part that
    `skser evaluate` tests.

    With --scores, the folder of an evaluation of the same recipe, the model has calibrated
    probabilities and knows its score.

    Example: skser train RAVDESS --out model.skser --set load__duration=2.5

    Example: skser train RAVDESS EMOVO calls.csv --labels angry,happy,neutral,sad --out
    general.skser

    Example: skser train RAVDESS EMOVO --recipe whisper --keep-features --out general.skser

    Example: skser evaluate RAVDESS --out scores && skser train RAVDESS --scores scores --out
    model.skser
    """
    import numpy as np

    from .._utils._temperature import HIGHEST_TEMPERATURE
    from ..audio._forms import as_recordings
    from ..audio._silence import warn_of_silence
    from ..calibration import TemperatureScaledClassifier
    from ..embeddings import SpeechEmbedding
    from ..evaluation._fitted_fold import fit_fold
    from ..exceptions import ParameterError
    from ..inference import TrainingAudio
    from ..persistence import ModelInfo
    from ..persistence._any_model import check_include_encoder, save_model
    from ..recipes import keep_features as keep
    from ..recipes._steps import loader_of, set_everywhere, steps_of
    from ._corpora import check_each_has_labels, load_each, merge, training_part
    from ._outputs import check_model_file
    from ._scores import read_scores

    check_model_file(out, data)
    check_include_encoder(out, include_encoder)
    corpora = load_each(data, corpus, speaker, labels, label, audio_home, path_column)
    pipeline = make_pipeline(recipe, seed, jobs, set_, n_corpora=len(corpora))
    has_encoder = any(isinstance(step, SpeechEmbedding) for step in steps_of(pipeline))
    if include_encoder and not has_encoder:
        raise ParameterError(
            "--include-encoder must be used with a pre-trained encoder, such as that of --recipe "
            f"whisper, got --recipe {recipe}"
        )
    unfitted = keep(pipeline) if keep_features else pipeline
    speech = merge(corpora)
    check_each_has_labels(speech)
    scored_on = speech
    if not with_test:
        speech = training_part(speech)
    score, temperature = (
        (None, None) if scores is None else read_scores(scores, pipeline, scored_on)
    )
    names = {"domains": speech.frame["corpus"].to_numpy(dtype=str)} if len(corpora) > 1 else {}
    warn_of_silence(as_recordings(speech.paths), loader_of(pipeline), stacklevel=1)
    everything = np.arange(len(speech.paths))
    pipeline = fit_fold(unfitted, speech.paths, speech.target, names, everything).pipeline
    set_everywhere(pipeline, verbose=0)
    audio = TrainingAudio.of(pipeline, speech.paths).to_dict()
    info = replace(ModelInfo.of(speech, audio=audio), score=score)
    if temperature is not None:
        pipeline = TemperatureScaledClassifier.of(pipeline, temperature)
        is_limit = temperature > 0.999 * HIGHEST_TEMPERATURE
        limit = " (the limit: confidence hardly tells right from wrong)" if is_limit else ""
        typer.echo(f"calibrated: temperature {temperature:.2f}{limit}")
    save_model(pipeline, out, info, include_encoder=include_encoder)
    typer.echo(f"wrote {out}")
