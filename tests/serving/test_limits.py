import os
import subprocess
import sys

import pytest

from skser.exceptions import ParameterError
from skser.serving import Limits


def test_defaults_fit_the_machine():
    assert Limits().requests == 2 * os.cpu_count()
    assert Limits(upload_mb=0.5).upload_bytes == 2**19


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("upload_mb", 0, "upload_mb must be a number above 0, got 0"),
        ("duration_s", -1, "duration_s must be a number above 0, got -1"),
        ("timeout_s", float("nan"), "timeout_s must be a number above 0, got nan"),
        ("files", 0, "files must be an integer of at least 1, got 0"),
        ("requests", 0, "requests must be an integer of at least 1, got 0"),
        ("queue", -1, "queue must be an integer of at least 0, got -1"),
        ("live_sessions", 1.5, "live_sessions must be an integer of at least 0, got 1.5"),
    ],
)
def test_limits_are_checked(name, value, message):
    with pytest.raises(ParameterError) as caught:
        Limits(**{name: value})
    assert str(caught.value) == message


def test_the_package_is_imported_without_fastapi():
    program = "import sys, skser.serving; skser.serving.Limits(); print('fastapi' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
