"""The default recipe, a vote of a network and a linear discriminant, and its two members."""

from __future__ import annotations

from joblib import Memory

from .._utils._types import PathLike, RandomState
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import (
    AugmentedClassifier,
    CNNEmotionClassifier,
    SoftVotingClassifier,
    WeightedLinearDiscriminant,
)
from ..features import MFCC, FeatureUnionExtractor, MelSpectrogram
from ._assembly import SHARED_PARAMS, assemble, documented, set_or_explain
from ._pipeline import Pipeline


def make_emotion_pipeline(
    *,
    random_state: RandomState = None,
    n_jobs: int | None = None,
    memory: PathLike | Memory | None = None,
    verbose: int = 0,
    **params: object,
) -> Pipeline:
    """Make the default pipeline from recordings to emotions.

    It averages the probabilities of two pipelines that share clips and views:
    :func:`skser.recipes.functionals` (a linear discriminant on statistics of many features, weight
    0.3) and :func:`skser.recipes.residual_network` (a network on log-mel bands, weight 0.7). They
    make mistakes on different clips; on RAVDESS and EmoDB the vote is better than either alone.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the augmentation and of the network.
    n_jobs : int or None, default=None
        Number of processes that extract features.
    memory : str, path, joblib.Memory or None, default=None
        Folder that caches the features of each clip.
    verbose : int, default=0
        1 shows progress bars.
    **params : dict
        Parameters of the steps ``load``, ``augment`` and ``vote``, such as ``load__duration=2.5``
        and ``vote__network__classify__epochs=30``, or steps themselves.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, with steps ``load`` (:class:`AudioLoader`), ``augment`` (:class:`Augmenter`) and
        ``vote`` (:class:`skser.classifiers.SoftVotingClassifier` of ``functionals`` and
        ``network``).

    Raises
    ------
    ParameterError
        There is no such parameter.

    Examples
    --------
    >>> from skser import make_emotion_pipeline
    >>> pipeline = make_emotion_pipeline(load__duration=2.5, random_state=0)
    >>> [name for name, _ in pipeline["vote"].estimators]
    ['functionals', 'network']
    """
    shared = {
        "random_state": random_state,
        "n_jobs": n_jobs,
        "memory": memory,
        "verbose": verbose,
    }
    network = residual_network(**shared)
    # The quick member first: errors in recordings or labels show before the long training.
    members = [("functionals", functionals(**shared)[2:]), ("network", network[2:])]
    # Chosen on validation speakers; .2 to .4 for the functionals score alike.
    vote = SoftVotingClassifier(members, weights=[0.3, 0.7])
    return set_or_explain(Pipeline([*network.steps[:2], ("vote", vote)]), params, SHARED_PARAMS)


@documented
def functionals(**params: object) -> Pipeline:
    """Make a pipeline of functionals and a linear discriminant, one half of the default.

    It trims silence at 30 dB and takes up to 5 s. Ten statistics summarise level, zero crossings,
    spectral shape, cepstrum, mel bands and pitch, and their derivatives over time, in 1,100
    features [1]_. Training adds three views of each clip at other speeds. The covariance of the
    classes is shrunk by half towards a multiple of the identity [2]_, since there are fewer clips
    than features. It fits in seconds and needs no network; the first run on a machine
    compiles the features, for half a minute.

    {shared}

    References
    ----------
    .. [1] B. Schuller, S. Steidl and A. Batliner, "The INTERSPEECH 2009 emotion challenge",
       Interspeech 2009.
    .. [2] J. H. Friedman, "Regularized discriminant analysis", Journal of the American
       Statistical Association, 84(405), 1989.

    Examples
    --------
    >>> from skser.recipes import functionals
    >>> pipeline = functionals(memory="cache", classify__estimator__shrinkage=0.7)
    >>> [name for name, _ in pipeline.steps]
    ['load', 'augment', 'features', 'scale', 'classify']
    """
    mfcc = MFCC(n_mfcc=14, n_mels=26, fmin=20.0)
    mel = MelSpectrogram(n_mels=26, fmin=20.0, scale="db")
    spectral = ["rms", "zcr", "centroid", "bandwidth", "flatness", "rolloff", "contrast"]
    moments, percentiles = ("mean", "std"), ("p5", "p25", "median", "p75", "p95")
    features = FeatureUnionExtractor(
        [*spectral, ("mfcc", mfcc), ("mel", mel), "pitch"],
        deltas=1,
        statistics=(*moments, *percentiles, "skew", "kurtosis", "slope"),
    )
    discriminant = WeightedLinearDiscriminant(shrinkage=0.5)
    return assemble(*_clips_and_views(), features, AugmentedClassifier(discriminant), **params)


@documented
def residual_network(**params: object) -> Pipeline:
    """Make a pipeline of log-mel bands and a residual network, one half of the default.

    It trims silence at 30 dB and turns up to 5 s into sequences of 64 log-mel bands, 50 frames a
    second. Every epoch changes the clips: shifted in pitch and formants (three views of each),
    stretched in time, louder or softer, with masked bands and frames, and mixed in pairs.

    {shared}
    """
    mel = MelSpectrogram(n_mels=64, fmin=50.0, scale="db")
    features = FeatureUnionExtractor([("mel", mel)], statistics=None, hop_length=320)
    return assemble(*_clips_and_views(), features, CNNEmotionClassifier(), **params)


def _clips_and_views() -> tuple[AudioLoader, Augmenter]:
    """Up to 5 s without silence, and three views, up to three semitones lower and higher."""
    return (
        AudioLoader(duration=5.0, trim_db=30, pad=None),
        Augmenter(n_views=4, speed=(0.84, 1.19), noise=None, pitch=None, stretch=None, shift=None),
    )
