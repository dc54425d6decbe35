import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skser.classifiers._validation_split import validation_split
from skser.exceptions import DataError
from tests.versions import needs_scikit_learn_1_8

CLASSES = np.tile([0, 1, 2], 20)
SPEAKERS = np.repeat([f"speaker {i}" for i in range(10)], 6)


def part(fraction, classes=CLASSES, groups=None, seed=0):
    return validation_split(fraction, classes, groups, np.random.RandomState(seed))


@pytest.mark.parametrize("groups", [None, SPEAKERS])
def test_nothing_is_watched_unasked(groups):
    training, validation = part(0, groups=groups)
    assert_array_equal(training, np.arange(60))
    assert_array_equal(validation, [])


@pytest.mark.parametrize("groups", [None, SPEAKERS, SPEAKERS.tolist()])
@pytest.mark.filterwarnings("ignore:A column-vector")
def test_each_clip_is_on_one_side_and_classes_in_proportion(groups):
    training, validation = part(0.2, groups=groups)
    assert_array_equal(np.sort(np.r_[training, validation]), np.arange(60))
    assert_array_equal(np.bincount(CLASSES[validation]), [4, 4, 4])


def test_speakers_are_whole():
    training, validation = part(0.2, groups=SPEAKERS)
    assert not set(SPEAKERS[training]) & set(SPEAKERS[validation])
    assert len(set(SPEAKERS[validation])) == 2


def test_unlike_speakers_are_stratified_as_far_as_possible():
    # Five speakers with two clips of one class and five of the other class.
    classes = np.repeat([0, 1], 20)
    groups = np.repeat(np.arange(10), 4)
    _, validation = part(0.2, classes, groups)
    assert_array_equal(np.bincount(classes[validation]), [4, 4])


@pytest.mark.parametrize("groups", [None, pytest.param(SPEAKERS, marks=needs_scikit_learn_1_8)])
def test_seed_chooses(groups):
    first, again, other = (part(0.2, groups=groups, seed=seed)[1] for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_some_speakers_are_on_each_side(fraction):
    training, validation = part(fraction, groups=SPEAKERS)
    assert len(training) > 0
    assert len(validation) > 0


@pytest.mark.parametrize("seed", range(5))
def test_the_only_speaker_of_a_class_is_trained_on(seed):
    classes, groups = np.repeat([0, 1, 0, 1, 2, 0, 1, 0], 4), np.repeat(np.arange(4), 8)
    training, validation = part(0.25, classes, groups, seed)
    assert 2 in classes[training]
    assert len(validation) == 8


def test_fewer_clips_than_parts():
    classes, groups = np.array([0, 0, 0, 1, 1, 1]), np.arange(6)
    training, validation = part(0.1, classes, groups)
    assert_array_equal(np.unique(classes[training]), [0, 1])
    assert len(validation) > 0


@pytest.mark.parametrize(
    ("classes", "groups"),
    [
        (np.repeat([0, 1], 6), np.repeat([0, 1], 6)),
        (np.array([0, 1, 2]), np.arange(3)),
    ],
)
def test_a_class_of_too_few_speakers(classes, groups):
    reason = f"validation_fraction=0.3 of {groups.max() + 1} speakers .* too few speakers"
    with pytest.raises(DataError, match=reason):
        part(0.3, classes, groups)


@pytest.mark.parametrize(
    ("fraction", "n_clips", "reason"),
    [
        (0.02, 60, "it is 2 clips, of 3 classes; take at least 0.05, or set"),
        (0.9, 12, "it is 11 clips, of 3 classes; take a smaller fraction, or set"),
        (0.5, 5, "add recordings, or leave the class out, or set"),
        (0.2, 6, "it is 2 clips, of 3 classes; take at least 0.5, or set"),
    ],
)
def test_too_few_clips(fraction, n_clips, reason):
    reason = f"validation_fraction={fraction}.* {reason} validation_fraction=0$"
    with pytest.raises(DataError, match=reason):
        part(fraction, CLASSES[:n_clips])


@pytest.mark.parametrize("fraction", [0.3, 0.5])
def test_a_class_of_one_clip(fraction):
    classes = np.array(["calm"] * 4 + ["sad"] + ["calm"] * 5)
    reason = "needs at least 2 clips of each class, got 1 of 'sad' .row 4.; add recordings, or "
    with pytest.raises(DataError, match=f"^validation_fraction={fraction} {reason}"):
        part(fraction, classes)


@pytest.mark.parametrize("n_clips", range(6, 31))
def test_the_fraction_of_the_message_divides(n_clips):
    with pytest.raises(DataError, match="take at least") as caught:
        part(0.01, CLASSES[:n_clips])
    fraction = float(str(caught.value).partition("take at least ")[2].partition(",")[0])
    _, validation = part(fraction, CLASSES[:n_clips])
    assert_array_equal(np.unique(CLASSES[validation]), [0, 1, 2])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (SPEAKERS[:-1], "groups .* 60 clips, 59 speakers"),
        (np.zeros((60, 2)), r"groups .* shape \(60, 2\)"),
        (np.array(["one", None, *["two"] * 58], dtype=object), "groups .* got None in row 1"),
    ],
)
@pytest.mark.parametrize("fraction", [0, 0.2])
def test_bad_groups(groups, message, fraction):
    with pytest.raises(DataError, match=message):
        part(fraction, groups=groups)


def test_one_speaker():
    with pytest.raises(DataError, match=r"validation_fraction=0.2 .* two speakers .* got 1"):
        part(0.2, groups=["one"] * 60)
