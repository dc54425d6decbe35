"""Recipes: whole pipelines, ready to fit on paths and labels."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from .augmentation import Augmenter
from .classifier import CNNEmotionClassifier
from .exceptions import ParameterError
from .features import MFCC, FeatureScaler, FeatureUnionExtractor
from .loader import AudioLoader

__all__ = ["make_emotion_pipeline"]


def make_emotion_pipeline(
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """Make the default pipeline from recordings to emotions.

    Silence is trimmed at 30 dB, and up to 3 s become sequences of 40 MFCC and their first
    derivatives, 50 a second, that a Conv1D network classifies. ``augment__n_views=4`` switches
    augmentation on; it is off because it has not raised the speaker-independent score of this
    network. The parameters of the steps that differ from their own defaults are
    ``load__trim_db=30``, ``load__pad=None``, ``augment__n_views=1``,
    ``features__hop_length=320`` and ``features__statistics=None``.

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
    pipeline = Pipeline(
        [
            ("load", AudioLoader(trim_db=30, pad=None)),
            ("augment", Augmenter(n_views=1, random_state=random_state)),
            (
                "features",
                FeatureUnionExtractor(
                    [("mfcc", MFCC(n_mfcc=40, deltas=1, n_mels=64, fmin=50.0))],
                    statistics=None,
                    hop_length=320,
                    n_jobs=n_jobs,
                    memory=memory,
                    verbose=verbose,
                ),
            ),
            ("scale", FeatureScaler()),
            ("classify", CNNEmotionClassifier(random_state=random_state, verbose=verbose)),
        ]
    )
    try:
        return pipeline.set_params(**params)
    except ValueError as error:
        raise ParameterError(str(error)) from None
