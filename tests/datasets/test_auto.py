import pytest

from skser.datasets import load_corpus
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
    with pytest.raises(DataError, match=r"not recognised.*emovo 1 of 3.*'Actor_01', 'Actor_02'"):
        load_corpus(home)
    assert load_corpus(home, "folder").target.tolist() == ["Actor_01", "Actor_02", "x"]


def test_recordings_without_folders(touch):
    with pytest.raises(DataError, match=r"\(folders: none\)"):
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


@pytest.mark.parametrize(
    ("folder", "corpus"), [("ravdess", "ravdess"), ("emodb4", "emodb"), ("emovo", "emovo")]
)
def test_real_corpora(speech_home, folder, corpus):
    assert set(load_corpus(speech_home / folder).frame["corpus"]) == {corpus}
