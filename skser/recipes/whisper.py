"""The recipe with a pre-trained speech encoder: Whisper and a linear discriminant."""

from __future__ import annotations

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

from .._utils._types import PathLike
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import AugmentedClassifier
from ..embeddings import SpeechEmbedding
from ._assembly import assemble, documented


@documented
def whisper(model: PathLike = "openai/whisper-base", **params: object) -> Pipeline:
    """Make a pipeline of a pre-trained Whisper encoder and a linear discriminant.

    {shared}
    """
    return assemble(
        AudioLoader(duration=None, pad=None),
        Augmenter(
            n_views=3,
            speed=(0.87, 1.15),
            noise=None,
            pitch=None,
            stretch=None,
            shift=None,
            spacing="even",
        ),
        SpeechEmbedding(model),
        AugmentedClassifier(LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        **params,
    )
