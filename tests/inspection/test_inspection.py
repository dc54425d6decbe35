import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from skser import (
    Augmenter,
    FeatureScaler,
    FeatureUnionExtractor,
    SpeakerNormalizer,
    SpeechEmbedding,
)
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import SoftVotingClassifier
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.features import MelSpectrogram
from skser.inspection import block_importance, saliency
from tests.embeddings.encoders import RandomEncoder
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


def test_the_informative_block_is_important():
    """Noise has the same rate of zero crossings at any level."""
    table = block_importance(quick_pipeline(), SPEECH, n_repeats=3)
    assert list(table.index) == ["rms", "zcr"]
    assert table.loc["rms", "mean"] > 0.2
    assert abs(table.loc["zcr", "mean"]) < 0.1


@pytest.mark.slow
def test_importance_is_repeatable_in_any_number_of_processes():
    data = (quick_pipeline(), SPEECH.waveforms, SPEECH.target)
    how = {"groups": SPEECH.groups, "n_repeats": 2, "random_state": 3}
    once, again = block_importance(*data, **how), block_importance(*data, **how, n_jobs=2)
    assert_allclose(once, again)


def test_a_classifier_of_features_has_no_blocks():
    with pytest.raises(
        DataError, match=r"must have a FeatureUnionExtractor .*permutation_importance"
    ):
        block_importance(LogisticRegression(), np.ones((4, 2)), ["calm", "sad"] * 2)


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
    result = saliency(band, loud_then_quiet(), emotion="angry", seconds=0.05, n_features=4)
    assert result.values.shape == (len(result.times), 16)
    frame, feature = np.unravel_index(result.values.argmax(), result.values.shape)
    assert frame < 14
    assert feature < 4
    # Elsewhere nothing changes.
    assert_allclose(result.values[20:], 0, atol=1e-9)
    assert_allclose(result.values[:, 6:], 0, atol=1e-9)
    assert result.times[1] == pytest.approx(100 / 16000)
    assert result.feature_names[0] == "mel_0"


def test_saliency_of_the_most_probable(band):
    result = saliency(band, loud_then_quiet())
    probabilities = band.predict_proba(loud_then_quiet()[np.newaxis])[0]
    assert result.emotion == band.classes_[probabilities.argmax()]
    assert result.probability == pytest.approx(probabilities.max())
    assert repr(result).startswith(f"<{result.emotion} {result.probability:.2f}, most of all from ")


@pytest.mark.parametrize("emotion", [None, "calm"])
def test_saliency_of_a_calibrated_pipeline_is_of_its_calibrated_probability(band, emotion):
    clip = loud_then_quiet()
    scaled = TemperatureScaledClassifier.of(band, 3.0)
    result = saliency(scaled, clip, emotion=emotion)
    softened = Pipeline([*band.steps[:-1], ("classify", FirstBand(3.0))])
    softened["classify"].classes_ = band.classes_
    expected = saliency(softened, clip, emotion=emotion)
    assert_allclose(result.values, expected.values, atol=1e-9)
    assert result.emotion == expected.emotion
    assert result.probability == pytest.approx(expected.probability)
    index = list(band.classes_).index(result.emotion)
    assert result.probability == pytest.approx(scaled.predict_proba(clip[np.newaxis])[0, index])


@pytest.mark.slow
@pytest.mark.parametrize("scale", [FeatureScaler(), SpeakerNormalizer(transductive=True)])
def test_importance_is_that_of_the_pipeline_before_it_was_calibrated(scale):
    pipeline = quick_pipeline(scale=scale)
    scaled = TemperatureScaledClassifier(pipeline, cv=2)
    importance = block_importance(pipeline, SPEECH, n_repeats=1)
    assert_allclose(block_importance(scaled, SPEECH, n_repeats=1), importance)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"emotion": "bored"}, "emotion must be one of angry, calm, got 'bored'"),
        ({"seconds": 0}, "seconds must be .*, got 0"),
        ({"n_features": 0.5}, "n_features must be .*, got 0.5"),
    ],
)
def test_bad_parameters_of_saliency(band, params, message):
    with pytest.raises(ParameterError, match=message):
        saliency(band, loud_then_quiet(), **params)


def test_bad_parameters_of_block_importance():
    with pytest.raises(ParameterError, match=r"n_repeats must be .*, got 0"):
        block_importance(quick_pipeline(), SPEECH, n_repeats=0)


def test_pipelines_without_sequences_of_features(band):
    vectors = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    with pytest.raises(DataError, match=r"pipeline .* sequences of features"):
        saliency(vectors, SPEECH.waveforms[0])
    embedding = SpeechEmbedding(RandomEncoder(), pooling=None)
    frames = vectors.set_params(load__sr=16000, features=embedding, classify=FirstBand())
    with pytest.raises(DataError, match=r"pipeline .* FeatureUnionExtractor \(statistics=None\)"):
        saliency(frames.fit(SPEECH.waveforms, SPEECH.target), SPEECH.waveforms[0])
    with pytest.raises(DataError, match=r"pipeline .* FeatureUnionExtractor.*LogisticRegression"):
        saliency(LogisticRegression().fit([[0], [1]], ["a", "b"]), [0.0])
    without_scaler = Pipeline([step for step in band.steps if step[0] != "scale"])
    with pytest.raises(DataError, match=r"pipeline .* FeatureScaler"):
        saliency(without_scaler, loud_then_quiet())


def test_not_fitted():
    with pytest.raises(NotFittedError):
        saliency(band_pipeline(), loud_then_quiet())


class FirstView(LogisticRegression):
    """Logistic regression on the clean view."""

    def fit(self, X, y):
        return super().fit(X.values[:, 0], y)

    def predict_proba(self, X):
        return super().predict_proba(X.values[:, 0])


def augmented_pipeline():
    load, *steps = quick_pipeline(classify=FirstView()).steps
    augment = Augmenter(n_views=2, test_time=True, random_state=0)
    return Pipeline([load, ("augment", augment), *steps])


def test_importance_of_augmented_clips():
    importance = block_importance(augmented_pipeline(), SPEECH, n_repeats=1)
    assert list(importance.index) == ["rms", "zcr"]


def test_saliency_needs_a_single_view():
    fitted = augmented_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    with pytest.raises(DataError, match=r"pipeline .* sequences of features"):
        saliency(fitted, SPEECH.waveforms[0])
