import pytest

from skser.datasets import auto, load_corpus
from skser.exceptions import CorpusNotFoundError, DataError, ParameterError

FIRST = {
    "crema_d": "AudioWAV/1001_DFA_ANG_XX.wav",
    "emodb": "wav/03a01Fa.wav",
    "emovo": "f1/dis-f1-b1.wav",
    "ravdess": "Actor_12/03-01-06-01-02-01-12.wav",
    "savee": "ALL/DC_a01.wav",
    "tess": "OAF_angry/OAF_back_angry.wav",
}


@pytest.mark.parametrize("corpus", FIRST)
def test_known_corpora(touch, corpus):
    home = touch(FIRST[corpus])
    assert load_corpus(home).frame["corpus"].tolist() == [corpus]
    assert load_corpus(home, corpus).frame["corpus"].tolist() == [corpus]


def test_folder_per_class(touch):
    home = touch("Anger/1.wav", "stress/2.wav")
    assert load_corpus(home).target.tolist() == ["angry", "stress"]


def test_manifest(tmp_path):
    for name in ("a.csv", "b.TSV", "c.txt"):
        path = tmp_path / name
        path.write_text("FileName\tEmotion\nx.wav\tsad\n")
        assert load_corpus(path).target.tolist() == ["sad"]
        assert load_corpus(str(path), "manifest").target.tolist() == ["sad"]


def test_parameters_go_to_the_loader(touch):
    home = touch("03-02-06-01-02-01-12.wav")
    assert load_corpus(home, channel="song").groups.tolist() == ["ravdess-12"]
    _, target = load_corpus(home, "ravdess", channel="song", return_X_y=True)
    assert target.tolist() == ["fear"]


def test_a_tenth_may_be_named_otherwise_but_is_not_passed_over(touch):
    home = touch("other.wav", *(f"f1/dis-f1-b{i}.wav" for i in range(9)))
    with pytest.raises(DataError, match="1 of 10 recordings are not named as in emovo"):
        load_corpus(home)


def test_classes_are_not_guessed(touch):
    home = touch("Actor_01/1.wav", "Actor_02/2.wav", "x/dis-f1-b1.wav")
    with pytest.raises(
        DataError, match=r"not recognised: x is emovo, but not Actor_01.*'Actor_02'"
    ):
        load_corpus(home)
    assert load_corpus(home, "folder").target.tolist() == ["Actor_01", "Actor_02", "x"]


def test_recordings_without_folders(touch):
    with pytest.raises(DataError, match=r"none of 1 .*\(folders: none; recordings: '1\.wav'\)"):
        load_corpus(touch("1.wav"))


def test_other_file(touch):
    path = touch("a.wav") / "a.wav"
    with pytest.raises(DataError, match=r"a\.wav: .*folder.*table.*\.csv"):
        load_corpus(path)


def test_missing_folder(tmp_path):
    with pytest.raises(CorpusNotFoundError, match="x: no such folder"):
        load_corpus(tmp_path / "x")


def test_unknown_corpus(tmp_path):
    with pytest.raises(ParameterError, match=r"corpus.*'auto' or .*got 'ravdes';.*'ravdess'"):
        load_corpus(tmp_path, "ravdes")


def test_class_folders_below_others(touch):
    speech = load_corpus(touch("Actor_01/Angry/1.wav", "Actor_02/Sad/2.wav"))
    assert speech.target.tolist() == ["angry", "sad"]
    assert speech.groups.tolist() == ["Actor_01", "Actor_02"]


def test_label_in_the_file_name(touch):
    home = touch("anger_01.wav", "sad_02.wav")
    with pytest.raises(DataError, match=r"not recognised.*label=.* file name"):
        load_corpus(home)
    assert load_corpus(home, label="^([a-z]+)_").target.tolist() == ["angry", "sad"]


FOUR = (
    "Crema/1001_DFA_ANG_XX.wav",
    "Ravdess/audio_speech_actors_01-24/Actor_01/03-01-03-01-01-01-01.wav",
    "Savee/DC_a01.wav",
    "Tess/OAF_angry/OAF_back_angry.wav",
)


