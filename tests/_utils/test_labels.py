import numpy as np
import pandas as pd
import pytest

from skser import make_emotion_pipeline
from skser._utils._labels import check_labels, check_speakers
from skser.exceptions import DataError
from skser.recipes import dense_195, functionals


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["calm"] * 3, "y .* two classes, got one class only: 'calm'"),
        (["calm", "sad"], "y .* 3 clips, 2 labels"),
        ([["calm", "sad"]] * 3, "y must be 1-D"),
        (["calm", None, "sad"], "y .* missing labels, got None in row 1"),
        ([1.0, np.nan, 2.0], "y .* missing labels, got nan in row 1"),
        ([0.1, 0.2, 0.3], "y must be labels: Unknown label type: continuous"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(DataError, match=f"^{message}"):
        check_labels(np.asarray(y, dtype=object) if None in y else y, 3)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["ann", "bob"], "groups .* 3 clips, 2 speakers"),
        ([["ann", "bob"]] * 3, "groups must be 1-D"),
        (["ann", None, "bob"], "groups .* missing speakers, got None in row 1"),
    ],
)
def test_bad_speakers(groups, message):
    with pytest.raises(DataError, match=f"^{message}"):
        check_speakers(groups, 3)


def test_speakers_may_be_a_column():
    assert check_speakers([["ann"], ["bob"]], 2).tolist() == ["ann", "bob"]


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("kind", [list, pd.Series, lambda y: np.array(y, dtype=object)])
def test_missing_in_any_way(missing, kind):
    y = kind(["calm", missing, "sad", missing])
    with pytest.raises(DataError, match=r"y .* no missing labels, got .* in row 1, and in 1 more"):
        check_labels(y, 4)


@pytest.mark.parametrize("kind", [list, pd.Series, lambda y: np.array(y, dtype=object)])
def test_words_mixed_with_numbers(kind):
    with pytest.raises(DataError, match=r"y .* one type, got 'calm' in row 0 and 3 in row 1"):
        check_labels(kind(["calm", 3, "sad"]), 3)


@pytest.mark.parametrize("kind", [lambda y: y, pd.DataFrame, lambda y: y.astype(bool)])
def test_one_hot(kind):
    with pytest.raises(DataError, match=r"y must be 1-D .* one-hot: pass y.argmax\(axis=1\)"):
        check_labels(kind(np.eye(3)), 3)


@pytest.mark.parametrize("label", [1, 1.0, True, "calm"])
def test_one_class_of_any_type(label):
    with pytest.raises(DataError, match=f"y .* one class only: {label!r}"):
        check_labels([label] * 3, 3)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.eye(3), "one-hot"),
        (pd.Series(["a", pd.NA, "b"]), "no missing labels, got (<NA>|nan) in row 1"),
        ([0.0, np.nan, 1.0], "no missing labels, got nan in row 1"),
        (["a", np.nan, "b"], "no missing labels, got nan in row 1"),
        (["a", 3, "b"], "one type"),
        ([7, 7, 7], "one class only: 7"),
        (["a", "b", "c"], "more clips than classes, got 3 clips of 3 classes"),
    ],
)
@pytest.mark.parametrize("recipe", [functionals, dense_195, make_emotion_pipeline])
def test_before_the_first_file_is_opened(recipe, y, message):
    with pytest.raises(DataError, match=message):
        recipe().fit(["no.wav", "such.wav", "file.wav"], y)
