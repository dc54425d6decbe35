"""The recipe with a pre-trained speech encoder: Whisper and linear discriminants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.pipeline import Pipeline

from .._utils._types import PathLike
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import (
    AugmentedClassifier,
    BlockVotingClassifier,
    WeightedLinearDiscriminant,
)
from ..embeddings import SpeechEmbedding
from ..exceptions import ParameterError
from ._assembly import assemble


def whisper(
    model: PathLike = "openai/whisper-base",
    *,
    layers: int | Sequence[int] = (2, 3, 4, 5),
    shrinkage: float = 0.2,
    **params: object,
) -> Pipeline:
    """Make a pipeline of a pre-trained Whisper encoder and linear discriminants.

    The frames of four middle layers of the encoder are summarised over each clip. A linear
    discriminant is fitted to the means of each layer, and one to means and deviations of the
    second of them; their vote is the geometric mean of the probabilities. Training adds two views
    of each clip, slower and faster. It is the most accurate recipe and fits in seconds; it needs
    the extra ``embeddings`` and, once, a download of 290 MB. It is not known which recordings
    Whisper was trained on.

    Parameters
    ----------
    model : str or path, default="openai/whisper-base"
        Name on the Hugging Face Hub, or folder; see :class:`skser.SpeechEmbedding`.
    layers : int or sequence of int, default=(2, 3, 4, 5)
        Layers of the encoder. The default is for the six layers of whisper-base; the layers from a
        third to three quarters of the encoder are a good choice for others, such as (2, 3) for
        whisper-tiny.
    shrinkage : float, default=0.2
        Shrinkage of the discriminants, in [0, 1]. 0.5 is better for recordings that are unlike all
        that were trained on, such as another language.
    **params : dict
        As in :func:`skser.make_emotion_pipeline`: ``random_state``, ``n_jobs``, ``memory``,
        ``verbose``, and parameters of the steps, such as ``load__duration=2.5``, or steps
        themselves.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, with steps ``load``, ``augment``, ``features``, ``scale`` and ``classify``.

    Raises
    ------
    ParameterError
        There is no such parameter, or it is the layer or pooling of ``features``, or ``layers`` is
        empty.

    Examples
    --------
    >>> from skser.recipes import whisper
    >>> pipeline = whisper(memory="cache")
    >>> pipeline["features"].layer
    (2, 3, 4, 5)
    """
    for name in ("layer", "pooling"):
        if f"features__{name}" in params:
            raise ParameterError(
                f"features__{name} must be left out, since the vote depends on it; use layers="
            )
    n_layers = np.size(layers)
    if n_layers == 0:
        raise ParameterError(f"layers must be one or several layers, got {layers!r}")
    # Each layer has a block of means and a block of deviations. All settings were chosen on
    # validation speakers; the deviations of further layers add nothing.
    second = 2 * min(1, n_layers - 1)
    vote = BlockVotingClassifier(
        WeightedLinearDiscriminant(shrinkage=shrinkage),
        n_blocks=2 * n_layers,
        members=[*((2 * i,) for i in range(n_layers)), (second, second + 1)],
        temperature=3.0,
    )
    views = Augmenter(
        n_views=3,
        speed=(0.87, 1.15),
        noise=None,
        pitch=None,
        stretch=None,
        shift=None,
        spacing="even",
    )
    return assemble(
        AudioLoader(duration=None, pad=None),
        views,
        SpeechEmbedding(model, layer=layers, pooling="mean_std"),
        AugmentedClassifier(vote),
        **params,
    )
