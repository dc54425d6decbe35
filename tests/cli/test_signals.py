"""Signals that end a command."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf

from skser.cli._signals import ended_by_signals

SIGNALS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "its terminal was closed"}
each = pytest.mark.parametrize(
    ("number", "word"),
    [(getattr(signal, name), word) for name, word in SIGNALS.items() if hasattr(signal, name)],
)


@each
def test_one_line_and_128_plus_the_number(number, word, capsys):
    before = signal.getsignal(number)
    if before == signal.SIG_IGN:  # as nohup starts pytest
        pytest.skip(f"{word}: the signal is ignored")
    with pytest.raises(SystemExit) as end, ended_by_signals():
        signal.raise_signal(number)
    assert end.value.code == 128 + number
    assert capsys.readouterr().err == f"skser: {word}\n"
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("made", [RuntimeError("of a library"), SystemExit(0), SystemExit(1)])
def test_what_a_library_makes_of_it(made, capsys):
    def library():
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise made from None

    with pytest.raises(SystemExit) as end, ended_by_signals():
        library()
    assert end.value.code == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "skser: terminated\n"


def test_the_second_ends_at_once():
    with ended_by_signals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_ignored_one_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGTERM)
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_errors_and_exits_without_a_signal_pass():
    with pytest.raises(ValueError, match="own"), ended_by_signals():
        raise ValueError("own")
    with pytest.raises(SystemExit) as end, ended_by_signals():
        sys.exit(3)
    assert end.value.code == 3


def test_in_a_callback_of_the_interpreter():
    """Where an exception would be lost."""
    program = """
import signal, weakref
from skser.cli._signals import ended_at_once

class Loading:
    pass

loading = Loading()
watch = weakref.ref(loading, lambda _: signal.raise_signal(signal.SIGTERM))
with ended_at_once():
    del loading
    print("went on")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "skser: terminated\n")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    home = tmp_path_factory.mktemp("corpus")
    noise = np.random.default_rng(0)
    for emotion in ("sad", "happy"):
        (home / emotion).mkdir()
        for i in range(120):
            sf.write(home / emotion / f"{i}.wav", noise.normal(0, 0.1, 16000 * 3), 16000)
    return home


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a signal kills a process of Windows")
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_train(corpus, tmp_path, number, jobs):
    command = ["train", corpus, "--recipe", "functionals", "--jobs", jobs, "--out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "skser", *command, tmp_path / "model.skser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("features:"):  # work has begun
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)  # workers would keep the pipes open
    assert process.returncode == 128 + number, errors
    *progress, last = errors.splitlines()
    assert last == f"skser: {SIGNALS[signal.Signals(number).name]}"
    assert all(line.startswith("features:") for line in progress)
    assert os.listdir(tmp_path) == []
