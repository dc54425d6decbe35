import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skser
from skser import AudioLoader, FeatureUnionExtractor, SpeakerNormalizer, predict_table
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import AugmentedClassifier, SoftVotingClassifier
from skser.exceptions import DataError, ParameterError
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
LOUD = 5 * noises(seed=1).waveforms  # as by another microphone


def fitted(scale=None):
    pipeline = quick_pipeline() if scale is None else quick_pipeline(scale=scale)
    return pipeline.fit(list(SPEECH.waveforms), SPEECH.target)


def adapted_by_hand(pipeline, clips):
    features = pipeline[:2].transform(clips)
    return pipeline["classify"].predict_proba(StandardScaler().fit_transform(features))


@pytest.mark.parametrize("scale", [None, StandardScaler()])
def test_features_are_standardised_over_the_recordings(scale):
    pipeline = fitted(scale)
    before = pipeline.predict_proba(LOUD)
    table = predict_table(pipeline, LOUD, adapt=True)
    assert_allclose(table[pipeline.classes_], adapted_by_hand(pipeline, LOUD), atol=1e-5)
    assert table["adapted_to"].tolist() == [len(LOUD)] * len(LOUD)
    assert_array_equal(pipeline.predict_proba(LOUD), before)
    assert pipeline["features"].memory is None
    truth = noises(seed=1).target
    assert (table["emotion"] == truth).mean() > (pipeline.predict(LOUD) == truth).mean()


def test_a_louder_microphone_changes_nothing():
    pipeline = fitted()
    quiet, loud = (predict_table(pipeline, clips, adapt=True) for clips in (LOUD / 5, LOUD))
    assert_allclose(quiet[pipeline.classes_], loud[pipeline.classes_], atol=1e-3)


def test_speakers_need_not_be_known():
    pipeline = quick_pipeline(scale=SpeakerNormalizer(transductive=True))
    with config_context(enable_metadata_routing=True):
        pipeline.fit(list(SPEECH.waveforms), SPEECH.target, groups=SPEECH.groups)
    table = predict_table(pipeline, LOUD, adapt=True)
    assert_allclose(table[pipeline.classes_], adapted_by_hand(pipeline, LOUD), atol=1e-5)


def test_members_of_a_vote_and_wrapped_classifiers():
    inner = AugmentedClassifier(make_pipeline(StandardScaler(), LogisticRegression()))
    member = quick_pipeline()[1:]
    vote = SoftVotingClassifier(
        [("quick", member), ("inner", make_pipeline(FeatureUnionExtractor(["zcr", "rms"]), inner))]
    )
    pipeline = make_pipeline(AudioLoader(duration=0.25), vote)
    pipeline.fit(list(SPEECH.waveforms), SPEECH.target)
    scaled = TemperatureScaledClassifier.of(pipeline, 1.0)
    table = predict_table(scaled, LOUD, adapt=True)
    assert_allclose(table[pipeline.classes_], adapted_by_hand(fitted(), LOUD), atol=1e-5)


def test_unusable_recordings_are_left_out_and_reported():
    pipeline = fitted().set_params(load__on_error="silence")
    clips = [*LOUD[:20], "missing.wav", *LOUD[20:]]
    table = predict_table(pipeline, clips, adapt=True)
    assert table["error"][20] == "does not exist"
    assert table["emotion"][20] is None
    usable = table.drop(index=20)
    assert usable["error"].isna().all()
    assert set(table["adapted_to"]) == {len(LOUD)}
    assert_allclose(usable[pipeline.classes_], adapted_by_hand(pipeline, LOUD), atol=1e-5)


def test_each_recording_is_extracted_once(monkeypatch):
    from skser.features.extraction import _plan

    calls = []
    original = _plan.FeaturePlan.__call__
    monkeypatch.setattr(
        _plan.FeaturePlan, "__call__", lambda self, *clip: calls.append(1) or original(self, *clip)
    )
    pipeline = fitted()
    calls.clear()
    predict_table(pipeline, LOUD, adapt=True)
    assert len(calls) == len(LOUD)


def test_errors():
    pipeline = fitted()
    with pytest.raises(DataError, match=r"at least 20 usable .* got 19 of 20; nowhere.wav: does"):
        predict_table(pipeline, [*LOUD[:19], "nowhere.wav"], adapt=True)
    with pytest.raises(ParameterError, match="adapt must be True or False, got 'yes'"):
        predict_table(pipeline, LOUD, adapt="yes")
    without = make_pipeline(*quick_pipeline()[:2], LogisticRegression())
    without.fit(list(SPEECH.waveforms), SPEECH.target)
    with pytest.raises(ParameterError, match=r"adapt must be False .* without a scaler"):
        predict_table(without, LOUD, adapt=True)


def test_a_loaded_model(tmp_path):
    pipeline = fitted()
    skser.save(pipeline, tmp_path / "model.skser")
    loaded = skser.load(tmp_path / "model.skser")
    a, b = (predict_table(p, LOUD, adapt=True) for p in (pipeline, loaded))
    assert_allclose(a[pipeline.classes_], b[pipeline.classes_], atol=1e-6)
