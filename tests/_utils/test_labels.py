from datetime import date
from enum import Enum, IntEnum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from skser._utils._labels import check_class_sizes, check_labels, check_speakers
from skser.exceptions import DataError


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


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (lambda y: y, "argmax"),
        (pd.DataFrame, "idxmax"),
        (lambda y: y.astype(bool), "argmax"),
        (lambda y: y.tolist(), "argmax"),
    ],
)
def test_one_hot(kind, way):
    with pytest.raises(DataError, match=rf"y must be 1-D .* one-hot: pass y.{way}\(axis=1\)"):
        check_labels(kind(np.eye(3)), 3)


@pytest.mark.parametrize("label", [1, 1.0, True, "calm"])
def test_one_class_of_any_type(label):
    with pytest.raises(DataError, match=f"y .* one class only: {label!r}"):
        check_labels([label] * 3, 3)


class Mood(Enum):
    CALM = "calm"
    SAD = "sad"


class Word(str, Enum):
    CALM = "calm"
    SAD = "sad"


class Number(IntEnum):
    CALM = 0
    SAD = 1


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([True, False], [True, False]),
        ([Word.CALM, Word.SAD], ["calm", "sad"]),
        ([Number.CALM, Number.SAD], [0, 1]),
        (np.array([1, 2], dtype=object), [1, 2]),
        (np.array([True, False], dtype=object), [True, False]),
        (pd.Series([1, 2], dtype="Int64"), [1, 2]),
        (pd.Series([True, False], dtype="boolean"), [True, False]),
        (pd.Series(["calm", "sad"], dtype="string"), ["calm", "sad"]),
        (pd.Series(["calm", "sad"], dtype=pd.CategoricalDtype(["calm", "sad", "angry"])), None),
        (pd.Categorical([1, 2], [1, 2, 3]), [1, 2]),
        (pd.Index(["calm", "sad"]), ["calm", "sad"]),
        (pd.Series(["calm", "sad"], index=[7, 3]), ["calm", "sad"]),
        (np.ma.array([1, 2]), [1, 2]),
    ],
)
def test_types_of_labels(y, expected):
    labels = check_labels(y, 2).tolist()
    expected = ["calm", "sad"] if expected is None else expected
    assert labels == expected
    assert [type(label) for label in labels] == [type(label) for label in expected]


def test_complex_numbers():
    with pytest.raises(DataError, match=r"^Complex data not supported: y has 1j in row 0$"):
        check_labels([1j, 2j], 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([Mood.CALM, Mood.SAD], "text or numbers, got <Mood.CALM.* in row 0; .* by label.name"),
        ([b"calm", b"sad"], r"text or numbers, got b'calm' in row 0; .* by bytes.decode\(\)"),
        (np.array([b"calm", b"sad"]), r"got b'calm' in row 0; .* by bytes.decode\(\)"),
        ([{"calm"}, {"sad"}], "text or numbers, got {'calm'} in row 0"),
        ([date(2020, 1, 1), date(2020, 1, 2)], "text or numbers, got datetime.date"),
        (np.array(["2020-01-01", "2020-01-02"], "M8[D]"), "text or numbers, got datetime.date"),
        ([Fraction(1, 2), Fraction(1, 3)], r"text or numbers, got Fraction\(1, 2\) in row 0"),
        ([["calm"], ["sad", "angry"]], "1-D .*, got lists of different lengths"),
        (csr_matrix(np.eye(2)), r"dense, got a sparse array: pass y.toarray\(\)"),
        ([1, 2.5], "labels: Unknown label type: continuous, got 2.5 in row 1"),
        (np.array([1, 0.1], dtype=object), "labels: Unknown label type: continuous, got 0.1"),
        (np.ma.array([1, 2], mask=[0, 1]), "no missing labels, got None in row 1; leave it out"),
        (np.array(["sad", np.nan]), "no missing labels, got 'nan' in row 1; leave it out"),
        (np.array(["sad", None]).astype(str), "no missing labels, got 'None' in row 1"),
        (["sad", " "], "no missing labels, got ' ' in row 1"),
        (np.array(["sad", "<NA>"]), "no missing labels, got '<NA>' in row 1"),
        (pd.Series([1, None], dtype="Int64"), "no missing labels, got .* in row 1"),
        (pd.Series(["sad", None], dtype="category"), "no missing labels, got nan in row 1"),
        (np.zeros((2, 2, 2)), r"1-D .*, got an array of shape \(2, 2, 2\)"),
        ("calm", r"1-D .*, got an array of shape \(\)"),
    ],
)
def test_what_is_no_label(y, message):
    with pytest.raises(DataError, match=f"^y must .*{message}"):
        check_labels(y, 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("aaab", "X needs at least 2 clips of each class, got 1 of 'b' .row 3.; add recordings"),
        ("caab", "got 1 of 'b' .row 3., and too few of 1 more; .* leave the class out, or Y$"),
    ],
)
def test_few_clips_of_a_class(labels, message):
    with pytest.raises(DataError, match=message):
        check_class_sizes(np.array(list(labels)), 2, "X", ", or Y")
    check_class_sizes(np.array(list(labels)), 1, "X")
