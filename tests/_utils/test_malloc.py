"""Freed memory that is kept where the environment has a low threshold."""

import os
import subprocess
import sys

import joblib
import numpy as np
import pytest

from skser import FeatureUnionExtractor
from skser._utils import _malloc

VARIABLE = "MALLOC_TRIM_THRESHOLD_"
# As (option, value) of mallopt.
RAISED = [(-1, 2**24), (-3, 2**23)]
LOW = [(-1, 65536), (-3, 2**17)]

PAGE_FAULTS = """
import contextlib, resource
from skser._utils._malloc import keeping_freed_memory

def page_faults(context):
    with context:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(50):
            arrays = [bytearray(size) for size in (100_000, 500_000)]
            del arrays
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

nothing = contextlib.nullcontext()
page_faults(nothing)
print(*[page_faults(each) for each in (nothing, keeping_freed_memory(), nothing)])
"""


@pytest.fixture
def calls(monkeypatch):
    """Calls of mallopt."""
    calls = []
    monkeypatch.setattr(_malloc, "_find_mallopt", lambda: lambda *call: calls.append(call))
    return calls


@pytest.mark.skipif(_malloc._find_mallopt() is None, reason="glibc only")
def test_memory_is_kept_inside_the_context_only():
    result = subprocess.run(
        [sys.executable, "-c", PAGE_FAULTS],
        env={**os.environ, VARIABLE: "65536"},
        capture_output=True,
        text=True,
        check=True,
    )
    before, inside, after = map(int, result.stdout.split())
    assert inside < min(before, after) / 5


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_extraction_keeps_memory(monkeypatch, calls, n_jobs):
    monkeypatch.setenv(VARIABLE, "65536")
    with joblib.parallel_config("threading"):
        FeatureUnionExtractor(["rms"], n_jobs=n_jobs).fit_transform(np.ones((40, 2000)))
    assert calls == RAISED + LOW


@pytest.mark.parametrize("value", [None, "", "16777216", "134217728", "-1", "a lot"])
def test_other_thresholds_stay(monkeypatch, calls, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with _malloc.keeping_freed_memory():
        pass
    assert calls == []


def test_an_error_restores_the_threshold(monkeypatch, calls):
    monkeypatch.setenv(VARIABLE, "0")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "4096")
    with pytest.raises(ZeroDivisionError), _malloc.keeping_freed_memory():
        raise ZeroDivisionError
    assert calls == [*RAISED, (-1, 0), (-3, 4096)]


def test_systems_without_mallopt(monkeypatch):
    monkeypatch.setenv(VARIABLE, "0")
    monkeypatch.setattr(sys, "platform", "darwin")
    with _malloc.keeping_freed_memory():
        pass
