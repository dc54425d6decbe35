import warnings

import numpy as np
import pandas as pd
import pytest

from skser.datasets import load_ravdess
from skser.evaluation._corpus import Corpus
from skser.evaluation._leakage_checks import number_contents, warn_of_leakage
from skser.exceptions import LeakageWarning


def corpus_of(clips):
    return Corpus(clips, np.empty(len(clips)), None, pd.DataFrame())


def test_files_of_one_content(tmp_path):
    contents = [b"abc", b"def", b"other", b"abc"]
    for i, content in enumerate(contents):
        (tmp_path / f"{i}.wav").write_bytes(content)
    paths = np.array([str(tmp_path / f"{i}.wav") for i in range(4)], dtype=object)
    assert number_contents(paths).tolist() == [0, 1, 2, 0]
    # The loader raises an error for missing files.
    assert number_contents(np.array(["a.wav", "b.wav"], dtype=object)).tolist() == [0, 1]


def test_same_recording_under_two_names_is_warned_of(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "c.wav").write_bytes(b"another")
    paths = np.array([str(tmp_path / name) for name in ("a.wav", "b.wav", "c.wav")], dtype=object)
    parts = [(np.array([0, 2]), np.array([1]))]
    with pytest.warns(LeakageWarning) as caught:
        warn_of_leakage(corpus_of(paths), parts)
    assert f"such as {tmp_path / 'a.wav'} and {tmp_path / 'b.wav'}" in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_leakage(corpus_of(paths), [(np.array([0, 1]), np.array([2]))])


def test_same_waveform_is_warned_of():
    clips = np.empty(3, dtype=object)
    clips[:] = [np.zeros(4), np.ones(4), np.zeros(4)]
    with pytest.warns(LeakageWarning, match="such as waveform 0 and waveform 2"):
        warn_of_leakage(corpus_of(clips), [(np.array([0, 1]), np.array([2]))])


def test_known_pair_of_ravdess(speech_home):
    """Two recordings of RAVDESS are the same, byte for byte."""
    speech = load_ravdess(speech_home / "ravdess")
    contents = number_contents(speech.paths)
    twice = [i for i in np.unique(contents) if (contents == i).sum() > 1]
    assert len(twice) == 1
    first, second = np.flatnonzero(contents == twice[0])
    assert speech.groups[first] == speech.groups[second] == "ravdess-07"
    with pytest.warns(LeakageWarning, match="tested under two names, 1 of them, such as"):
        warn_of_leakage(corpus_of(speech.paths), [(np.array([first]), np.array([second]))])
