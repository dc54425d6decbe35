import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skser import AudioLoader, Augmenter
from skser.features import FeatureUnionExtractor
from skser.tuning import _remembered
from skser.tuning._remembered import RememberedFeatures, forget, n_bytes
from tests.evaluations import noises

WAVEFORMS = noises(n_speakers=1).waveforms
CLIPS = AudioLoader().fit_transform(WAVEFORMS)


@pytest.fixture(autouse=True)
def nothing_remembered():
    forget()
    yield
    forget()


@pytest.fixture
def calls(monkeypatch):
    """Lengths of what is extracted."""
    found = []
    transform = FeatureUnionExtractor.transform

    def counting(self, X):
        found.append(len(X))
        return transform(self, X)

    monkeypatch.setattr(FeatureUnionExtractor, "transform", counting)
    return found


def test_the_same_clips_are_extracted_once(calls):
    expected = FeatureUnionExtractor(["rms", "zcr"]).fit_transform(CLIPS)
    calls.clear()
    extractor = RememberedFeatures(["rms", "zcr"])
    for _ in range(2):
        assert_array_equal(clone(extractor).fit_transform(CLIPS), expected)
    assert_array_equal(extractor.fit(CLIPS).transform(CLIPS[:3]), expected[:3])
    assert calls == [9, 3]
    assert n_bytes() == 12 * 2 * 4


def test_what_differs_is_extracted(calls):
    views = [Augmenter(n_views=2, random_state=seed).fit_transform(CLIPS) for seed in (0, 1)]
    for extractor, clips in [
        (RememberedFeatures(["rms"]), CLIPS),
        (RememberedFeatures(["zcr"]), CLIPS),
        (RememberedFeatures(["rms"], n_fft=512), CLIPS),
        (RememberedFeatures(["rms"]), CLIPS[::-1]),
        (RememberedFeatures(["rms"]), views[0]),
        (RememberedFeatures(["rms"]), views[1]),
    ]:
        extractor.fit_transform(clips)
    assert len(calls) == 6


def test_features_may_not_be_written_to():
    features = RememberedFeatures(["rms"]).fit_transform(CLIPS)
    with pytest.raises(ValueError, match="read-only"):
        features *= 2


def test_no_more_than_there_is_room_for(monkeypatch, calls):
    monkeypatch.setattr(_remembered, "_MOST_BYTES", 9 * 4)
    extractor = RememberedFeatures(["rms"]).fit(CLIPS)
    for _ in range(2):
        extractor.transform(CLIPS)
        extractor.transform(CLIPS[:2])
    assert calls == [9, 2, 2]
    assert n_bytes() == 9 * 4


def test_forgotten_with_the_objective():
    from skser.tuning import Objective
    from tests.evaluations import quick_pipeline
    from tests.tuning.test_objective import penalty, studied

    objective = Objective(quick_pipeline(), noises(n_speakers=2), penalty)
    studied(objective, 2)
    assert n_bytes() == 18 * 2 * 4  # either half is trained on once
    del objective
    assert n_bytes() == 0


def test_vectors_and_sequences():
    for statistics in (("mean",), None):
        extractor = RememberedFeatures(["rms"], statistics=statistics)
        first, second = (extractor.fit_transform(CLIPS) for _ in range(2))
        assert first is second
        assert np.isfinite(first[..., :3]).any()
