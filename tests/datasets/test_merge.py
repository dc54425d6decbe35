import numpy as np
import pytest
from sklearn.utils import Bunch

from skser.datasets import (
    load_emodb,
    load_emovo,
    load_folder,
    load_manifest,
    load_ravdess,
    make_emotional_speech,
    merge_corpora,
)
from skser.exceptions import DataError
from skser.persistence import ModelInfo


def test_merge(touch):
    home = touch("de/03a01Fa.wav", "it/gio-f1-b1.wav", "it/rab-m1-b1.wav")
    german, italian = load_emodb(home / "de"), load_emovo(home / "it")
    speech = merge_corpora(italian, german)
    assert speech.paths.tolist() == [*italian.paths, *german.paths]
    assert speech.target.tolist() == ["happy", "angry", "happy"]
    assert speech.groups.tolist() == ["emovo-f1", "emovo-m1", "emodb-03"]
    assert speech.frame["corpus"].tolist() == ["emovo", "emovo", "emodb"]
    assert speech.frame["gender"].tolist() == ["female", "male", "male"]
    assert speech.frame["version"].isna().tolist() == [True, True, False]
    assert speech.frame.index.tolist() == [0, 1, 2]
    assert speech["DESCR"] == f"{italian.DESCR}\n{german.DESCR}"


def test_parts_of_one_corpus_share_speakers(touch):
    home = touch("03-01-03-01-01-01-01.wav", "03-02-03-01-01-01-01.wav")
    merged = merge_corpora(load_ravdess(home, channel="song"), load_ravdess(home))
    assert merged.groups.tolist() == ["ravdess-01", "ravdess-01"]
    assert merged.DESCR == load_ravdess(home).DESCR


def test_equal_names_in_two_corpora_are_two_speakers(touch):
    home = touch("a/calm/01-1.wav", "a/sad/02-1.wav", "b/calm/01-1.wav", "b/sad/b-2.wav")
    a, b = (load_folder(home / name, speaker=r"/(\w+)-") for name in "ab")
    assert merge_corpora(a, b).groups.tolist() == ["a-01", "a-02", "b-01", "b-b"]


def test_unknown_speakers_are_one_group_per_corpus(touch):
    home = touch("a/calm/1.wav", "a/sad/2.wav", "it/gio-f1-b1.wav")
    table = home / "calls.csv"
    table.write_text("FileName,Emotion\nx.wav,sad\n")
    merged = merge_corpora(load_folder(home / "a"), load_emovo(home / "it"), load_manifest(table))
    assert merged.groups.tolist() == ["a-unknown", "a-unknown", "emovo-f1", "calls-unknown"]


def test_no_speakers_at_all(touch):
    home = touch("a/calm/1.wav", "a/sad/2.wav", "b/calm/1.wav", "b/sad/2.wav")
    merged = merge_corpora(load_folder(home / "a"), load_folder(home / "b"))
    assert merged.groups is None
    assert len(merged.paths) == 4


def test_merging_twice_changes_nothing(touch):
    home = touch("a/calm/01-1.wav", "a/sad/02-1.wav", "it/gio-f1-b1.wav")
    once = merge_corpora(load_folder(home / "a", speaker=r"/(\w+)-"), load_emovo(home / "it"))
    assert merge_corpora(once).frame.equals(once.frame)


def test_recording_in_two_corpora(touch):
    home = touch("it/gio-f1-b1.wav")
    with pytest.raises(DataError, match=r"1 of 2 .*in more than one corpus: .*gio-f1-b1"):
        merge_corpora(load_emovo(home), load_emovo(home / "it"))


def test_nothing_to_merge():
    with pytest.raises(DataError, match="at least one corpus"):
        merge_corpora()


def test_not_a_corpus(touch):
    home = touch("gio-f1-b1.wav")
    with pytest.raises(DataError, match=r"return_X_y.*argument 1 is a tuple"):
        merge_corpora(load_emovo(home), load_emovo(home, return_X_y=True))


def waveforms(seed, corpus="synthetic", sr=16000):
    size = {"n_speakers": 1, "n_sentences": 1, "n_takes": 1, "duration": (0.5, 0.6)}
    speech = make_emotional_speech(emotions=["angry", "sad"], sr=sr, random_state=seed, **size)
    speech.frame["corpus"] = corpus
    return speech


