import re

import pytest

from skser.datasets import EMOTIONS, load_folder
from skser.datasets._corpus import SYNONYMS, emotion_name
from skser.exceptions import DataError, ParameterError


def test_folder_per_class(touch):
    home = touch("Anger/x/1.wav", "stress/2.mp3", "happiness/3.wav", "happy/4.wav", "notes.txt")
    speech = load_folder(home)
    wanted = ["Anger/x/1.wav", "happiness/3.wav", "happy/4.wav", "stress/2.mp3"]
    assert speech.paths.tolist() == [str(home / name) for name in wanted]
    assert speech.target.tolist() == ["angry", "happy", "happy", "stress"]
    assert speech.groups is None
    assert list(speech.frame) == ["path", "emotion", "corpus"]
    assert set(speech.frame["corpus"]) == {home.name}
    assert speech["DESCR"] == f"{home}: 4 recordings in a folder per class, with 3 classes.\n"
    paths, target = load_folder(home, return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == speech.target.tolist()


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("anger", "angry"),
        ("fearful", "fear"),
        ("happiness", "happy"),
        ("SURPRISED", "surprise"),
        ("Pleasant_surprise", "surprise"),
        ("pleasant-surprised", "surprise"),
        ("Calm", "calm"),
        ("Wut", "Wut"),
        ("my class", "my class"),
    ],
)
def test_words_for_emotions(word, emotion):
    assert emotion_name(word) == emotion


def test_synonyms_are_for_the_vocabulary():
    assert set(SYNONYMS.values()) <= set(EMOTIONS)
    assert not set(SYNONYMS) & set(EMOTIONS)


def test_speakers(touch):
    home = touch("calm/ann/1.wav", "angry/bob/1.wav")
    speech = load_folder(home, speaker="/([a-z]+)/")
    assert speech.groups.tolist() == ["bob", "ann"]
    assert speech.frame["speaker"].tolist() == ["bob", "ann"]


def test_speakers_not_found(touch):
    home = touch("calm/ann/1.wav", "angry/1.wav")
    with pytest.raises(DataError, match=r"speaker='/\(\[a-z\]\+\)/' .*1 of 2 paths: angry/1\.wav"):
        load_folder(home, speaker="/([a-z]+)/")


@pytest.mark.parametrize("speaker", ["no group", "(two)(groups)", "(", 3])
def test_not_an_expression_with_one_group(touch, speaker):
    home = touch("calm/1.wav", "angry/1.wav")
    with pytest.raises(ParameterError, match=f"speaker.*one group.*got {re.escape(repr(speaker))}"):
        load_folder(home, speaker=speaker)


def test_recordings_outside_of_class_folders(touch):
    home = touch("calm/1.wav", "2.wav", "3.wav")
    with pytest.raises(DataError, match=r"2 of 3 .*class folder: 2\.wav, 3\.wav"):
        load_folder(home)


def test_one_class_folder(touch):
    home = touch("data/calm/1.wav", "data/angry/1.wav")
    with pytest.raises(DataError, match="'data' is the only class folder"):
        load_folder(home)
