import pytest

from skser._files import (
    check_writable,
    folder_written_whole,
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
