import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from skser import Augmenter, FeatureScaler, FeatureUnionExtractor, SpeakerNormalizer
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import SoftVotingClassifier
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.features import MelSpectrogram
from skser.inspection import block_importance, saliency
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


def test_the_block_that_tells_emotions_apart_is_missed():
    """Noise has the same rate of zero crossings at any level."""
    table = block_importance(quick_pipeline(), SPEECH, n_repeats=3)
    assert list(table.index) == ["rms", "zcr"]
    assert table.loc["rms", "mean"] > 0.2
    assert abs(table.loc["zcr", "mean"]) < 0.1


def test_importance_is_repeatable_in_any_number_of_processes():
    data = (quick_pipeline(), SPEECH.waveforms, SPEECH.target)
    how = {"groups": SPEECH.groups, "n_repeats": 2, "random_state": 3}
    once, again = block_importance(*data, **how), block_importance(*data, **how, n_jobs=2)
    assert_allclose(once, again)


def vote():
    members = [
        (name, Pipeline(quick_pipeline(features__blocks=[name]).steps[1:]))
        for name in ("rms", "zcr")
    ]
    load = quick_pipeline()["load"]
    return Pipeline([("load", load), ("vote", SoftVotingClassifier(members, weights=[0.9, 0.1]))])


def test_blocks_of_a_vote_are_named_after_their_member():
    table = block_importance(vote(), SPEECH, n_repeats=2)
    assert list(table.index) == ["rms: rms", "zcr: zcr"]


def test_importance_with_speakers_and_views():
    pipeline = quick_pipeline(scale=SpeakerNormalizer(transductive=True))
    assert block_importance(pipeline, SPEECH, n_repeats=1).loc["rms", "mean"] > 0.2


class FirstBand(ClassifierMixin, BaseEstimator):
    """Angry is as probable as the first band is loud in the first ten frames."""

    def __init__(self, temperature=1.0):
        self.temperature = temperature

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        loud = 1 / (1 + np.exp(-X[:, :10, 0].mean(axis=1) / self.temperature))
        return np.stack([loud, 1 - loud], axis=1)


def band_pipeline():
    mel = MelSpectrogram(n_mels=16, scale="db")
    features = FeatureUnionExtractor([("mel", mel)], statistics=None, hop_length=100)
    steps = [("features", features), ("scale", FeatureScaler()), ("classify", FirstBand())]
    return Pipeline(steps)


def loud_then_quiet():
    """Half a second of a low tone, and as much of faint noise."""
    rng = np.random.default_rng(0)
    seconds = np.arange(8000) / 16000
    tone = np.sin(2 * np.pi * 60 * seconds) * (np.arange(8000) < 2000)
    return (tone + 1e-3 * rng.normal(size=8000)).astype(np.float32)


@pytest.fixture(scope="module")
def band():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(6, 8000)) * np.array([1, 1, 1, 0.01, 0.01, 0.01])[:, None]
    return band_pipeline().fit(noise, ["angry"] * 3 + ["calm"] * 3)


def test_saliency_is_where_the_classifier_listens(band):
    found = saliency(band, loud_then_quiet(), emotion="angry", seconds=0.05, n_features=4)
    assert found.values.shape == (len(found.times), 16)
    frame, feature = np.unravel_index(found.values.argmax(), found.values.shape)
    assert frame < 14
    assert feature < 4
    # Elsewhere nothing changes.
    assert_allclose(found.values[20:], 0, atol=1e-9)
    assert_allclose(found.values[:, 6:], 0, atol=1e-9)
    assert found.times[1] == pytest.approx(100 / 16000)
    assert found.feature_names[0] == "mel_0"


def test_saliency_of_the_most_probable(band):
    found = saliency(band, loud_then_quiet())
    probabilities = band.predict_proba(loud_then_quiet()[np.newaxis])[0]
    assert found.emotion == band.classes_[probabilities.argmax()]
    assert found.probability == pytest.approx(probabilities.max())
    assert repr(found).startswith(f"<{found.emotion} {found.probability:.2f}, most of all from ")


@pytest.mark.parametrize("emotion", [None, "calm"])
def test_saliency_of_a_calibrated_pipeline_is_of_its_calibrated_probability(band, emotion):
    clip = loud_then_quiet()
    scaled = TemperatureScaledClassifier.of(band, 3.0)
    found = saliency(scaled, clip, emotion=emotion)
    itself = Pipeline([*band.steps[:-1], ("classify", FirstBand(3.0))])
    itself["classify"].classes_ = band.classes_
    expected = saliency(itself, clip, emotion=emotion)
    assert_allclose(found.values, expected.values, atol=1e-9)
    assert found.emotion == expected.emotion
    assert found.probability == pytest.approx(expected.probability)
    index = list(band.classes_).index(found.emotion)
    assert found.probability == pytest.approx(scaled.predict_proba(clip[np.newaxis])[0, index])


@pytest.mark.parametrize("scale", [FeatureScaler(), SpeakerNormalizer(transductive=True)])
def test_importance_is_that_of_the_pipeline_before_it_was_calibrated(scale):
    pipeline = quick_pipeline(scale=scale)
    scaled = TemperatureScaledClassifier(pipeline, cv=2)
    importance = block_importance(pipeline, SPEECH, n_repeats=1)
    assert_allclose(block_importance(scaled, SPEECH, n_repeats=1), importance)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (
            lambda band: saliency(band, loud_then_quiet(), emotion="bored"),
            ParameterError,
            "emotion must be one of angry, calm, got 'bored'",
        ),
        (
            lambda band: saliency(
                quick_pipeline().fit(SPEECH.waveforms, SPEECH.target), SPEECH.waveforms[0]
            ),
            DataError,
            "pipeline must have sequences of features (statistics=None), not vectors",
        ),
        (
            lambda band: saliency(LogisticRegression().fit([[0], [1]], ["a", "b"]), [0.0]),
            DataError,
            "pipeline must have a FeatureUnionExtractor, or a SoftVotingClassifier of pipelines "
            "that have one, got LogisticRegression()",
        ),
        (
            lambda band: saliency(band, loud_then_quiet(), seconds=0),
            ParameterError,
            "seconds must be a number above 0, got 0",
        ),
        (
            lambda band: block_importance(quick_pipeline(), SPEECH, n_repeats=0),
            ParameterError,
            "n_repeats must be an integer of at least 1, got 0",
        ),
    ],
)
def test_errors(band, use, error, message):
    with pytest.raises(error) as caught:
        use(band)
    assert str(caught.value) == message


def test_not_fitted():
    with pytest.raises(NotFittedError):
        saliency(band_pipeline(), loud_then_quiet())


def test_importance_of_augmented_clips():
    pipeline = Pipeline(
        [
            *quick_pipeline().steps[:1],
            ("augment", Augmenter(n_views=2, test_time=True, random_state=0)),
            *quick_pipeline().steps[1:3],
            ("classify", FirstView()),
        ]
    )
    assert list(block_importance(pipeline, SPEECH, n_repeats=1).index) == ["rms", "zcr"]


class FirstView(LogisticRegression):
    """Logistic regression on the clean view."""

    def fit(self, X, y):
        return super().fit(X.values[:, 0], y)

    def predict_proba(self, X):
        return super().predict_proba(X.values[:, 0])
