"""Recipes: whole pipelines, ready to fit on paths and labels."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from .augmentation import Augmenter
from .classifier import CNNEmotionClassifier
from .features import FeatureScaler, FeatureUnionExtractor, MelSpectrogram
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

    Examples
    --------
    >>> from skser import make_emotion_pipeline
    >>> pipeline = make_emotion_pipeline(load__duration=2.5, random_state=0)
    >>> [name for name, _ in pipeline.steps]
    ['load', 'augment', 'features', 'scale', 'classify']
    """
    pipeline = Pipeline(
        [
            ("load", AudioLoader(trim_db=30)),
            ("augment", Augmenter(n_views=2, random_state=random_state)),
            (
                "features",
                FeatureUnionExtractor(
                    [("mel", MelSpectrogram(n_mels=64, fmin=50.0, fmax=8000.0, scale="db"))],
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
    return pipeline.set_params(**params)
