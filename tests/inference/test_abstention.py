"""Counts of predictions below a threshold."""

import pytest

from skser.inference._abstention import Abstention

CONFIDENCES = (0.5, 0.3, 0.9)


@pytest.mark.parametrize(
    ("threshold", "is_below"),
    [(None, [False, False, False]), (0.5, [False, True, False]), (1.0, [True, True, True])],
)
def test_is_below(threshold, is_below):
    abstention = Abstention(threshold)
    assert [abstention.is_below(confidence) for confidence in CONFIDENCES] == is_below
    assert abstention == Abstention(threshold)  # it counts nothing


@pytest.mark.parametrize(
    ("threshold", "warning"),
    [
        (None, None),
        (0.5, None),
        (0.6, "2 of 3 recordings are below --abstain-below 0.6; the highest probability is 0.90"),
    ],
)
def test_warns_if_more_than_half_are_below(threshold, warning):
    abstention = Abstention(threshold)
    for confidence in CONFIDENCES:
        abstention.count(confidence)
    assert abstention.warning() == warning
