import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skser._utils import _hashing
from skser._utils._hashing import fingerprint
from skser.exceptions import ParameterError

PARTS = {"pipeline": StandardScaler(), "X": np.arange(3.0)}


def halved(X, by=2):
    return X / by


@pytest.mark.parametrize(
    "other",
    [
        {**PARTS, "pipeline": StandardScaler(with_std=False)},
        {**PARTS, "X": np.arange(3)},
        {**PARTS, "y": None},
    ],
)
def test_it_depends_on_every_part(other):
    assert fingerprint(PARTS, parameter="checkpoint") == fingerprint(PARTS, parameter="memory")
    assert fingerprint(other, parameter="checkpoint") != fingerprint(PARTS, parameter="checkpoint")


def test_it_depends_on_code_but_not_on_the_name_of_a_module():
    functions = (lambda X: X + 1, lambda X: X + 1, lambda X: X + 2)
    keys = [
        fingerprint({"step": make_pipeline(FunctionTransformer(f))}, parameter="memory")
        for f in functions
    ]
    assert keys[0] == keys[1] != keys[2]


def test_it_depends_on_versions(monkeypatch):
    before = fingerprint(PARTS, parameter="checkpoint")
    assert fingerprint(PARTS, parameter="checkpoint", packages=("numpy",)) != before
    monkeypatch.setattr(_hashing, "own_code", lambda: "other code")
    assert fingerprint(PARTS, parameter="checkpoint") != before


def test_it_depends_on_the_version_of_the_package_of_an_estimator():
    members = _hashing.identify(joblib.Memory(None))[2]
    assert ("joblib", joblib.__version__) in members


@pytest.mark.slow
def test_it_is_the_same_in_every_process():
    code = (
        "from tests._utils.test_hashing import *; "
        "print(fingerprint({**PARTS, 'f': halved, 's': {'a', 'b', 'c'}}, parameter='memory'))"
    )
    keys = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(2)
    }
    assert len(keys) == 1


def test_a_part_that_cannot_be_pickled_is_named():
    with pytest.raises(ParameterError, match=r"^checkpoint must be None, because lock holds"):
        fingerprint({"lock": (item for item in [])}, parameter="checkpoint")
