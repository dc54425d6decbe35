import io
import re
import threading
from functools import partial
from types import SimpleNamespace

import pytest
from tqdm import TMonitor

from skser._utils import _progress
from skser._utils._progress import progress


@pytest.fixture(params=[True, False], ids=["terminal", "log"])
def stderr(request, monkeypatch):
    """What is written to stderr; pytest puts its own there between a fixture and the test."""
    stream = io.StringIO()
    stream.isatty = lambda: request.param
    monkeypatch.setattr(_progress, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(_progress, "Bar", partial(_progress.Bar, file=stream))
    monkeypatch.setattr(_progress, "DELAY", 0)
    return stream


def log_of(stderr):
    assert "\r" not in stderr.getvalue()
    return [re.sub(r"in \d+ s", "in T s", line) for line in stderr.getvalue().splitlines()]


def test_a_bar_on_a_terminal_and_two_lines_in_a_log(stderr):
    with progress(total=5, initial=2, desc="features", unit="clip", disable=False) as bar:
        for n in (1, 2):
            bar.update(n)
    if stderr.isatty():
        assert "\r" in stderr.getvalue()
        assert "features:  40%" in stderr.getvalue()  # updates are drawn at most every 0.1 s
    else:
        assert log_of(stderr) == ["features: 3 clips", "features: 3 clips in T s"]


def test_a_line_a_minute_in_a_log(stderr, monkeypatch):
    clock = SimpleNamespace(now=0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(_progress, "time", clock)
    bar = progress(total=144, initial=44, desc="features", unit="clip")
    if stderr.isatty():
        bar.close()
        return
    for clock.now in (59, 60, 119, 125, 130):
        bar.update(20)
    bar.close()
    assert log_of(stderr) == [
        "features: 100 clips",
        "features: 40 of 100 clips",
        "features: 80 of 100 clips",
        "features: 100 clips in T s",
    ]


def test_iterating(stderr):
    bar = progress(["a", "b"], desc="checking", unit="file")
    assert list(bar) == ["a", "b"]
    bar.close()
    if not stderr.isatty():
        assert log_of(stderr) == ["checking: 2 files", "checking: 2 files in T s"]


def test_a_generator_with_a_total_and_an_error(stderr):
    def folds():
        yield "first"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(progress(folds(), desc="folds", unit="fold", total=3, initial=1, disable=False))
    if not stderr.isatty():
        assert log_of(stderr) == ["folds: 2 folds", "folds: 1 of 2 folds in T s"]


def test_values_of_the_last_step(stderr):
    bar = progress(total=1, desc="training", unit="epoch")
    bar.set_postfix({"loss": "0.123"}, refresh=False)
    bar.update()
    bar.close()
    if not stderr.isatty():
        assert log_of(stderr) == ["training: 1 epoch", "training: 1 epoch in T s, loss 0.123"]


@pytest.mark.parametrize("how", [{"disable": True}, {"total": 3, "initial": 3}])
def test_nothing_to_show(stderr, how):
    if stderr.isatty() and "disable" not in how:
        pytest.skip("a full bar is shown and disappears")
    with progress(desc="features", unit="clip", **{"total": 3, **how}):
        pass
    assert stderr.getvalue() == ""


def test_a_terminal_only(stderr):
    assert list(progress([1], desc="files", unit="file", disable=None)) == [1]
    assert bool(stderr.getvalue()) == stderr.isatty()


def test_no_bar_starts_a_thread(stderr):
    for disable in (None, True):
        with progress(total=3, desc="features", unit="clip", disable=disable) as bar:
            bar.update()
    assert not [thread for thread in threading.enumerate() if isinstance(thread, TMonitor)]


def test_without_stderr(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert list(progress([1], desc="files", unit="file")) == [1]
