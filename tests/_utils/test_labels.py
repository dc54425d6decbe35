import numpy as np
import pytest

from skser._utils._labels import check_labels, check_speakers
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
