from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from skser._utils._param_validation import (
    BOOLEAN,
    N_JOBS,
    NONE,
    RANDOM_STATE,
    VERBOSE,
    check_is_fitted,
    check_parameters,
    check_value,
    did_you_mean,
    integer,
    number,
    number_range,
    one_of,
)
from skser.exceptions import NotFittedError, ParameterError

CASES = [
    (integer(1, 128), [1, 128, np.int64(5)], [0, 129, 2.0, True, "1", None, np.bool_(True)]),
    (integer(3), [3, 10**9], [2, -3]),
    (number(0), [0, 0.0, 1e300, np.float32(2), Fraction(1, 2)], [-1e-9, np.inf, np.nan, "0", True]),
    (number(0, open_low=True), [1e-300, 1], [0, -1, np.nan, None]),
    (number(0, 1), [0, 1, 0.5], [1.01, -0.01, [0.5]]),
    (number(0, 1, open_low=True), [1e-9, 1], [0, 2, 0j]),
    (
        number_range(-2, 2),
        [(-2, 2), [0, 0], np.array([0.5, 1])],
        [(1, 0), (-3, 0), (0, 3), (0,), (0, 1, 2), 1, "ab", (0, np.nan), (0, "1"), {0, 1}, None],
    ),
    (one_of("a", "b"), ["a", "b"], ["c", None, 1, "A", ["a"], np.array(["a", "b"])]),
    (one_of(1), [1], [1.0, True, "1"]),
    (BOOLEAN, [True, False, np.bool_(True)], [0, 1, None, "True"]),
    (NONE, [None], [0, "", False]),
    (N_JOBS, [None, 1, -1, 8], [0, 1.0, True, "2"]),
    (VERBOSE, [0, 1, 10, True, False], [-1, 1.0, None, "1"]),
    (
        RANDOM_STATE,
        [None, 0, 2**32 - 1, np.random.RandomState(0)],
        [-1, 2**32, 1.5, True, np.random.default_rng(0), "0"],
    ),
]


@pytest.mark.parametrize(("kind", "good", "bad"), CASES, ids=lambda case: getattr(case, "text", ""))
def test_kinds(kind, good, bad):
    for value in good:
        check_value("name", value, kind)
    for value in bad:
        with pytest.raises(ParameterError) as error:
            check_value("name", value, kind)
        assert str(error.value) == f"name must be {kind.text}, got {value!r}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (integer(1, 128), "an integer in [1, 128]"),
        (integer(3), "an integer of at least 3"),
        (number(0), "a number of at least 0"),
        (number(0, open_low=True), "a number above 0"),
        (number(0, 0.5), "a number in [0, 0.5]"),
        (number(0, 0.5, open_low=True), "a number in (0, 0.5]"),
        (number_range(-2, 2.5), "a pair (low, high) with -2 <= low <= high <= 2.5"),
        (one_of("a", "b"), "'a' or 'b'"),
    ],
)
def test_texts(kind, text):
    assert kind.text == text


class Estimator(BaseEstimator):
    _allowed = {"size": [integer(1, 9), NONE], "how": [one_of("a", "b")]}

    def __init__(self, size=1, how="a"):
        self.size = size
        self.how = how

    def fit(self, X, y=None):
        self.classes_ = [0, 1]
        return self


def test_parameters_of_an_estimator():
    check_parameters(Estimator(size=None, how="b"))
    with pytest.raises(ParameterError) as error:
        check_parameters(Estimator(size=0, how="c"))
    assert str(error.value) == "size must be an integer in [1, 9] or None, got 0"


def test_not_fitted():
    estimator = Estimator()
    with pytest.raises(NotFittedError) as error:
        check_is_fitted(estimator, "classes_")
    assert isinstance(error.value, SklearnNotFittedError)
    assert str(error.value) == (
        "This Estimator instance is not fitted yet. Call 'fit' with appropriate arguments before "
        "using this estimator."
    )
    check_is_fitted(estimator.fit([]), "classes_")


def test_did_you_mean():
    assert did_you_mean("mfc", ["mfcc", "chroma"]) == "; did you mean 'mfcc'?"
    assert did_you_mean("xyz", ["mfcc", "chroma"]) == ""
    assert did_you_mean(3, {"mfcc": 1}) == ""


@pytest.mark.parametrize(
    ("value", "kinds", "message"),
    [
        ("cosin", [one_of("cosine", "plateau"), NONE], "; did you mean 'cosine'?"),
        ("plato", [one_of(1, "cosine"), one_of("plateau")], "; did you mean 'plateau'?"),
        ("xyz", [one_of("cosine", "plateau")], ""),
        ("10", [one_of(10, 20)], ""),
        (("cosine",), [one_of("cosine", "plateau")], ""),
        ("cosin", [NONE], ""),
    ],
)
def test_a_close_name_is_offered(value, kinds, message):
    with pytest.raises(ParameterError) as error:
        check_value("schedule", value, *kinds)
    wanted = " or ".join(kind.text for kind in kinds)
    assert str(error.value) == f"schedule must be {wanted}, got {value!r}{message}"
