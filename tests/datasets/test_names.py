"""Corpora with informative file names: CREMA-D, TESS, SAVEE, EmoDB, EMOVO (and RAVDESS)."""

from pathlib import Path

import pytest

from skser.datasets import (
    EMOTIONS,
    load_crema_d,
    load_emodb,
    load_emovo,
    load_ravdess,
    load_savee,
    load_tess,
)
from skser.datasets.auto import LOADERS, NAMED
from skser.exceptions import DataError

ROWS = [
    (load_crema_d, "AudioWAV/1001_DFA_ANG_XX.wav", "angry", "crema_d-1001", "DFA unspecified"),
    (load_crema_d, "1091_IEO_DIS_LO.flac", "disgust", "crema_d-1091", "IEO low"),
    (load_crema_d, "1002_IEO_FEA_MD.wav", "fear", "crema_d-1002", "IEO medium"),
    (load_crema_d, "1002_IEO_HAP_HI.wav", "happy", "crema_d-1002", "IEO high"),
    (load_crema_d, "1003_TSI_NEU_XX.mp3", "neutral", "crema_d-1003", "TSI unspecified"),
    (load_crema_d, "1040_ITH_SAD_X.wav", "sad", "crema_d-1040", "ITH unspecified"),
    (load_tess, "OAF_angry/OAF_back_angry.wav", "angry", "tess-OAF", "back female"),
    (load_tess, "YAF_bar_disgust.wav", "disgust", "tess-YAF", "bar female"),
    (load_tess, "OAF_Fear/OAF_base_fear.wav", "fear", "tess-OAF", "base female"),
    (load_tess, "YAF_bath_happy.wav", "happy", "tess-YAF", "bath female"),
    (load_tess, "OAF_neutral/OA_bite_neutral.wav", "neutral", "tess-OAF", "bite female"),
    (load_tess, "OAF_Pleasant_surprise/OAF_bean_ps.wav", "surprise", "tess-OAF", "bean female"),
    (load_tess, "YAF_pleasant_surprised/YAF_beg_ps.wav", "surprise", "tess-YAF", "beg female"),
    (load_tess, "OAF_Sad/OAF_bone_sad.WAV", "sad", "tess-OAF", "bone female"),
    (load_savee, "AudioData/DC/a01.wav", "angry", "savee-DC", "01 male"),
    (load_savee, "AudioData/JE/sa15.wav", "sad", "savee-JE", "15 male"),
    (load_savee, "AudioData/JK/su09.wav", "surprise", "savee-JK", "09 male"),
    (load_savee, "ALL/KL_n30.wav", "neutral", "savee-KL", "30 male"),
    (load_savee, "ALL/DC_d02.wav", "disgust", "savee-DC", "02 male"),
    (load_savee, "ALL/DC_f02.wav", "fear", "savee-DC", "02 male"),
    (load_savee, "ALL/DC_h02.wav", "happy", "savee-DC", "02 male"),
    (load_emodb, "wav/03a01Fa.wav", "happy", "emodb-03", "a01 a male"),
    (load_emodb, "08b10Wb.wav", "angry", "emodb-08", "b10 b female"),
    (load_emodb, "09a02La.wav", "boredom", "emodb-09", "a02 a female"),
    (load_emodb, "10a02Ea.wav", "disgust", "emodb-10", "a02 a male"),
    (load_emodb, "14a02Aa.wav", "fear", "emodb-14", "a02 a female"),
    (load_emodb, "16a02Tc.wav", "sad", "emodb-16", "a02 c female"),
    (load_emodb, "15a02N.flac", "neutral", "emodb-15", "a02  male"),
    (load_emovo, "f1/dis-f1-b1.wav", "disgust", "emovo-f1", "b1 female"),
    (load_emovo, "f2/gio-f2-l4.wav", "happy", "emovo-f2", "l4 female"),
    (load_emovo, "f3/neu-f3-n5.wav", "neutral", "emovo-f3", "n5 female"),
    (load_emovo, "m1/pau-m1-d2.wav", "fear", "emovo-m1", "d2 male"),
    (load_emovo, "m2/rab-m2-b3.wav", "angry", "emovo-m2", "b3 male"),
    (load_emovo, "m3/sor-m3-b3.wav", "surprise", "emovo-m3", "b3 male"),
    (load_emovo, "m3/tri-m3-b3.wav", "sad", "emovo-m3", "b3 male"),
]


