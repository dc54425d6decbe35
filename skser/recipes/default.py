"""make_emotion_pipeline: the default recipe."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from ..augmentation import Augmenter
from ..classifier import CNNEmotionClassifier
from ..features import FeatureUnionExtractor, MelSpectrogram
from ..loader import AudioLoader
from ._assembly import assemble


def make_emotion_pipeline(
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """Make the default pipeline from recordings to emotions.

    Silence is trimmed at 30 dB, and up to 3 s become sequences of 64 log-mel bands, 50 a second,
    that a small residual network classifies. It is trained on other views of the clips in every
    epoch: shifted in pitch and formants (seven views of each, made once), stretched in time, louder
    or softer, with bands and frames left out, and mixed in pairs. The parameters of the steps that
    differ from their own defaults are ``load__trim_db=30``, ``load__pad=None``,
    ``features__hop_length=320``, ``features__statistics=None``, and in ``augment`` ``n_views=8``
    and ``speed=(0.84, 1.19)`` in place of all other transforms.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the augmentation and of the network.
    n_jobs : int or None, default=None
        Processes that extract features.
    memory : str, path, joblib.Memory or None, default=None
        Folder in which features are kept for each clip.
    verbose : int, default=0
        1 shows progress bars.
    **params : dict
        Parameters of the steps ``load``, ``augment``, ``features``, ``scale`` and ``classify``,
        such as ``load__duration=2.5``, or whole steps.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, with steps ``load``, ``augment``, ``features``, ``scale`` and ``classify``.

    Raises
    ------
    ParameterError
        There is no such parameter.

    Examples
    --------
    >>> from skser import make_emotion_pipeline
    >>> pipeline = make_emotion_pipeline(load__duration=2.5, random_state=0)
    >>> [name for name, _ in pipeline.steps]
    ['load', 'augment', 'features', 'scale', 'classify']
    """
    return assemble(
        AudioLoader(trim_db=30, pad=None),
        Augmenter(n_views=8, speed=(0.84, 1.19), noise=None, pitch=None, stretch=None, shift=None),
        FeatureUnionExtractor(
            [("mel", MelSpectrogram(n_mels=64, fmin=50.0, scale="db"))],
            statistics=None,
            hop_length=320,
        ),
        CNNEmotionClassifier(),
        random_state=random_state,
        n_jobs=n_jobs,
        memory=memory,
        verbose=verbose,
        **params,
    )
