"""The model card: purpose, limits, training data and score of a model, in Markdown."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .._utils._types import EmotionPipeline, PathLike
from ..embeddings._description import EncoderDescription, public_name
from . import _container
from ._info import LIMITS, ModelInfo, describe_score, emotion_counts

_USE = 'import skser\n\npipeline = skser.load("model.skser")\npipeline.predict(["recording.wav"])'


def load_card(path: PathLike) -> str:
    """Read the model card in a model file.

    Parameters
    ----------
    path : str or path
        A file that `skser.save` wrote.

    Returns
    -------
    card : str
        Markdown.

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    _, entries = _container.read(path)
    text = entries.get(_container.CARD, b"").decode(errors="replace")
    # Terminals interpret control characters.
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def model_card(
    pipeline: EmotionPipeline,
    info: ModelInfo | None,
    encoders: Sequence[EncoderDescription] = (),
) -> str:
    """A model card in Markdown: purpose, limits, training data and score."""
    data = "Not recorded."
    if info is not None:
        rows = [
            ("Corpora", ", ".join(info.corpora) or "unnamed"),
            ("Recordings", info.n_recordings),
            ("Speakers", "unknown" if info.n_speakers is None else info.n_speakers),
            ("Emotions", emotion_counts(info)),
            *(("Licence of the data", licence) for licence in info.licences),
        ]
        data = "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)])
    sections = [
        "\n# Speech emotion recognition with skser",
        f"Predicts one of {', '.join(map(str, pipeline.classes_))} from a recording of speech.",
        "## Limits",
        "\n".join(f"- {limit}" for limit in LIMITS),
        f"## Training data\n\n{data}",
        *(f"## Pre-trained encoder\n\n{describe_included(encoder)}" for encoder in encoders),
        f"## Evaluation\n\n{describe_score(info)}",
        f"## How to use it\n\n```python\n{_USE}\n```",
        f"## Pipeline\n\n```\n{_without_folders(pipeline)}\n```\n",
    ]
    return "\n\n".join(sections)


def describe_included(encoder: EncoderDescription) -> str:
    """An encoder, and whether the model file contains it."""
    if encoder.included:
        return f"{encoder} The model file contains it."
    is_on_hub = encoder.revision is not None
    how = "finds or downloads it" if is_on_hub else "needs the same file or folder"
    return f"{encoder} The model file does not contain it: prediction {how}."


def _without_folders(pipeline: EmotionPipeline) -> str:
    """The pipeline as text, with names of encoders in place of their folders."""
    from sklearn.base import clone

    from ..embeddings import SpeechEmbedding
    from ..recipes._steps import steps_of

    unfitted = clone(pipeline, safe=False)
    for step in steps_of(unfitted):
        if isinstance(step, SpeechEmbedding):
            step.set_params(model=public_name(os.fspath(step.model), step.revision))
    return repr(unfitted)
