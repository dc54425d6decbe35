"""residual_network: sequences of log-mel bands and a small residual network."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from ..classifiers import CNNEmotionClassifier
from ..features import FeatureUnionExtractor, MelSpectrogram
from ._assembly import assemble, documented, other_speeds, trimmed_clips


@documented
def residual_network(**params: Any) -> Pipeline:
    """Make a pipeline of log-mel bands and a residual network: one half of the default.

    Silence is trimmed at 30 dB, and up to 5 s become sequences of 64 log-mel bands, 50 a second.
    The network is trained on other views of the clips in every epoch: shifted in pitch and formants
    (seven views of each, made once), stretched in time, louder or softer, with bands and frames
    left out, and mixed in pairs. The parameters of the steps that differ from their own defaults
    are ``load__duration=5.0``, ``load__trim_db=30``, ``load__pad=None``, ``features__blocks`` (64
    bands from 50 Hz on, in dB), ``features__hop_length=320``, ``features__statistics=None``, and in
    ``augment`` ``n_views=8`` and ``speed=(0.84, 1.19)`` in place of all other transforms.

    {shared}

    Examples
    --------
    >>> from skser.recipes import residual_network
    >>> pipeline = residual_network(load__duration=2.5, random_state=0)
    >>> [name for name, _ in pipeline.steps]
    ['load', 'augment', 'features', 'scale', 'classify']
    """
    return assemble(
        trimmed_clips(),
        other_speeds(),
        FeatureUnionExtractor(
            [("mel", MelSpectrogram(n_mels=64, fmin=50.0, scale="db"))],
            statistics=None,
            hop_length=320,
        ),
        CNNEmotionClassifier(),
        **params,
    )
