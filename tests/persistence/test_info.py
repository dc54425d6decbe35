"""ModelInfo of models that are trained again."""

from dataclasses import replace

import pytest

from skser.persistence import ModelInfo

BEFORE = ModelInfo(
    emotions={"angry": 20, "sad": 10},
    corpora=("EmoDB", "EMOVO"),
    licences=("free", "research"),
    n_speakers=16,
    score={"protocol": "new speakers", "uar": 0.7, "low": None, "high": None},
    audio={"sr": 16000},
)
NEW = ModelInfo(
    emotions={"sad": 3, "bored": 2},
    corpora=("mine", "EMOVO"),
    licences=("research", "own"),
    n_speakers=2,
    audio={"sr": 8000},
)


def test_after_adds_up_and_drops_the_score():
    info = NEW.after(BEFORE)
    assert list(info.emotions.items()) == [("angry", 20), ("bored", 2), ("sad", 13)]
    assert info.corpora == ("EmoDB", "EMOVO", "mine")
    assert info.licences == ("free", "research", "own")
    assert info.n_speakers == 18
    assert info.score is None
    assert info.audio == {"sr": 8000}
    assert ModelInfo.from_dict(info.to_dict()) == info


@pytest.mark.parametrize(("before", "new"), [(None, 2), (16, None)])
def test_unknown_speakers(before, new):
    info = replace(NEW, n_speakers=new).after(replace(BEFORE, n_speakers=before))
    assert info.n_speakers is None
