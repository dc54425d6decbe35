"""Corpora whose labels are in their own files: IEMOCAP, MELD and MSP-IMPROV."""

import pytest

from skser.datasets import load_corpus
from skser.exceptions import DataError

IEMOCAP = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M000\tfru\t[2.0000, 3.5000, 4.0000]
C-E2:\tFrustration;\t()

[14.8872 - 18.0175]\tSes01F_impro01_M001\txxx\t[2.5000, 2.5000, 2.5000]
"""
IEMOCAP_2 = "[140.2250 - 145.6000]\tSes05M_script01_1b_MXX0\texc\t[1.5000, 4.0000, 4.5000]\n"
MELD = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode\n"
    '1,"Oh my God, he\x92s lost it.",Phoebe,sadness,negative,0,0,4,7\n'
    '2,"What, ""now""?",Monica,Joy,positive,0,1,4,7\n'
    "3,Hm.,Joey,neutral,neutral,125,3,4,7\n"
)
MELD_TEST = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    "1,Why?,Monica,surprise,positive,0,0\n"
)
MSP = """\
UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:3.000000; V:3.500000; D:3.000000 ; N:4.000000;
WORKER1; Neutral; Neutral,; A:3.0; V:3.0; D:3.0; N:4.0;

UTD-IMPROV-S01A-M01-R-MF02.avi; A; A:2.000000; V:2.500000; D:NaN ; N:NaN;
UTD-IMPROV-S01A-M01-P-MF03.avi; X; A:2.000000; V:2.500000; D:3.000000 ; N:4.000000;
UTD-IMPROV-S01A-M01-P-MF04.avi; O; A:2.000000; V:2.500000; D:3.000000 ; N:4.000000;
"""


@pytest.fixture
def iemocap(touch):
    wav, dialog = "Session1/sentences/wav/Ses01F_impro01", "Session1/dialog"
    home = touch(
        *(f"{wav}/Ses01F_impro01_{turn}.wav" for turn in ("F000", "M000", "M001")),
        f"{wav}/._Ses01F_impro01_F000.wav",
        "Session5/sentences/wav/Ses05M_script01_1b/Ses05M_script01_1b_MXX0.wav",
        f"{dialog}/wav/Ses01F_impro01.wav",
        f"{dialog}/avi/DivX/Ses01F_impro01.avi",
        "Session5/dialog/wav/Ses05M_script01_1b.wav",
        f"{dialog}/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt",
        f"{dialog}/EmoEvaluation/._Ses01F_impro01.txt",
        "Session5/dialog/EmoEvaluation/x.txt",
        "README.txt",
    )
    (home / dialog / "EmoEvaluation" / "Ses01F_impro01.txt").write_text(IEMOCAP)
    (home / "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt").write_text(IEMOCAP_2)
    return home


def test_iemocap(iemocap):
    speech = load_corpus(iemocap, "iemocap")
    assert [path.rpartition("/")[2] for path in speech.paths] == [
        "Ses01F_impro01_F000.wav",
        "Ses01F_impro01_M000.wav",
        "Ses05M_script01_1b_MXX0.wav",
    ]
    assert speech.target.tolist() == ["neutral", "frustrated", "excited"]
    # who speaks, not who wears the markers
    assert speech.groups.tolist() == ["iemocap-Ses01F", "iemocap-Ses01M", "iemocap-Ses05M"]
    frame = speech.frame
    assert frame["gender"].tolist() == ["female", "male", "male"]
    assert frame["style"].tolist() == ["improvised", "improvised", "scripted"]
    assert frame["session"].tolist() == ["Ses01", "Ses01", "Ses05"]
    assert frame["valence"].tolist() == [2.5, 2.0, 1.5]
    assert frame["activation"].tolist() == [2.5, 3.5, 4.0]
    assert frame["dominance"].tolist() == [2.5, 4.0, 4.5]
    assert speech.DESCR.endswith("1 of 4 recordings have no agreed label: left out.\n")


def test_iemocap_of_one_session_is_recognised(touch):
    names = [f"Session1/sentences/wav/x/Ses01F_impro01_F{i:03d}.wav" for i in range(20)]
    home = touch(*names, "Session1/dialog/wav/Ses01F_impro01.wav")
    folder = home / "Session1/dialog/EmoEvaluation"
    folder.mkdir()
    lines = "".join(
        f"[1.0 - 2.0]\tSes01F_impro01_F{i:03d}\tang\t[1.0, 2.0, 3.0]\n" for i in range(20)
    )
    (folder / "Ses01F_impro01.txt").write_text(lines)
    speech = load_corpus(home)
    assert set(speech.frame["corpus"]) == {"iemocap"}
    assert speech.target.tolist() == ["angry"] * 20
    assert "left out" not in speech.DESCR.rpartition("Licence")[2]


@pytest.mark.parametrize("inside", ["", "sentences", "sentences/wav/Ses01F_impro01"])
def test_labels_of_iemocap_may_be_above_the_recordings(iemocap, inside):
    home = iemocap / "Session1" / inside
    assert load_corpus(home, "iemocap").target.tolist() == ["neutral", "frustrated"]
    assert load_corpus(home).target.tolist() == ["neutral", "frustrated"]


def test_labels_of_meld_may_be_above_the_recordings(meld):
    assert sorted(load_corpus(meld / "train_splits", "meld").target) == ["happy", "sad"]


def test_iemocap_is_recognised(iemocap):
    """What a corpus passes over counts as its own: three of seven files are dialogues."""
    assert set(load_corpus(iemocap).frame["corpus"]) == {"iemocap"}


def test_meld_is_recognised(meld):
    assert set(load_corpus(meld).frame["corpus"]) == {"meld"}


def test_dialogues_alone_are_not_recognised(touch):
    with pytest.raises(DataError, match="not recognised"):
        load_corpus(touch("Session1/dialog/wav/Ses01F_impro01.wav"))


@pytest.mark.parametrize(
    ("corpus", "name", "files"),
    [
        ("iemocap", "Ses01F_impro01_F000.wav", r"EmoEvaluation.*Session1 to Session5"),
        ("meld", "train_splits/dia0_utt0.mp4", r"train_sent_emo\.csv.*MELD\.Raw"),
        ("msp_improv", "MSP-IMPROV-S01A-F01-P-FM01.wav", r"Evalution\.txt.*session1"),
    ],
)
def test_missing_label_files_are_named(touch, corpus, name, files):
    with pytest.raises(DataError, match=rf"has no labels \(.*{files}"):
        load_corpus(touch(name))
    with pytest.raises(DataError, match=rf"has no labels \(.*{files}"):
        load_corpus(touch(name), corpus)


def test_labels_of_other_recordings(iemocap, touch):
    for file in iemocap.rglob("*_F000.wav"):
        file.rename(file.with_name("Ses02F_impro01_F000.wav"))
    for name in ("M000", "M001", "MXX0"):
        for file in iemocap.rglob(f"Ses*_{name}.wav"):
            file.unlink()
    with pytest.raises(DataError, match="none of its 1 recordings has a label in its files"):
        load_corpus(iemocap, "iemocap")


@pytest.fixture
def meld(touch):
    home = touch(
        "train_splits/dia0_utt0.mp4",
        "train_splits/dia0_utt1.mp4",
        "train_splits/dia125_utt3.mp4",
        "output_repeated_splits_test/dia0_utt0.mp4",
        "output_repeated_splits_test/dia9_utt9.mp4",
        "output_repeated_splits_test/final_videos_testdia0_utt0.mp4",
    )
    (home / "train_sent_emo.csv").write_bytes(MELD.encode("latin-1"))
    (home / "test_sent_emo.csv").write_text(MELD_TEST)
    (home / "train_sent_emo_dya.csv").write_text("other")
    return home


def test_meld(meld):
    speech = load_corpus(meld, "meld")
    frame = speech.frame.set_index(["split", "dialogue", "utterance"]).sort_index()
    assert frame["emotion"].to_dict() == {
        ("test", "0", "0"): "surprise",
        ("train", "0", "0"): "sad",
        ("train", "0", "1"): "happy",
    }
    assert frame["speaker"].tolist() == ["meld-Monica", "meld-Phoebe", "meld-Monica"]
    assert set(frame["corpus"]) == {"meld"}
    assert speech.DESCR.endswith("1 of 4 recordings have no agreed label: left out.\n")


def test_split_of_meld_is_that_of_the_nearest_folder(meld):
    """pytest's own folder has "test" in its name."""
    moved = meld / "train" / "test_audio"
    (meld / "train").mkdir()
    (meld / "output_repeated_splits_test").rename(moved)
    assert sorted(load_corpus(meld, "meld").frame["split"]) == ["test", "train", "train"]


