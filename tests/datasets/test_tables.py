"""Corpora that are tables of names: real published names, made as empty files."""

import re
from pathlib import Path

import pytest

from skser.datasets import EMOTIONS, NamedCorpus, load_corpus
from skser.datasets.auto import NAMED, TABLES, recognise
from skser.exceptions import DataError, ParameterError

# corpus, published name, emotion, speaker, and the other columns
ROWS = [
    ("aesdd", "anger/a03 (4).wav", "angry", "4", {"sentence": "03", "take": ""}),
    ("aesdd", "anger/a06 (5)b.wav", "angry", "5", {"sentence": "06", "take": "b"}),
    ("aesdd", "fear/f10 (01).wav", "fear", "1", {"sentence": "10"}),
    ("aesdd", "fear/f18 (5)b.wav", "fear", "5", {"take": "b"}),
    ("aesdd", "happiness/h09 (6).wav", "happy", "6", {}),
    ("baved", "0/0-m-21-0-1-105.wav", "normal", "0", {"gender": "male", "age": "21"}),
    ("baved", "0/100-f-6-0-0-0.wav", "low", "100", {"gender": "female", "word": "0"}),
    ("baved", "0/103-f-22-0-2-8.wav", "high", "103", {"number": "8"}),
    ("cafe", "Colère/Faible/01-C-1-1.wav", "angry", "01", {"gender": "male", "intensity": "low"}),
    ("cafe", "Neutre/12-N-1-6.aiff", "neutral", "12", {"gender": "female", "sentence": "6"}),
    ("cafe", "Tristesse/Fort/07-T-2-3.wav", "sad", "07", {"gender": "male", "intensity": "high"}),
    ("emouerj", "emoUERJ/m03s08.wav", "sad", "m03", {"gender": "male", "take": "08"}),
    ("emouerj", "w04a11.wav", "angry", "w04", {"gender": "female", "take": "11"}),
    ("enterface", "subject 19/anger/sentence 4/s19_an_4.avi", "angry", "19", {"sentence": "4"}),
    ("enterface", "subject 11/happiness/sentence 1/s12_ha_1.avi", "happy", "11", {}),
    ("enterface", "subject 16/surprise/sentence 3/s16_su_3avi.avi", "surprise", "16", {}),
    ("enterface", "subject 3/sadness/sentence 1/s_3_sa_1.avi", "sad", "3", {}),
    ("esd", "0011/Angry/0011_000351.wav", "angry", "0011", {"gender": "male", "part": ""}),
    ("esd", "0001/Sad/evaluation/0001_001051.wav", "sad", "0001", {"part": "evaluation"}),
    ("esd", "0003/Surprise/evaluation/0003_001401.wav", "surprise", "0003", {"gender": "female"}),
    ("esd", "0020/Neutral/train/0020_000021.wav", "neutral", "0020", {"utterance": "000021"}),
    ("mesd", "Anger_C_A_abajo.wav", "angry", "child", {"word": "abajo", "word_corpus": "A"}),
    ("mesd", "Sadness_F_B_buenas tardes.wav", "sad", "female", {"word": "buenas tardes"}),
    ("nemo", "samples/EB0_anger_1.wav", "angry", "EB0", {"gender": "female", "sentence": "1"}),
    ("nemo", "SM0_surprised_8.wav", "surprise", "SM0", {"gender": "male"}),
    ("nemo", "IC0_happiness_40.wav", "happy", "IC0", {"gender": "female"}),
    ("shemo", "female/F01A01.wav", "angry", "F01", {"gender": "female", "utterance": "01"}),
    ("shemo", "male/M12W07.wav", "surprise", "M12", {"gender": "male"}),
    ("shemo", "male/M21F01.wav", "fear", "M21", {}),
    ("subesco", "F_01_OISHI_S_10_ANGRY_1.wav", "angry", "F_01", {"actor": "OISHI"}),
    ("subesco", "F_02_MONIKA_S_2_SURPRISE_3].wav", "surprise", "F_02", {"take": "3"}),
    ("turev_db", "Sound Source/Angry/1157_kz_beste.wav", "angry", "1157", {"word": "beste"}),
    ("turev_db", "Sound Source/Calm/6783_sk_firildak.wav", "calm", "6783", {}),
    ("turev_db", "Sound Source/Happy/1358_mt_cay.wav", "happy", "1358", {}),
    ("turev_db", "Sound Source/Sad/1234_hl_acik.wav", "sad", "1234", {}),
    ("urdu", "Angry/SM4_F48_A0100.wav", "angry", "SM4", {"gender": "male", "number": "0100"}),
    ("urdu", "Happy/SF1_F10_H010.wav", "happy", "SF1", {"gender": "female"}),
    ("urdu", "Neutral/SM5_F72_N0100.wav", "neutral", "SM5", {}),
]  # fmt: skip


