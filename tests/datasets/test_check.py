import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skser.datasets import check_audio
from skser.exceptions import DataError, ParameterError

from ..audio.samples import encode, noise, write_container

COLUMNS = ["path", "problem", "sr", "n_channels", "duration", "format"]


@pytest.fixture
def recordings(tmp_path):
    """A folder of good and bad recordings."""
    damaged = bytearray(encode(noise(48000), format="FLAC/PCM_16"))
    damaged[40000:40600] = bytes(600)
    contents = {
        "0 good.wav": encode(noise(8000, 2), 8000),
        "1 damaged.flac": bytes(damaged),
        "2 empty.wav": b"",
        "3 text.wav": b"no audio at all\n" * 9,
        "5 long.wav": encode(noise(4000 * 11), 4000),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in sorted([*contents, "4 missing.wav"])]


def test_table(recordings):
    table = check_audio(recordings, max_duration=10)
    assert table.columns.tolist() == COLUMNS
    assert table["path"].tolist() == [str(path) for path in recordings]
    assert table["problem"].tolist() == [
        None,
        "cannot be decoded (Error : flac decoder lost sync.)",
        "is empty (0 bytes)",
        "is text, not a recording",
        "does not exist",
        "is 11.0 s long, allowed is max_duration=10 s",
    ]
    known = table["sr"].notna()
    assert known.tolist() == [True, True, False, False, False, True]
    assert table[~known].drop(columns=["path", "problem"]).isna().all(axis=None)
    facts = table.loc[known, ["sr", "n_channels", "duration", "format"]]
    assert facts.to_numpy().tolist() == [
        [8000, 2, 1.0, "WAV/PCM_16"],
        [16000, 1, 3.0, "FLAC/PCM_16"],
        [4000, 1, 11.0, "WAV/PCM_16"],
    ]


@pytest.mark.parametrize("level", [0.0, 0.25])
@pytest.mark.parametrize("format", ["WAV/PCM_16", "FLAC/PCM_24"])
def test_silent_recordings(tmp_path, level, format):
    path = tmp_path / "silent.wav"
    path.write_bytes(encode(np.full((44100, 2), level), 44100, format=format))
    (row,) = check_audio([path]).to_dict("records")
    assert row["problem"] == "is silent or constant"
    assert (row["sr"], row["duration"], row["format"]) == (44100, 1.0, format)
    quiet = np.concatenate([np.zeros((44100, 2)), 0.001 * noise(4410, 2), np.zeros((44100, 2))])
    path.write_bytes(encode(level + quiet, 44100, format=format))
    assert check_audio([path])["problem"].tolist() == [None]


def test_usable_recordings(recordings):
    table = check_audio(recordings, max_duration=None)
    usable = table["path"][table["problem"].isna()]
    assert [Path(path).name for path in usable] == ["0 good.wav", "5 long.wav"]
    assert check_audio(usable)["problem"].isna().all()


@pytest.mark.parametrize(
    "kind",
    [list, tuple, np.array, lambda paths: pd.Series(paths, index=range(9, 15)), iter],
    ids=["list", "tuple", "array", "Series", "iterator"],
)
def test_same_table_for_any_sequence(recordings, kind):
    paths = [str(path) for path in recordings]
    pd.testing.assert_frame_equal(check_audio(kind(paths)), check_audio(recordings))


def test_column_types_do_not_depend_on_the_problems(recordings):
    types = check_audio(recordings).dtypes.tolist()
    for part in (recordings[:1], recordings[2:5]):
        assert check_audio(part).dtypes.tolist() == types


def test_missing_pyav_is_a_problem_of_the_videos(recordings, tmp_path, monkeypatch):
    pytest.importorskip("av")
    write_container(str(tmp_path / "a.m4a"), "mp4", "aac")
    paths = [tmp_path / "a.m4a", recordings[0]]
    assert check_audio(paths)["problem"].isna().all()
    paths[0] = paths[0].rename(tmp_path / "not yet read.m4a")
    monkeypatch.setitem(sys.modules, "av", None)
    assert check_audio(paths)["problem"].tolist() == [
        "MP4 or MOV needs PyAV: python -m pip install 'skser[video]'",
        None,
    ]


def test_progress_bar(recordings, capsys, monkeypatch):
    monkeypatch.setattr("skser._utils._progress.DELAY", 0)
    check_audio(recordings[:1])
    assert capsys.readouterr().err == ""
    check_audio(recordings[:1], verbose=1)
    assert "checking" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("a.wav", "paths.*sequence.*'a.wav'"),
        (None, "paths.*sequence.*None"),
        ([], "paths.*at least one"),
        (["a.wav", b"RIFF"], "paths.*bytes.*1"),
        (np.zeros((2, 9)), "paths.*ndarray.*0"),
    ],
)
def test_invalid_paths(paths, message):
    with pytest.raises(DataError, match=message):
        check_audio(paths)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_duration": 0}, "max_duration.*above 0.*got 0"),
        ({"verbose": -1}, "verbose.*got -1"),
    ],
)
def test_invalid_parameters(parameters, message):
    with pytest.raises(ParameterError, match=message):
        check_audio(["a.wav"], **parameters)


def test_real_speech(speech_home, tmp_path):
    paths = sorted((speech_home / "originals").glob("*.wav"))[:4]
    copy = tmp_path / "cut.wav"
    shutil.copy(paths[0], copy)
    copy.write_bytes(copy.read_bytes()[:9000])
    table = check_audio([*paths, copy])
    assert table["problem"].isna().tolist() == [True] * 4 + [False]
    assert table["problem"].iloc[-1].startswith("is truncated, its header promises ")
