import os
import threading

import pytest

from skser._utils._stderr import stderr_closed


def write(text):
    os.write(2, text)


def test_nothing_arrives_within_and_all_after(capfd):
    write(b"before ")
    with stderr_closed():
        write(b"within ")
        with stderr_closed():
            write(b"deep ")
        write(b"still ")
    write(b"after")
    assert capfd.readouterr().err == "before after"


def test_an_error_opens_it(capfd):
    with pytest.raises(KeyError), stderr_closed():
        raise KeyError
    write(b"after")
    assert capfd.readouterr().err == "after"


def test_the_last_thread_opens_it(capfd):
    entered, may_leave = threading.Event(), threading.Event()

    def work():
        with stderr_closed():
            entered.set()
            may_leave.wait(10)

    thread = threading.Thread(target=work)
    with stderr_closed():
        thread.start()
        entered.wait(10)
    write(b"within ")
    may_leave.set()
    thread.join()
    write(b"after")
    assert capfd.readouterr().err == "after"


def test_no_descriptor_is_left_open():
    before = os.dup(2)
    os.close(before)
    for _ in range(3):
        with stderr_closed():
            pass
    after = os.dup(2)
    os.close(after)
    assert after == before


def test_where_there_is_no_stderr(monkeypatch):
    def refuse(descriptor):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", refuse)
    with stderr_closed():
        pass
