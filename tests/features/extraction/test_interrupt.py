"""Ctrl-C in the middle of an extraction, as from a terminal and to the parent alone."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals and ps of POSIX"),
]

N_CLIPS = 1000
SCRIPT = """
import signal
import sys
import time

import joblib
import numpy as np

from skser import FeatureUnionExtractor
from skser.features import FeatureBlock
from skser.features.extraction._cache import FeatureCache


class Slow(FeatureBlock):
    def compute(self, spectra):
        time.sleep(0.02)
        return np.ones((1, spectra.n_frames), np.float32)


def interrupt(*args):
    save(*args)
    raise KeyboardInterrupt


if __name__ == "__main__":
    # A shell has those that it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    mode, backend, n_jobs, memory = sys.argv[1:]
    waveforms = np.random.default_rng(0).normal(size=(N_CLIPS, 400))
    extractor = FeatureUnionExtractor([("slow", Slow())], n_jobs=eval(n_jobs), memory=memory)
    joblib.parallel_config(backend)
    if mode == "script":
        extractor.fit_transform(waveforms)
    if mode == "failure":
        save, FeatureCache.save = FeatureCache.save, interrupt
    try:
        extractor.fit_transform(waveforms)
    except KeyboardInterrupt as error:
        last = error  # as an interactive session does
    print("interrupted", flush=True)
    print("continues", file=sys.stderr, flush=True)
    sys.stdin.readline()
    print(extractor.fit_transform(waveforms[-40:]).sum(), flush=True)
""".replace("N_CLIPS", str(N_CLIPS))


@pytest.fixture
def start(tmp_path):
    """Start the script in a new process group, and wait until it has saved features."""
    started = []

    def start(mode, backend, n_jobs):
        script, memory = tmp_path / "script.py", tmp_path / "memory"
        script.write_text(SCRIPT)
        process = subprocess.Popen(
            [sys.executable, script, mode, backend, n_jobs, memory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        while process.poll() is None and not any(memory.rglob("[!.]*.features")):
            time.sleep(0.01)
        assert process.poll() is None, process.communicate()[1]
        return process, memory

    yield start
    for process in started:
        if processes_of(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def processes_of(group):
    """Command lines of the processes of a group that are still alive."""
    table = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in table.stdout.splitlines()]
    return [args for pgid, stat, args in rows if int(pgid) == group and stat[0] != "Z"]


def workers_of(process):
    return [args for args in processes_of(process.pid) if "LokyProcess" in args]


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)  # ps takes as much time of a processor
    assert condition()


def errors_after(errors):
    """Errors of the second extraction; before it, Python may report where the signal hit."""
    return errors.partition("continues\n")[2]


def check_files(memory):
    names = [path.name for path in memory.rglob("*") if path.is_file()]
    assert 0 < len(names) < N_CLIPS
    assert {name.partition(".")[2] for name in names} == {"features"}  # no temporary file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "n_jobs", "kill"),
    [
        ("loky", "None", os.killpg),
        ("loky", "2", os.killpg),
        ("loky", "2", os.kill),
    ],
    ids=["single", "loky", "loky-parent"],
)
def test_script_ends_and_leaves_nothing(start, backend, n_jobs, kill):
    process, memory = start("script", backend, n_jobs)
    assert len(workers_of(process)) == (2 if n_jobs == "2" else 0)
    kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert "_RemoteTraceback" not in errors
    assert errors.endswith("KeyboardInterrupt\n")
    wait_until(lambda: not processes_of(process.pid))
    check_files(memory)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_session_continues(start, backend):
    process, memory = start("session", backend, "2")
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    wait_until(lambda: not workers_of(process))
    check_files(memory)
    out, errors = process.communicate("\n", timeout=60)
    assert (out, errors_after(errors)) == ("40.0\n", "")


@pytest.mark.slow
def test_workers_stop_when_the_caller_fails_between_results(start):
    """The traceback, which the session keeps, holds the generator of joblib."""
    process, memory = start("failure", "loky", "2")
    assert process.stdout.readline() == "interrupted\n"
    wait_until(lambda: not workers_of(process))
    check_files(memory)
