"""What the loaders share: finding recordings and the Bunch."""

import os
import pickle

import numpy as np
import pandas as pd
import pytest

import skser.datasets
from skser.audio._folders import AUDIO_SUFFIXES, find_audio
from skser.datasets import load_emovo
from skser.datasets._corpus import listing, make_corpus
from skser.exceptions import CorpusNotFoundError, DataError, SkserError


def names(files, home):
    return [file.relative_to(home).as_posix() for file in files]


def test_finds_every_suffix_in_any_case_and_depth(touch):
    wanted = [f"{i}/x/clip{suffix}" for i, suffix in enumerate(AUDIO_SUFFIXES)] + ["TOP.WAV"]
    home = touch(*wanted, "readme.txt", "wav", "labels.csv", "a.wav.zip")
    files = find_audio(home)
    assert sorted(names(files, home)) == sorted(wanted)
    assert files == sorted(files, key=str)
    assert find_audio(str(home)) == files


def test_leaves_out_hidden_files_and_folders(touch):
    home = touch("a.wav", "._a.wav", ".b.wav", "__MACOSX/a.wav", "x/__MACOSX/c.wav", ".git/d.wav")
    assert names(find_audio(home), home) == ["a.wav"]


def test_hidden_data_home_is_fine(touch):
    home = touch(".cache/a.wav")
    assert len(find_audio(home / ".cache")) == 1


def test_tilde_is_the_home_folder(touch, monkeypatch):
    home = touch("corpus/a.wav")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert find_audio("~/corpus") == [home / "corpus" / "a.wav"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_follows_links_but_not_in_circles(touch):
    home = touch("elsewhere/a.wav", "corpus/x/b.wav")
    (home / "corpus" / "linked").symlink_to(home / "elsewhere", target_is_directory=True)
    (home / "corpus" / "x" / "up").symlink_to(home / "corpus", target_is_directory=True)
    assert names(find_audio(home / "corpus"), home / "corpus") == ["linked/a.wav", "x/b.wav"]


def test_missing_folder(tmp_path):
    with pytest.raises(CorpusNotFoundError, match="nowhere: no such folder") as error:
        load_emovo(tmp_path / "nowhere")
    assert isinstance(error.value, (FileNotFoundError, DataError, SkserError))


def test_file_instead_of_a_folder(touch):
    file = touch("a.wav") / "a.wav"
    with pytest.raises(DataError, match=r"a\.wav: .* folder.* file"):
        load_emovo(file)


def test_folder_without_recordings(touch):
    home = touch("notes.txt")
    with pytest.raises(DataError, match=rf"{home}: no recordings.*\.wav, .*\.mov"):
        load_emovo(home)


def test_folder_that_cannot_be_read(touch, monkeypatch):
    home = touch("x/a.wav")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("x"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=f"{home / 'x'}: .*Permission denied"):
        find_audio(home)


def test_listing():
    assert listing("ab") == "a, b"
    assert listing(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


def test_bunch():
    frame = pd.DataFrame(
        {
            "take": [1, 2],
            "corpus": "mine",
            "speaker": ["ann", "bo"],
            "emotion": ["sad", "angry"],
            "path": ["a.wav", "b.wav"],
        },
        index=[7, 8],
    )
    corpus = make_corpus(frame, "Mine.")
    assert set(corpus) == {"paths", "target", "groups", "frame", "DESCR"}
    assert list(corpus.frame) == ["path", "emotion", "speaker", "corpus", "take"]
    assert corpus.frame.index.tolist() == [0, 1]
    assert corpus.paths.dtype == object
    assert [type(path) for path in corpus.paths] == [str, str]
    assert corpus.target.dtype.kind == corpus.groups.dtype.kind == "U"
    assert corpus.paths.shape == corpus.target.shape == corpus.groups.shape == (2,)
    assert corpus.DESCR == "Mine."
    again = pickle.loads(pickle.dumps(corpus))
    np.testing.assert_array_equal(again.paths, corpus.paths)


def test_bunch_without_speakers():
    frame = pd.DataFrame({"path": ["a"], "emotion": ["sad"], "corpus": ["mine"]})
    assert make_corpus(frame, "").groups is None


def test_return_X_y():
    frame = pd.DataFrame({"path": ["a"], "emotion": ["sad"], "corpus": ["mine"]})
    paths, target = make_corpus(frame, "", return_X_y=True)
    assert paths.tolist() == ["a"]
    assert target.tolist() == ["sad"]


def test_public_names():
    public = [name for name in skser.datasets.__all__ if name != "EMOTIONS"]
    assert public == sorted(public)
    assert all(callable(getattr(skser.datasets, name)) for name in public)
