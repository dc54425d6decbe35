"""`set_output` on whole pipelines: features become tables, clips, views and sequences do not."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skser import AudioLoader, AugmentedFeatures, Augmenter, Clips, SpeakerNormalizer
from skser.datasets import make_emotional_speech
from skser.recipes import functionals, residual_network

SPEECH = make_emotional_speech(
    n_speakers=2, emotions=("angry", "calm", "sad"), n_sentences=1, n_takes=2, random_state=0
)
X, y = SPEECH.waveforms, SPEECH.target


def quick(n_views):
    return functionals(augment__n_views=n_views, features__blocks=["rms", "zcr"], random_state=0)


@pytest.mark.parametrize("n_views", [1, 3])
def test_set_output_names_features_and_keeps_predictions(n_views):
    expected = quick(n_views).fit(X, y).predict_proba(X)
    pipeline = quick(n_views).set_output(transform="pandas").fit(X, y)
    assert_allclose(pipeline.predict_proba(X), expected, rtol=1e-12)
    assert_array_equal(clone(pipeline).fit(X, y).predict_proba(X), pipeline.predict_proba(X))
    features = pipeline["features"].transform(pipeline[:2].transform(X))
    scaled = pipeline[:-1].transform(X)
    for table in (features, scaled):
        assert isinstance(table, pd.DataFrame)
        assert list(table) == list(pipeline["features"].get_feature_names_out())
    assert isinstance(pipeline[:2].transform(X), Clips)


def test_scikit_learns_global_setting():
    expected = quick(3).fit(X, y).predict_proba(X)
    with sklearn.config_context(transform_output="pandas"):
        assert_allclose(quick(3).fit(X, y).predict_proba(X), expected, rtol=1e-12)


@pytest.mark.slow
def test_views_and_sequences_are_no_tables():
    views = quick(2).set_output(transform="pandas")[:-1].fit_transform(X, y)
    assert isinstance(views, AugmentedFeatures)
    network = residual_network(
        load__duration=0.5,
        features__mel__n_mels=8,
        augment__n_views=1,
        classify__network__filters=(4,),
        classify__epochs=1,
        random_state=0,
    ).set_output(transform="pandas")
    assert network[:-1].fit_transform(X, y).ndim == 3
    with sklearn.config_context(enable_metadata_routing=True):
        speakers = SpeakerNormalizer().set_output(transform="pandas")
        scaled = speakers.fit_transform(views, groups=SPEECH.groups)
    assert isinstance(scaled, AugmentedFeatures)
    assert np.isfinite(network.fit(X, y).predict_proba(X)).all()


@pytest.mark.parametrize("step", [AudioLoader(), Augmenter()])
def test_clips_stay_clips(step):
    assert step.set_output(transform="pandas") is step
    assert isinstance(step.fit_transform(X), Clips)
