import re

import pytest

from skser.datasets import EMOTIONS, load_folder
from skser.datasets._corpus import SYNONYMS, emotion_name
from skser.exceptions import DataError, ParameterError, SkserWarning


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


@pytest.mark.parametrize("parameter", ["label", "speaker"])
@pytest.mark.parametrize("value", ["no group", "(two)(groups)", "(", 3])
def test_not_an_expression_with_one_group(touch, parameter, value):
    home = touch("calm/1.wav", "angry/1.wav")
    with pytest.raises(ParameterError, match=f"{parameter}.*one group.*{re.escape(repr(value))}"):
        load_folder(home, **{parameter: value})


def test_recordings_outside_of_class_folders(touch):
    home = touch("calm/1.wav", "2.wav", "3.wav")
    with pytest.raises(DataError, match=r"2 of 3 .*class folder: 2\.wav, 3\.wav"):
        load_folder(home)


def test_one_class_folder(touch):
    home = touch("stress/a/1.wav", "stress/b/1.wav")
    with pytest.raises(DataError, match=r"'stress' is the only class folder.*level 2: 'a', 'b'"):
        load_folder(home)


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (["0011/Angry/1.wav", "0011/Sad/2.wav", "0012/Angry/3.wav"], ["angry", "sad", "angry"]),
        (["ann/stress/1.wav", "ann/anger/2.wav", "bob/anger/3.wav"], ["angry", "stress", "angry"]),
        (["data/calm/1.wav", "data/angry/1.wav"], ["angry", "calm"]),
        (["en/f/joy/1.wav", "en/m/fear/1.wav", "de/f/joy/2.wav"], ["happy", "happy", "fear"]),
        (["0011/Wut/1.wav", "ann/Wut/2.wav"], ["0011", "ann"]),
    ],
)
@pytest.mark.filterwarnings("ignore::skser.exceptions.SkserWarning")
def test_level_of_the_classes(touch, names, target):
    assert load_folder(touch(*names)).target.tolist() == target


@pytest.mark.parametrize(
    ("names", "reason", "seen"),
    [
        (["sad/joy/1.wav", "joy/sad/2.wav"], "several levels", "level 2: 'joy', 'sad'"),
        (["sad/1.wav", "0012/sad/2.wav"], "several levels", "level 1: '0012', 'sad'"),
        (["0011/Wut/1.wav", "0012/Trauer/2.wav"], "no folder is an emotion", "'Trauer', 'Wut'"),
        (["train/sad/1.wav", "x/sad/2.wav"], "'train' is beside", "level 1: 'train', 'x'"),
        (["train/1.wav", "test/2.wav"], "no class folder", "level 1: 'test', 'train'"),
        (["sad/1.wav", "joy/2.wav", "test/3.wav"], "'test' is beside", "'joy', 'sad', 'test'"),
    ],
)
def test_unclear_classes(touch, names, reason, seen):
    with pytest.raises(DataError, match=rf"{reason}.*{seen}.*recordings: .*label=r'.*' takes"):
        load_folder(touch(*names))


def test_the_split_is_not_offered_as_classes(touch):
    with pytest.raises(DataError, match="takes level 2") as error:
        load_folder(touch("train/sad/1.wav", "train/sad/2.wav"))
    assert "takes level 1" not in str(error.value)


def test_unclear_classes_are_settled_by_the_expression_in_the_error(touch):
    home = touch("s1/sad/joy/1.wav", "s2/joy/sad/2.wav")
    with pytest.raises(DataError) as error:
        load_folder(home)
    expressions = re.findall(r"label=r'(\^.+?)' takes level", str(error.value))
    found = [load_folder(home, label=label).target.tolist() for label in expressions]
    assert found == [["s1", "s2"], ["sad", "happy"], ["happy", "sad"]]


def test_names_in_errors_are_few_and_short(touch):
    home = touch(*(f"{i:03d}{'x' * 90}/{i}/{'y' * 90}{i}/1.wav" for i in range(30)))
    (home / "train").mkdir()
    (home / "train" / "1.wav").touch()
    with pytest.raises(DataError, match=r"xxx\.\.\.' and 28 more; level 2: .*and 27 more") as error:
        load_folder(home)
    assert len(str(error.value)) - len(str(home)) < 500


@pytest.mark.parametrize(
    ("names", "speakers"),
    [
        (["Actor_01/calm/1.wav", "Actor_02/sad/1.wav"], ["Actor_01", "Actor_02"]),
        (["calm/f01/1.wav", "sad/m2/1.wav"], ["f01", "m2"]),
        (["train/sad/speaker 1/1.wav", "test/joy/speaker 2/2.wav"], ["speaker 2", "speaker 1"]),
        (["calm/session1/1.wav", "sad/session2/1.wav"], None),
    ],
)
def test_folders_of_speakers(touch, names, speakers):
    groups = load_folder(touch(*names)).groups
    assert (None if groups is None else groups.tolist()) == speakers


@pytest.mark.parametrize(
    ("names", "level"),
    [
        (["0011/calm/1.wav", "0012/sad/2.wav"], 1),
        (["calm/01/1.wav", "sad/01/2.wav", "sad/02/3.wav"], 2),
        (["train/ann/calm/1.wav", "test/bob/sad/2.wav", "train/ann/sad/3.wav"], 2),
    ],
)
def test_folders_that_may_be_speakers(touch, names, level):
    home = touch(*names)
    with pytest.warns(SkserWarning, match=rf"level {level} .*may be the speakers") as record:
        assert load_folder(home).groups is None
    (speaker,) = re.findall(r"speaker=r'(.+)'", str(record[0].message))
    found = {name.split("/")[level - 1] for name in names}
    assert set(load_folder(home, speaker=speaker).groups) == found


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (["train/sad/1.wav", "test/joy/1.wav", "val/sad/2.wav"], ["test", "train", "val"]),
        (["Training/sad/1.wav", "Testing/joy/1.wav"], ["test", "train"]),
        (["f1/sad/train/1.wav", "f1/joy/evaluation/2.wav"], ["val", "train"]),
        (["train_set/sad/1.wav", "dev-set/joy/1.wav"], ["val", "train"]),
        (["x/TRAIN/sad/1.wav", "x/valid/joy/1.wav"], ["train", "val"]),
    ],
)
def test_split(touch, names, split):
    speech = load_folder(touch(*names))
    assert speech.frame["split"].tolist() == split
    assert set(speech.target) == {"sad", "happy"}


def test_words_that_are_no_split(touch):
    speech = load_folder(touch("trained/1.wav", "test it/1.wav", "sad/1.wav"))
    assert speech.target.tolist() == ["sad", "test it", "trained"]
    assert "split" not in speech.frame


def test_label_in_the_file_name(touch):
    home = touch("train/Anger_emovo_01_a.wav", "test/joy_emovo_04_b.wav", "test/Wut_9_c.wav")
    speech = load_folder(home, label=r"/([A-Za-z]+)_[^/]*$", speaker=r"_(\d+)_")
    assert speech.target.tolist() == ["Wut", "happy", "angry"]
    assert speech.groups.tolist() == ["9", "04", "01"]
    assert speech.frame["split"].tolist() == ["test", "test", "train"]
    assert "with the class in the path, with 3 classes" in speech["DESCR"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (r"^(a)", r"label='\^\(a\)' finds no label in 1 of 2 paths: sad_2\.wav"),
        (r"(\.)", r"label='\(\\\\\.\)' finds only the class '\.'"),
    ],
)
def test_label_not_found(touch, label, message):
    with pytest.raises(DataError, match=message):
        load_folder(touch("anger_1.wav", "sad_2.wav"), label=label)