def test_table_of_meld_without_a_column(meld):
    (meld / "dev_sent_emo.csv").write_text("Utterance,Speaker,Emotion,Dialogue_ID\nHm,Joey,joy,0\n")
    with pytest.raises(DataError, match=r"dev_sent_emo\.csv: has no column Utterance_ID"):
        load_corpus(meld, "meld")


@pytest.mark.parametrize("spelling", ["Evalution.txt", "Evaluation.txt"])
def test_msp_improv(touch, spelling):
    names = ["F01-S-FM01", "M01-R-MF02", "M01-P-MF03", "M01-P-MF04"]
    folder = "Audio/session1/S01A/S"
    home = touch(
        *(f"{folder}/MSP-IMPROV-S01A-{name}.wav" for name in names),
        "Video/session1/S01A/S/UTD-IMPROV-S01A-F01-S-FM01.avi",
    )
    (home / spelling).write_text(MSP)
    speech = load_corpus(home)
    kept = [f"MSP-IMPROV-S01A-{name}.wav" for name in (names[0], names[3], names[1])]
    assert sorted(path.rpartition("/")[2] for path in speech.paths) == kept
    frame = speech.frame.set_index("clip").sort_index()
    assert frame["emotion"].tolist() == ["neutral", "other", "angry"]
    assert frame["speaker"].tolist() == ["msp_improv-F01", "msp_improv-M01", "msp_improv-M01"]
    assert frame["gender"].tolist() == ["female", "male", "male"]
    assert frame["intended"].tolist() == ["angry"] * 3
    assert frame["scenario"].tolist() == ["S", "P", "R"]
    assert speech.DESCR.endswith("1 of 4 recordings have no agreed label: left out.\n")
