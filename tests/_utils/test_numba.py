"""Kernels where no machine code can be kept; each program has a copy of the package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skser

KERNEL = """
from skser._utils._numba import kernel

@kernel
def double(x):
    return 2 * x

@kernel
def increase(x):
    return double(x) + 1
"""
PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
{before}
import kernels
print(kernels.increase(3.0))
"""


def run(folder, before="", **environment):
    own = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    own |= {"PYTHONPATH": str(Path(skser.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    program = PROGRAM.format(folder=str(folder), before=before)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=own | environment
    )
    assert done.stdout == "7.0\n", done.stderr
    return done.stderr


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNEL)
    return tmp_path


NOWHERE = {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"}
pytestmark = pytest.mark.slow


def test_kept_beside_the_module(folder):
    assert run(folder, **NOWHERE) == ""
    assert list((folder / "__pycache__").glob("*.nbc"))
    assert run(folder, **NOWHERE) == ""


def test_no_folder_to_write_to(folder):
    (folder / "__pycache__").touch()  # a file in its place stands for a disk to read only
    stderr = run(folder, **NOWHERE)
    assert stderr.count("NUMBA_CACHE_DIR") == 1
    assert run(folder, NUMBA_CACHE_DIR=str(folder / "own"), **NOWHERE) == ""


def test_compiled_before_in_a_folder_to_read_only(folder):
    run(folder, **NOWHERE)
    files = {file: file.stat().st_mtime_ns for file in (folder / "__pycache__").glob("*.nb?")}
    refused = """
import tempfile
def refuse(*args, **kwargs):
    raise PermissionError("read-only")
tempfile.TemporaryFile = refuse  # numba tries each folder so; root could write to any
"""
    assert run(folder, refused, **NOWHERE) == ""
    assert {file: file.stat().st_mtime_ns for file in files} == files
    for file in files:
        file.unlink()
    assert run(folder, refused, **NOWHERE).count("NUMBA_CACHE_DIR") == 1


def test_a_full_disk(folder):
    full = """
import resource
import skser._utils._numba
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the error is EFBIG
"""
    assert run(folder, full).count("NUMBA_CACHE_DIR") == 1


def test_damaged_files(folder):
    run(folder)
    for file in (folder / "__pycache__").glob("*.nb?"):
        file.write_bytes(b"")
    assert run(folder).count("NUMBA_CACHE_DIR") == 1
    shutil.rmtree(folder / "__pycache__")
