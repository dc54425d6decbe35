import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import Pipeline

from skser import AudioLoader, AugmentedClassifier, FeatureUnionExtractor
from skser._cross_validation import predict_by_speaker, speaker_scores


@pytest.mark.parametrize("n_speakers", [3, 12])
def test_no_speaker_is_labelled_by_what_it_trained(n_speakers):
    # The first speaker alone is calm, so who never heard that speaker cannot say so.
    groups = np.repeat(np.arange(n_speakers), 3)
    target = np.where(groups % 2 == 0, "angry", "sad")
    target[groups == 0] = "calm"
    waveforms = np.random.default_rng(0).normal(size=(len(groups), 4000))
    pipeline = Pipeline(
        [
            ("load", AudioLoader(duration=0.25)),
            ("features", FeatureUnionExtractor(["zcr"])),
            ("scale", "passthrough"),
            ("classify", AugmentedClassifier(DummyClassifier())),
        ]
    )
    predicted = predict_by_speaker(pipeline, waveforms, target, groups)
    assert "calm" not in predicted[groups == 0]


def test_speaker_scores():
    groups = np.array(["b", "a", "b", "a", "b"])
    target = np.array(["sad", "sad", "calm", "calm", "sad"])
    predicted = np.array(["sad", "calm", "calm", "calm", "calm"])
    scores = speaker_scores(target, predicted, groups)
    assert scores["speaker"].tolist() == ["a", "b"]
    assert scores["n_clips"].tolist() == [2, 3]
    for speaker, uar in zip(scores["speaker"], scores["uar"], strict=True):
        own = groups == speaker
        assert uar == balanced_accuracy_score(target[own], predicted[own])
