"""Paths in tables, as other machines and programs write them."""

import unicodedata

import pytest

from skser.datasets import load_manifest


@pytest.fixture
def audio(touch):
    return touch("audio/a.wav", "audio/f 1/b.wav", f"audio/{unicodedata.normalize('NFC', 'é')}.wav")


def load(home, *names, **parameters):
    rows = "".join(f'"{name}",sad\n' for name in names)
    (home / "calls.csv").write_text(f"file,emotion\n{rows}", encoding="utf-8")
    speech = load_manifest(home / "calls.csv", **parameters)
    return [path.removeprefix(f"{home}/") for path in speech.paths], speech["DESCR"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("audio/f 1/b.wav", "audio/f 1/b.wav"),
        (r"audio\f 1\b.wav", "audio/f 1/b.wav"),
        (r".\audio\f 1\b.wav", "audio/f 1/b.wav"),
        ("audio/f%201/b.wav", "audio/f 1/b.wav"),
        (unicodedata.normalize("NFD", "audio/é.wav"), unicodedata.normalize("NFC", "audio/é.wav")),
        ("audio/gone%20.wav", "audio/gone%20.wav"),
        (r"audio\gone.wav", r"audio\gone.wav"),
    ],
)
def test_ways_to_write_a_path(audio, name, expected):
    assert load(audio, name)[0] == [expected]


def test_names_as_they_are_come_first(touch):
    home = touch("b%20.wav", "b .wav", r"x\y.wav", "x/y.wav")
    assert load(home, "b%20.wav", r"x\y.wav")[0] == ["b%20.wav", r"x\y.wav"]


def test_home_and_addresses_of_files(audio, monkeypatch):
    monkeypatch.setenv("HOME", str(audio))
    names = ["~/audio/a.wav", f"file://{audio}/audio/f%201/b.wav"]
    assert load(audio, *names)[0] == ["audio/a.wav", "audio/f 1/b.wav"]


@pytest.mark.parametrize(
    ("folder", "separator"),
    [("/home/ann/data", "/"), (r"C:\Users\ann\data", "\\"), (r"\\server\data", "\\")],
)
def test_absolute_paths_of_another_machine(audio, folder, separator):
    names = [separator.join([folder, *parts]) for parts in (["a.wav"], ["f 1", "b.wav"], ["gone"])]
    paths, descr = load(audio, *names, audio_home=audio / "audio")
    assert paths == ["audio/a.wav", "audio/f 1/b.wav", "audio/gone"]
    assert f"{audio / 'audio'} in place of {folder}" in descr


def test_absolute_paths_are_as_they_are_without_audio_home(audio):
    assert load(audio, "/home/ann/audio/a.wav")[0] == ["/home/ann/audio/a.wav"]


def test_paths_of_another_machine_that_are_not_there(audio):
    paths, descr = load(audio, "/home/ann/x.wav", audio_home=audio)
    assert paths == ["/home/ann/x.wav"]
    assert "in place of" not in descr


def test_files_of_one_name_in_two_folders_are_not_taken_for_one(touch):
    home = touch("a.wav", "s1/b.wav", "s2/b.wav")
    names = [f"/x/{name}" for name in ("s1/a.wav", "s1/b.wav", "s2/b.wav")]
    assert load(home, *names, audio_home=home)[0] == ["s1/a.wav", "s1/b.wav", "s2/b.wav"]
