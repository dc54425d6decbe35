import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import Bunch

from skser.datasets import load_emovo, make_emotional_speech, select
from skser.exceptions import DataError


def test_waveforms_and_all_beside_them():
    speech = make_emotional_speech(n_speakers=2, n_sentences=1, n_takes=1, random_state=0)
    sad = select(speech, speech.frame["emotion"] == "sad")
    indices = np.flatnonzero(speech.target == "sad")
    assert list(sad) == list(speech)
    assert isinstance(sad.waveforms, list)
    for got, i in zip(sad.waveforms, indices, strict=True):
        assert got is speech.waveforms[i]
    assert_array_equal(sad.groups, speech.groups[indices])
    assert set(sad.target) == {"sad"}
    assert sad.frame.index.tolist() == [0, 1]
    assert sad.frame["speaker"].tolist() == sad.groups.tolist()
    assert (sad.sr, sad.DESCR) == (speech.sr, speech.DESCR)


def test_paths_without_speakers(touch):
    speech = load_emovo(touch("gio-f1-b1.wav", "rab-m1-b1.wav"))
    speech.groups = None
    part = select(speech, [False, True])
    assert part.paths.tolist() == [speech.paths[1]]
    assert part.groups is None
    assert part.target.tolist() == ["angry"]


def test_features():
    speech = Bunch(data=pd.DataFrame({"a": [1.0, 2.0, 3.0]}), target=["x", "y", "x"])
    part = select(speech, np.array([True, False, True]))
    assert part.data["a"].tolist() == [1.0, 3.0]
    assert part.target == ["x", "x"]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([0, 1], r"mask must be a boolean for each of 2 clips, got int64 of shape \(2,\)"),
        ([True], r"mask must be a boolean for each of 2 clips, got bool of shape \(1,\)"),
        ([False, False], "mask must select at least one clip, got none of 2"),
    ],
)
def test_masks_that_do_not_fit(mask, message):
    with pytest.raises(DataError, match=message):
        select(Bunch(paths=["a", "b"], target=["x", "y"]), mask)


def test_what_is_no_bunch():
    with pytest.raises(DataError, match=r"speech must be a Bunch .* got a tuple"):
        select((["a"], ["x"]), [True])
