"""Fixtures for all tests."""

import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

# Before NumPy is imported, here and in processes that tests start: on small matrices the threads of
# OpenBLAS spend up to twenty times the work waiting for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from .evaluations import noises, quick_pipeline


def pytest_configure(config):
    """Have librosa and skser compile their functions before two workers would compile each.

    Workers that do so at once also spoil librosa's cache.
    """
    # A shell starts with SIGINT ignored what it does not wait for; commands would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    is_worker = hasattr(config, "workerinput")
    if getattr(config.option, "numprocesses", None) and not is_worker:
        from .features.golden.make_golden import references, speechlike

        root, compiling = Path(__file__).parents[1], None
        if not any((root / "skser").rglob("*.nbi")):
            compiling = subprocess.Popen([sys.executable, root / "deploy" / "compile.py"])
        references(speechlike())
        if compiling is not None:
            compiling.wait()


@pytest.fixture(scope="session", autouse=True)
def encoder_cache(tmp_path_factory):
    """Folder that skser writes encoders to, in place of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("skser-cache")
        patch.setenv("SKSER_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def evaluation():
    """Of `quick_pipeline` on `noises()`, leaving out one speaker at a time; not to be changed."""
    from skser import evaluate

    return evaluate(quick_pipeline(), noises())


@pytest.fixture(scope="session")
def report():
    """The leakage report of `quick_pipeline` on `noises()`; not to be changed."""
    from skser.evaluation import leakage_report

    return leakage_report(quick_pipeline(), noises())


@pytest.fixture(scope="session")
def speech_home():
    """Folder with real speech (ravdess, emodb4, emovo), else the test is skipped."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    home = Path(os.environ.get("SKSER_TEST_SPEECH", beside))
    if not home.is_dir():
        pytest.skip(f"no real speech in {home}; set SKSER_TEST_SPEECH")
    return home


@pytest.fixture(scope="session")
def models_home():
    """Folder with the encoders of published models, else the test is skipped."""
    home = Path(__file__).resolve().parents[2] / "shared" / "models"
    if not home.is_dir():
        pytest.skip(f"no published encoders in {home}")
    return home


@pytest.fixture
def free_port():
    """A port that no program listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def postgres():
    """URL of an empty PostgreSQL database, else the test is skipped."""
    server = os.environ.get("SKSER_TEST_POSTGRES")
    if server is None:
        pytest.skip("no PostgreSQL; set SKSER_TEST_POSTGRES to the URL of a server")
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
