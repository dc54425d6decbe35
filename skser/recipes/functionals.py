"""functionals: statistics of many features over a clip, and a linear discriminant."""

from __future__ import annotations

from typing import Any

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

from ..classifiers import AugmentedClassifier
from ..features import MFCC, FeatureUnionExtractor, MelSpectrogram
from ._assembly import assemble, documented, other_speeds, trimmed_clips


@documented
def functionals(**params: Any) -> Pipeline:
    """Make a pipeline of functionals and a linear discriminant: the other half of the default.

    Silence is trimmed at 30 dB. Level, zero crossings, spectral shape, cepstrum, mel bands and
    pitch of up to 5 s, and their derivatives over time, are summarised by ten statistics, 1,100
    numbers for a clip, as is customary since the first challenges [1]_. In training there are seven
    views of each clip at other speeds as well. The covariance of the classes is shrunk by half
    towards a multiple of the identity [2]_, which is what lets a linear discriminant do with fewer
    clips than features. It fits in seconds and needs no network.

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
    return assemble(
        trimmed_clips(),
        other_speeds(),
        FeatureUnionExtractor(
            [
                "rms",
                "zcr",
                "centroid",
                "bandwidth",
                "flatness",
                "rolloff",
                "contrast",
                ("mfcc", MFCC(n_mfcc=14, n_mels=26, fmin=20.0)),
                ("mel", MelSpectrogram(n_mels=26, fmin=20.0, scale="db")),
                "pitch",
            ],
            deltas=1,
            statistics=(
                "mean",
                "std",
                "p5",
                "p25",
                "median",
                "p75",
                "p95",
                "skew",
                "kurtosis",
                "slope",
            ),
        ),
        AugmentedClassifier(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)),
        **params,
    )
