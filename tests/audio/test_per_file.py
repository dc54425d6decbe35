"""Tests of what is found out about files once."""

import pytest

from skser._utils._files import file_signature
from skser.audio._per_file import PerFile


@pytest.fixture
def small_room(monkeypatch):
    monkeypatch.setattr(PerFile, "_room", 2)


def passes_over(n_files, tmp_path):
    """Calls of a function in two passes over files."""
    calls = []
    of_file = PerFile(lambda path: calls.append(path) or path.name)
    paths = [tmp_path / f"{i}.wav" for i in range(n_files)]
    for path in paths:
        path.write_bytes(b"RIFF")
    for path in [*paths, *paths]:
        assert of_file(path, file_signature(path)) == path.name
    return len(calls)


def test_each_file_once_in_several_passes(small_room, tmp_path):
    PerFile.make_room(9)
    PerFile.make_room(4)  # of another, smaller corpus
    assert passes_over(9, tmp_path) == 9


def test_no_more_than_there_is_room_for(small_room, tmp_path):
    assert passes_over(3, tmp_path) == 6


def test_changed_file_again(tmp_path):
    path = tmp_path / "a.wav"
    size_of = PerFile(lambda path: path.stat().st_size)
    for content in (b"RIFF", b"RIFF", b"RIFFRIFF"):
        path.write_bytes(content)
        assert size_of(path, file_signature(path)) == len(content)


def test_clear(tmp_path):
    calls = []
    of_file = PerFile(calls.append)
    for _ in range(2):
        of_file("a.wav", ("/a.wav", 1, 2))
        of_file.clear()
    assert calls == ["a.wav", "a.wav"]