@pytest.mark.parametrize(("load", "name", "emotion", "speaker", "fields"), ROWS)
def test_names(touch, load, name, emotion, speaker, fields):
    home = touch(name, "readme.txt", "._x.wav")
    speech = load(home)
    assert speech.paths.tolist() == [str(home / name)]
    assert speech.target.tolist() == [emotion]
    assert speech.groups.tolist() == [speaker]
    row = speech.frame.iloc[0].tolist()
    assert row[:4] == [str(home / name), emotion, speaker, speaker.split("-")[0]]
    assert " ".join(row[4:]) == fields
    paths, target = load(home, return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == speech.target.tolist()


def test_columns(touch):
    assert list(load_emodb(touch("03a01Fa.wav")).frame) == [
        "path",
        "emotion",
        "speaker",
        "corpus",
        "sentence",
        "version",
        "gender",
    ]


def test_genders_of_emodb(touch):
    speakers = ["03", "08", "09", *map(str, range(10, 17))]
    frame = load_emodb(touch(*(f"{speaker}a01Fa.wav" for speaker in speakers))).frame
    assert "".join(gender[0] for gender in frame["gender"]) == "mffmmmffmf"


@pytest.mark.parametrize(
    ("load", "good", "bad", "corpus", "example"),
    [
        (load_crema_d, "1001_DFA_ANG_XX", "1001_DFA_BOR_XX", "crema_d", "1001_DFA_ANG_XX.wav"),
        (load_tess, "OAF_back_angry", "OBF_back_angry", "tess", "OAF_back_angry.wav"),
        (load_savee, "DC_a01", "DX_a01", "savee", "DC/a01.wav or DC_a01.wav"),
        (load_emodb, "03a01Fa", "04a01Fa", "emodb", "03a01Fa.wav"),
        (load_emovo, "dis-f1-b1", "dis-x1-b1", "emovo", "dis-f1-b1.wav"),
        (
            load_ravdess,
            "03-01-06-01-02-01-12",
            "03-01-09-01-02-01-12",
            "ravdess",
            "03-01-06-01-02-01-12.wav",
        ),
    ],
)
def test_unknown_names_are_an_error(touch, load, good, bad, corpus, example):
    home = touch(f"{good}.wav", f"x/{bad}.wav", f"{good}-copy.wav", f"copy-{good}.wav")
    names = sorted([f"{good}-copy.wav", f"copy-{good}.wav", f"x/{bad}.wav"])
    names = ", ".join(name.removeprefix("x/") for name in names)
    with pytest.raises(DataError, match=rf"3 of 4 .* {corpus} .*{example}.*: {names}"):
        load(home)


def test_ten_unknown_names_are_listed(touch):
    home = touch(*(f"{i:02d}.wav" for i in range(12)))
    with pytest.raises(DataError, match=r"12 of 12 .*: 00\.wav, .*, 09\.wav and 2 more"):
        load_emovo(home)


def test_kaggle_copy_of_tess_counts_once(touch):
    inner = "TESS Toronto emotional speech set data"
    names = ["OAF_Fear/OAF_back_fear.wav", "YAF_sad/YAF_back_sad.wav"]
    home = touch(*names, *(f"{inner}/{name}" for name in names))
    assert load_tess(home).paths.tolist() == [str(home / name) for name in names]


def test_speaker_folder_of_savee_may_be_data_home(touch, monkeypatch):
    home = touch("AudioData/DC/a01.wav", "AudioData/JE/a01.wav")
    assert load_savee(home).groups.tolist() == ["savee-DC", "savee-JE"]
    monkeypatch.chdir(home / "AudioData" / "DC")
    speech = load_savee(".")
    assert speech.groups.tolist() == ["savee-DC"]
    assert speech.paths.tolist() == ["a01.wav"]


def test_order_does_not_depend_on_the_disk(touch):
    names = [f"{folder}/dis-{folder}-b{i}.wav" for folder in ("m1", "f1") for i in (3, 1, 2)]
    home = touch(*names)
    assert load_emovo(home).paths.tolist() == sorted(str(home / name) for name in names)


@pytest.mark.parametrize("corpus", NAMED, ids=lambda corpus: corpus.name)
def test_tables(corpus):
    assert corpus.name in LOADERS
    assert "Citation: " in corpus.descr
    assert "Licence: " in corpus.descr
    others = {"baved": {"low", "normal", "high"}, "iemocap": {"excited", "frustrated", "other"}}
    others = {*EMOTIONS, "other", *others.get(corpus.name, ())}
    assert set(corpus.codes["emotion"].values()) <= others
    if corpus.labels is None:
        assert {"speaker", "emotion"} <= set(corpus.pattern.groupindex)
    assert corpus.match(Path(corpus.example.rpartition(" or ")[2]))


@pytest.mark.parametrize(
    ("load", "folder", "n_clips", "n_speakers", "counts"),
    [
        (load_emodb, "emodb4", 339, 10, {"angry": 127, "happy": 71, "neutral": 79, "sad": 62}),
        (
            load_emovo,
            "emovo",
            588,
            6,
            dict.fromkeys(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"], 84),
        ),
        (
            load_ravdess,
            "ravdess",
            1440,
            24,
            dict.fromkeys(["angry", "calm", "disgust", "fear", "happy", "sad", "surprise"], 192)
            | {"neutral": 96},
        ),
    ],
)
def test_real_corpora(speech_home, load, folder, n_clips, n_speakers, counts):
    speech = load(speech_home / folder)
    assert len(speech.paths) == n_clips
    assert len(set(speech.groups)) == n_speakers
    assert speech.frame["emotion"].value_counts().to_dict() == counts
    assert len(speech.frame.groupby("speaker")["gender"].unique()) == n_speakers
