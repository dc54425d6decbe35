import numpy as np
import pytest

from skser._utils._labels import check_labels, check_speakers
from skser.exceptions import DataError


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["calm"] * 3, "y must have at least two classes, got one class only: 'calm'"),
        (["calm", "sad"], "y must have a label for each clip: 3 clips, 2 labels"),
        (["calm", None, "sad"], "y must have no missing labels, got None in row 1"),
        ([1.0, np.nan, 2.0], "y must have no missing labels, got nan in row 1"),
        (
            [0.1, 0.2, 0.3],
            "y must be labels: Unknown label type: continuous. Maybe you are trying to fit a "
            "classifier, which expects discrete classes on a regression target with continuous "
            "values.",
        ),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(DataError) as error:
        check_labels(np.asarray(y, dtype=object) if None in y else y, 3)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["ann", "bob"], "groups must have a speaker for each clip: 3 clips, 2 speakers"),
        ([["ann", "bob"]] * 3, "groups must be 1-D with a speaker for each clip: "),
        (["ann", None, "bob"], "groups must have no missing speakers, got None in row 1"),
    ],
)
def test_bad_speakers(groups, message):
    with pytest.raises(DataError) as error:
        check_speakers(groups, 3)
    assert str(error.value).startswith(message)


def test_speakers_may_be_a_column():
    assert check_speakers([["ann"], ["bob"]], 2).tolist() == ["ann", "bob"]