@pytest.mark.parametrize(("corpus", "name", "emotion", "speaker", "fields"), ROWS)
def test_names(touch, corpus, name, emotion, speaker, fields):
    home = touch(name)
    speech = load_corpus(home)  # recognised
    assert speech.frame["corpus"].tolist() == [corpus]
    assert speech.paths.tolist() == [str(home / name)]
    assert speech.target.tolist() == [emotion]
    assert speech.groups.tolist() == [f"{corpus}-{speaker}"]
    assert speech.frame[[*fields]].iloc[0].to_dict() == fields
    assert "Licence: " in speech.DESCR
    _, target = load_corpus(home, corpus, return_X_y=True)
    assert target.tolist() == [emotion]


OTHERS = {
    "crema_d": ["1001_DFA_ANG_XX.wav"],
    "emodb": ["wav/03a01Fa.wav", "15a02N.wav"],
    "emovo": ["f1/dis-f1-b1.wav"],
    "iemocap": ["Ses01F_impro01_F000.wav", "Ses05M_script01_1b_MXX0.wav"],
    "meld": ["train_splits/dia0_utt0.mp4", "output_repeated_splits_test/dia1_utt2.mp4"],
    "msp_improv": ["MSP-IMPROV-S01A-F01-P-FM01.wav", "MSP-IMPROV-S08A-F05-S-FM02.wav"],
    "ravdess": ["03-01-06-01-02-01-12.wav"],
    "savee": ["DC/a01.wav", "KL_su09.wav"],
    "tess": ["OAF_angry/OAF_back_angry.wav", "YAF_beg_ps.wav"],
}  # fmt: skip
NAMES = [(corpus, name) for corpus, name, *_ in ROWS]
NAMES += [(corpus, name) for corpus, names in OTHERS.items() for name in names]


@pytest.mark.parametrize("corpus", NAMED, ids=lambda corpus: corpus.name)
def test_no_corpus_matches_the_names_of_another(corpus):
    matched = {owner for owner, name in NAMES if corpus.match(Path(name))}
    assert matched == {corpus.name}
    own = [name for owner, name in NAMES if owner == corpus.name]
    assert all(corpus.match(Path(name)) for name in own)


@pytest.mark.parametrize(
    ("corpus", "good", "bad"),
    [
        ("aesdd", "a03 (4).wav", "x03 (4).wav"),
        ("baved", "0-m-21-0-1-105.wav", "0-m-21-7-1-105.wav"),
        ("cafe", "01-C-1-1.wav", "13-C-1-1.wav"),
        ("emouerj", "w04a11.wav", "w05a11.wav"),
        ("enterface", "subject 1/fear/sentence 1/x.avi", "subject 1/fear/sentence 6/y.avi"),
        ("esd", "Angry/0011_000351.wav", "Angry/0021_000352.wav"),
        ("mesd", "Anger_C_A_abajo.wav", "Anger_X_A_abajo.wav"),
        ("nemo", "EB0_anger_1.wav", "XX0_anger_1.wav"),
        ("shemo", "F01A01.wav", "F01X01.wav"),
        ("subesco", "F_01_OISHI_S_10_ANGRY_1.wav", "F_01_OISHI_S_11_ANGRY_1.wav"),
        ("turev_db", "1157_kz_beste.wav", "1157_xx_beste.wav"),
        ("urdu", "SM4_F48_A0100.wav", "SM4_F48_X0100.wav"),
        ("iemocap", "Ses01F_impro01_F000.wav", "Ses06F_impro01_F000.wav"),
        ("meld", "train_splits/dia0_utt0.mp4", "other/dia0_utt1.mp4"),
        ("msp_improv", "MSP-IMPROV-S01A-F01-P-FM01.wav", "MSP-IMPROV-S01A-X01-P-FM01.wav"),
    ],
)
def test_other_names_are_an_error(touch, corpus, good, bad):
    home = touch(good, bad)
    with pytest.raises(DataError, match=rf"1 of 2 .*{corpus} .*: {re.escape(Path(bad).name)}$"):
        load_corpus(home, corpus)