@pytest.mark.parametrize("above", ["", "data/", "data/en/"])
def test_several_corpora(touch, above):
    home = touch(*(above + name for name in FOUR))
    speech = load_corpus(home)
    assert speech.frame["corpus"].tolist() == ["crema_d", "ravdess", "savee", "tess"]
    assert speech.groups.tolist() == ["crema_d-1001", "ravdess-01", "savee-DC", "tess-OAF"]
    assert all(name in speech["DESCR"] for name in ("CREMA-D", "RAVDESS", "SAVEE", "TESS"))
    paths, target = load_corpus(home, "several", return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == ["angry", "happy", "angry", "angry"]


def test_several_corpora_at_several_levels_and_own_recordings(touch):
    home = touch(
        *(f"en/{name}" for name in FOUR), FIRST["emodb"], "mine/Anger/1.wav", "mine/b/2.wav"
    )
    corpora = load_corpus(home).frame["corpus"]
    assert set(corpora) == {"crema_d", "ravdess", "savee", "tess", "emodb", "mine"}


def test_several_corpora_and_a_folder_that_is_none(touch):
    home = touch(*FOUR, "notes/1.wav")
    with pytest.raises(DataError, match=r"Crema is crema_d.*Tess is tess, but not notes"):
        load_corpus(home)
    with pytest.raises(DataError, match="no folders of known corpora"):
        load_corpus(home, "several")


FLAT = ("DC_a01.wav", "1001_DFA_ANG_XX.wav", "03-01-03-01-01-01-01.wav", "1002_DFA_HAP_XX.wav")


@pytest.mark.parametrize("below", ["", "all/"])
def test_several_corpora_in_one_folder(touch, below):
    home = touch(*(below + name for name in FLAT), f"{below}03-02-06-01-02-01-12.wav")
    speech = load_corpus(home)  # of RAVDESS, without song
    assert speech.frame["corpus"].tolist() == ["crema_d", "crema_d", "ravdess", "savee"]
    assert speech.target.tolist() == ["angry", "happy", "happy", "angry"]
    assert speech.groups.tolist() == ["crema_d-1001", "crema_d-1002", "ravdess-01", "savee-DC"]
    first = speech["DESCR"].splitlines()[0]
    assert first.endswith("recordings of several corpora, crema_d 2, ravdess 1, savee 1.")
    assert load_corpus(home, "several").paths.tolist() == speech.paths.tolist()


def test_a_few_recordings_of_another_corpus_in_one_folder(touch):
    home = touch(
        *(f"dis-f1-b{i}.wav" for i in range(1, 4)), *(f"DC_a{i:02}.wav" for i in range(40))
    )
    assert set(load_corpus(home).frame["corpus"]) == {"emovo", "savee"}


def test_several_corpora_in_one_folder_and_others(touch):
    home = touch(*FLAT, "a.wav", "b.wav")
    with pytest.raises(DataError, match=r"crema_d 2, .* of 6 .*; 2 as in none, such as 'a\.wav'"):
        load_corpus(home)
    with pytest.raises(DataError, match=r"named as in several: 2 as in none, .*'a\.wav'"):
        load_corpus(home, "several")


def test_a_mixed_folder_beside_another_corpus(touch):
    home = touch(*(f"mixed/{name}" for name in FLAT), FIRST["emodb"])
    corpora = load_corpus(home).frame["corpus"].tolist()
    assert corpora == ["crema_d", "crema_d", "ravdess", "savee", "emodb"]


def test_names_of_more_than_one_corpus(touch, monkeypatch):
    twin = auto.EMOVO._replace(name="twin")
    monkeypatch.setattr(auto, "NAMED", (*auto.NAMED, twin))
    home = touch("dis-f1-b1.wav")
    with pytest.raises(DataError, match=r"dis-f1-b1\.wav\) are named as in emovo and in twin"):
        load_corpus(home)
    touch("DC_a01.wav", "1001_DFA_ANG_XX.wav")
    with pytest.raises(DataError, match=r"1 as in several, such as 'dis.*' as in emovo and"):
        load_corpus(home)


def test_names_of_two_corpora_of_which_one_has_others(touch, monkeypatch):
    narrow = auto.EMOVO._replace(name="narrow", pattern="/(?P<emotion>dis)-f1-b1$")
    monkeypatch.setattr(auto, "NAMED", (*auto.NAMED, narrow))
    home = touch("dis-f1-b1.wav", "dis-f2-b1.wav", "DC_a01.wav")
    assert load_corpus(home).frame["corpus"].tolist() == ["emovo", "emovo", "savee"]


def test_class_folders_of_known_recordings_are_the_classes(touch):
    home = touch("angry/03-01-05-01-01-01-01.wav", "fear/1001_DFA_FEA_XX.wav")
    speech = load_corpus(home)
    assert speech.target.tolist() == ["angry", "fear"]
    assert speech.groups is None


@pytest.mark.parametrize(
    ("folder", "corpus"), [("ravdess", "ravdess"), ("emodb4", "emodb"), ("emovo", "emovo")]
)
def test_real_corpora(speech_home, folder, corpus):
    assert set(load_corpus(speech_home / folder).frame["corpus"]) == {corpus}