def test_waveforms():
    first, second = waveforms(0), waveforms(1, "phone")
    speech = merge_corpora(first, second)
    assert sorted(speech) == sorted(first)
    assert speech.sr == 16000
    for merged, clip in zip(speech.waveforms, first.waveforms + second.waveforms, strict=True):
        assert merged is clip
    assert speech.target.tolist() == ["angry", "sad"] * 2
    assert speech.groups.tolist() == ["synthetic-f01"] * 2 + ["phone-synthetic-f01"] * 2
    assert speech.frame.columns.tolist() == first.frame.columns.tolist()
    sad = merge_corpora(first, second, labels=["sad"])
    assert [id(w) for w in sad.waveforms] == [id(first.waveforms[1]), id(second.waveforms[1])]


def test_waveforms_of_several_rates_keep_them():
    first, second = waveforms(0), waveforms(1, "phone", sr=8000)
    speech = merge_corpora(first, second)
    assert "sr" not in speech
    assert [rate for _, rate in speech.waveforms] == [16000, 16000, 8000, 8000]
    assert speech.waveforms[2][0] is second.waveforms[0]


def test_waveforms_in_two_corpora():
    speech = waveforms(0)
    with pytest.raises(
        DataError, match=r"2 of 4 .*in more than one corpus: waveform 2, waveform 3"
    ):
        merge_corpora(speech, speech)
    rows = Bunch(**{**speech, "waveforms": np.stack([w[:4000] for w in speech.waveforms])})
    with pytest.raises(DataError, match=r"2 of 4 .*in more than one corpus"):
        merge_corpora(rows, rows)
    with pytest.raises(DataError, match=r"2 of 6 .*in more than one corpus"):
        merge_corpora(speech, waveforms(1, "phone", sr=8000), speech)


def test_as_many_waveforms_as_rows():
    speech = waveforms(0)
    with pytest.raises(DataError, match="argument 1 has 1 waveforms and 2 rows"):
        merge_corpora(waveforms(1), Bunch(**{**speech, "waveforms": speech.waveforms[:1]}))


def test_features_are_not_merged():
    with pytest.raises(DataError, match="merges no features, argument 0 has data"):
        merge_corpora(Bunch(**waveforms(0), data=np.eye(2)))


def test_waveforms_and_files(touch):
    german = load_emodb(touch("de/03a01Fa.wav") / "de")
    with pytest.raises(DataError, match="argument 1 has paths, argument 0 has waveforms"):
        merge_corpora(waveforms(0), german)


def test_frames_without_columns():
    speech = waveforms(0)
    frame = speech.frame.drop(columns="corpus")
    with pytest.raises(DataError, match="needs a column corpus in each frame; argument 1 has emo"):
        merge_corpora(speech, Bunch(**{**speech, "frame": frame}))
    del speech["waveforms"]
    with pytest.raises(DataError, match="needs paths or waveforms; argument 0 has none"):
        merge_corpora(speech)


def test_some_labels(touch):
    home = touch("de/03a01Fa.wav", "de/03a01Wa.wav", "it/gio-f1-b1.wav", "it/rab-m1-b1.wav")
    german, italian = load_emodb(home / "de"), load_emovo(home / "it")
    speech = merge_corpora(german, italian, labels=["happy"])
    assert speech.target.tolist() == ["happy", "happy"]
    assert speech.groups.tolist() == ["emodb-03", "emovo-f1"]
    assert speech.frame.index.tolist() == [0, 1]
    assert merge_corpora(italian, labels=["happy", "angry"]).frame.equals(italian.frame)


@pytest.mark.parametrize(
    ("labels", "got"), [(["happy", "joyful"], "'joyful'"), ([], "none"), ("joy", "'joy'")]
)
def test_unknown_labels(touch, labels, got):
    home = touch("it/gio-f1-b1.wav", "it/rab-m1-b1.wav")
    with pytest.raises(DataError, match=rf"labels must be .*\(angry, happy\), got {got}"):
        merge_corpora(load_emovo(home / "it"), labels=labels)


def test_a_model_of_merged_corpora_names_all_licences(touch):
    home = touch("de/03a01Fa.wav", "it/gio-f1-b1.wav", "en/03-01-03-01-01-01-01.wav")
    parts = [load_emodb(home / "de"), load_emovo(home / "it"), load_ravdess(home / "en")]
    info = ModelInfo.of(merge_corpora(*parts))
    assert info.corpora == ("emodb", "emovo", "ravdess")
    assert list(info.licences) == [ModelInfo.of(part).licences[0] for part in parts]
    assert info.n_speakers == 3