def test_sizes_of_designed_corpora():
    """CaFE and SUBESCO are complete designs: every name that may be is there."""
    table = {corpus.name: corpus for corpus in TABLES}
    cafe = [
        f"{actor:02d}-{emotion}-{intensity}-{sentence}.wav"
        for actor in range(1, 13)
        for emotion in "CDJNPST"
        for intensity in ([1] if emotion == "N" else [1, 2])
        for sentence in range(1, 7)
    ]
    assert len(cafe) == 936
    assert f": {len(cafe)} recordings" in table["cafe"].descr
    assert all(table["cafe"].match(Path(name)) for name in cafe)
    assert len(table["cafe"].genders) == 12
    assert sorted(table["nemo"].genders.values()) == ["female"] * 4 + ["male"] * 5
    genders = list(table["esd"].genders.values())
    assert [genders[:10].count("male"), genders[10:].count("male"), len(genders)] == [5, 5, 20]


def test_subject_6_of_enterface_is_passed_over(touch):
    good = "subject 7/fear/sentence 1/s7_fe_1.avi"
    home = touch(good, "subject 6/s6_fe.avi", "subject 6/fear/s6_fear.avi")
    assert load_corpus(home, "enterface").paths.tolist() == [str(home / good)]


def test_wav_is_preferred_to_avi(touch):
    home = touch(*(f"subject 7/fear/sentence 1/s7_fe_1.{kind}" for kind in ("avi", "wav")))
    assert load_corpus(home).paths.tolist() == [str(home / "subject 7/fear/sentence 1/s7_fe_1.wav")]


def test_unknown_folders_of_emotions_stay_folders(touch):
    assert recognise(touch("Angry/0021_000352.wav", "Sad/x.wav")) == "folder"


OWN = NamedCorpus("calls", r"/(?P<speaker>[a-z]+)_(?P<emotion>[ASx])_\d+$", "ann_A_01.wav")


def test_own_corpus(touch):
    names = ["ann_A_01.wav", "ann_A_02.wav", "bob_x_01.wav", "more/ann_A_01.wav"]
    home = touch(*names)
    own = OWN._replace(
        codes={"emotion": {"A": "angry", "S": "sad"}}, genders={"ann": "female"}, descr="My calls."
    )
    speech = load_corpus(home, own)
    assert speech.paths.tolist() == [str(home / name) for name in names]  # none counts as a copy
    assert speech.target.tolist() == ["angry", "angry", "x", "angry"]
    assert speech.groups.tolist() == ["calls-ann", "calls-ann", "calls-bob", "calls-ann"]
    assert speech.frame["gender"].tolist() == ["female", "female", "", "female"]
    assert speech.DESCR == "My calls."


def test_own_corpus_without_speakers(touch):
    own = OWN._replace(pattern=re.compile(r"_(?P<emotion>[AS])_"))
    speech = load_corpus(touch("ann_A_01.wav"), own)
    assert speech.groups is None
    assert speech.target.tolist() == ["A"]
    assert speech.DESCR == "calls: 1 recordings.\n"
    _, target = load_corpus(touch("ann_A_01.wav"), own, return_X_y=True)
    assert target.tolist() == ["A"]


@pytest.mark.parametrize("pattern", [r"/(?P<speaker>\w+)", r"(?P<emotion>", 3, None])
def test_own_corpus_needs_an_emotion(touch, pattern):
    with pytest.raises(ParameterError, match=r"pattern.*group named emotion, got"):
        load_corpus(touch("ann_A_01.wav"), OWN._replace(pattern=pattern))


def test_own_corpus_names_what_does_not_match(touch):
    with pytest.raises(DataError, match=r"1 of 2 .*calls \(such as ann_A_01\.wav\): ann\.wav$"):
        load_corpus(touch("ann_A_01.wav", "ann.wav"), OWN)


def test_emotions_of_the_tables_are_the_common_ones():
    own = {"baved", "iemocap", "msp_improv"}
    for corpus in TABLES:
        if corpus.name not in own:
            assert set(corpus.codes["emotion"].values()) <= set(EMOTIONS), corpus.name
