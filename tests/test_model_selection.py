import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from skser.exceptions import DataError, ParameterError
from skser.model_selection import GroupFolds, SpeakerTextKFold, TextKFold, ravdess_folds

ACTORS = np.array([f"ravdess-{actor:02d}" for actor in range(1, 25)])


def check_parts(parts, n_clips):
    """Nobody on both sides, everybody tested once."""
    for train, test in parts:
        assert not set(train) & set(test)
    assert_array_equal(np.sort(np.concatenate([test for _, test in parts])), np.arange(n_clips))


@pytest.mark.parametrize(
    ("name", "sizes"), [("luna-jimenez", [5, 5, 5, 5, 4]), ("emobox", [4] * 6)]
)
def test_published_folds_test_every_actor_once(name, sizes):
    cv = ravdess_folds(name)
    parts = list(cv.split(ACTORS, groups=ACTORS))
    check_parts(parts, 24)
    assert [len(test) for _, test in parts] == sizes
    assert cv.get_n_splits() == len(sizes)


def test_first_published_folds():
    (_, luna), *_ = ravdess_folds().split(ACTORS, groups=ACTORS)
    assert_array_equal(luna + 1, [2, 5, 14, 15, 16])
    (_, emobox), *_ = ravdess_folds("emobox").split(ACTORS, groups=ACTORS)
    assert_array_equal(emobox + 1, [1, 11, 20, 21])


def test_folds_work_in_cross_val_score():
    y = np.tile(["calm", "sad"], 12)
    scores = cross_val_score(
        DummyClassifier(), np.zeros((24, 1)), y, groups=ACTORS, cv=ravdess_folds()
    )
    assert len(scores) == 5


@pytest.mark.parametrize(("n_speaker_folds", "n_text_folds", "n"), [(None, None, 12), (2, 3, 6)])
@pytest.mark.parametrize("as_type", [np.asarray, pd.DataFrame, list])
def test_new_speakers_say_new_sentences(n_speaker_folds, n_text_folds, n, as_type):
    groups = np.array([(s, t) for s in "abcd" for t in "xyz" for _ in range(3)])
    cv = SpeakerTextKFold(n_speaker_folds, n_text_folds)
    parts = list(cv.split(groups, groups=as_type(groups)))
    check_parts(parts, len(groups))
    assert cv.get_n_splits(groups, groups=groups) == len(parts) == n
    for train, test in parts:
        for column in groups.T:
            assert not set(column[train]) & set(column[test])


@pytest.mark.parametrize(("n_folds", "n"), [(None, 5), (2, 2)])
def test_new_sentences(n_folds, n):
    sentences = np.repeat(list("vwxyz"), [2, 3, 4, 5, 6])
    cv = TextKFold(n_folds)
    parts = list(cv.split(sentences, groups=sentences))
    check_parts(parts, 20)
    assert cv.get_n_splits(groups=sentences) == len(parts) == n
    for train, test in parts:
        assert not set(sentences[train]) & set(sentences[test])
    if n == 2:
        assert sorted(len(test) for _, test in parts) == [9, 11]


def test_folds_of_speakers_are_of_like_size():
    groups = np.repeat([["a", "x"], ["b", "y"], ["c", "x"], ["d", "y"]], [9, 8, 2, 1], axis=0)
    speakers = [
        set(groups[test, 0]) for _, test in SpeakerTextKFold(2, 2).split(groups, None, groups)
    ]
    assert {"a", "b"} not in [s & {"a", "b"} for s in speakers]


def test_sentences_that_not_everybody_says():
    groups = [("a", "x"), ("b", "y"), ("c", "x")]
    parts = list(SpeakerTextKFold().split(groups, groups=groups))
    check_parts(parts, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: ravdess_folds("luna-jimenes"),
            ParameterError,
            "name must be .*, got 'luna-jimenes'; did you mean 'luna-jimenez'",
        ),
        (lambda: GroupFolds([["a"], []]), ParameterError, "folds .* none empty, got"),
        (lambda: GroupFolds([["a"], ["b", "a"]]), ParameterError, "folds .*, got 'a' twice"),
        (
            lambda: list(ravdess_folds().split([0, 0], groups=["ravdess-01", "ravdess-25"])),
            DataError,
            "groups .* folds, got 'ravdess-25'",
        ),
        (
            lambda: list(GroupFolds([["a"], ["b"]]).split([0], groups=["a"])),
            DataError,
            r"groups .* fold \['a'\] .*, got a",
        ),
        (lambda: list(ravdess_folds().split([0])), ParameterError, "groups must be given"),
        (
            lambda: list(TextKFold(3).split("ab", groups=["x", "y"])),
            DataError,
            "groups .* 3 sentences, got 2",
        ),
        (lambda: SpeakerTextKFold(1), ParameterError, "n_speaker_folds must be .*, got 1"),
        (
            lambda: list(SpeakerTextKFold(n_text_folds=3).split("ab", groups=["ax", "by"])),
            DataError,
            r"groups .* shape \(n_clips, 2\), got \(2,\)",
        ),
        (
            lambda: list(SpeakerTextKFold().split("ab", groups=[("a", "x"), ("b", "x")])),
            DataError,
            "groups .* 2 sentences, got 1",
        ),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
