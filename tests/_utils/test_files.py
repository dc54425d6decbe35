import errno
import os
import tempfile
from threading import Thread

import pytest

from skser._utils._files import (
    check_apart,
    check_writable,
    file_signature,
    folder_written_whole,
    write_small_file,
    written_whole,
)
from skser.exceptions import DataError


def test_nothing_is_left_of_a_failed_write(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("before")

    def write_half():
        with written_whole(target) as path:
            path.write_text("half of it")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_written_whole(tmp_path):
    with written_whole(tmp_path / "table.csv") as path:
        assert path.suffix == ".csv"
        path.write_text("all")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["all"]


def test_a_folder_is_written_whole(tmp_path):
    with folder_written_whole(tmp_path / "corpus") as folder:
        (folder / "a.wav").touch()
        assert folder.name.startswith(".")
        assert not (tmp_path / "corpus").exists()
    assert list(tmp_path.rglob("*")) == [tmp_path / "corpus", tmp_path / "corpus" / "a.wav"]


def test_nothing_is_left_of_a_folder_half_written(tmp_path):
    def write_half():
        with folder_written_whole(tmp_path / "corpus") as folder:
            (folder / "a.wav").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_written_sooner_stays(tmp_path):
    with folder_written_whole(tmp_path / "corpus") as folder:
        (folder / "late.wav").touch()
        (tmp_path / "corpus").mkdir()
        (tmp_path / "corpus" / "soon.wav").touch()
    assert list(tmp_path.rglob("*")) == [tmp_path / "corpus", tmp_path / "corpus" / "soon.wav"]


def test_check_writable(tmp_path):
    check_writable(tmp_path / "model.joblib")
    with pytest.raises(DataError, match=r"nowhere does not exist$"):
        check_writable(tmp_path / "nowhere" / "model.joblib")
    with pytest.raises(DataError, match=r"is a directory, so no file can be written there$"):
        check_writable(tmp_path)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "kept").mkdir()
    link = tmp_path / "table.csv"
    link.symlink_to(tmp_path / "kept" / "june.csv")
    with written_whole(check_writable(link)) as path:
        path.write_text("all")
    assert link.is_symlink()
    assert (tmp_path / "kept" / "june.csv").read_text() == "all"
    assert len(list(tmp_path.rglob("*"))) == 3

    link.unlink()
    link.symlink_to(tmp_path / "nowhere" / "june.csv")
    with pytest.raises(DataError, match=r"table\.csv: its folder .*nowhere does not exist$"):
        check_writable(link)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_gets_what_is_written(tmp_path):
    pipe, read = tmp_path / "table.csv", []
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with written_whole(check_writable(pipe)) as path:
        assert path.suffix == ".csv"
        path.write_text("all")
    reader.join()
    assert read == ["all"]
    assert list(tmp_path.iterdir()) == [pipe]
    assert pipe.is_fifo()


def test_files_are_not_written_over_each_other(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    check_apart([tmp_path / "a", tmp_path / "b"], [tmp_path / "model"])
    for written in (["model"], ["link"], ["a", "a"], ["a", "nowhere/../a"]):
        with pytest.raises(DataError, match=f"^{tmp_path / written[-1]}: is named twice"):
            check_apart([tmp_path / name for name in written], [tmp_path / "model"])


def test_signature_of_a_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.wav"
    path.write_bytes(b"12")
    os.utime(path, ns=(1, 2))
    monkeypatch.chdir(tmp_path)
    assert file_signature("clip.wav") == file_signature(path) == (str(path), 2, 2)


@pytest.mark.parametrize("is_temporary", [True, False])
def test_a_full_disk_is_named(tmp_path, monkeypatch, is_temporary):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path if is_temporary else tmp_path / "other"))
    with pytest.raises(OSError, match="No space left") as raised, written_whole(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert raised.value.filename == str(tmp_path)
    assert ("TMPDIR" in str(raised.value)) == is_temporary


def test_other_errors_stay_as_they_are(tmp_path):
    with pytest.raises(OSError, match="own") as raised, written_whole(tmp_path / "a"):
        raise OSError("own")
    assert raised.value.filename is None


def test_small_file(tmp_path, monkeypatch):
    path = tmp_path / "made" / "with" / "it.features"
    for content in (b"first", b"", b"another one"):
        write_small_file(str(path), content)
        assert path.read_bytes() == content
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:3]))
    write_small_file(str(path), b"in several parts")
    assert path.read_bytes() == b"in several parts"
    assert list(path.parent.iterdir()) == [path]


def test_small_file_on_a_full_disk(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        write_small_file(str(tmp_path / "a"), b"content")
    assert raised.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_as_a_small_file_is_made_leaves_none(tmp_path, monkeypatch):
    opened = os.open

    def interrupted(*arguments):
        os.close(opened(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_small_file(str(tmp_path / "a.features"), b"content")
    assert list(tmp_path.iterdir()) == []
