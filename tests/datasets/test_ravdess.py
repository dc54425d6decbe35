import pytest

from skser.datasets import load_ravdess
from skser.exceptions import DataError, ParameterError


def test_fields(touch):
    speech = load_ravdess(touch("Actor_12/03-01-06-01-02-01-12.wav"))
    assert speech.frame.iloc[0].to_dict() == {
        "path": speech.paths[0],
        "emotion": "fear",
        "speaker": "ravdess-12",
        "corpus": "ravdess",
        "modality": "audio-only",
        "channel": "speech",
        "intensity": "normal",
        "sentence": "Dogs are sitting by the door",
        "repetition": "01",
        "gender": "female",
    }


def test_emotions_and_genders(touch):
    home = touch(*(f"03-01-{i:02d}-01-01-01-{i:02d}.wav" for i in range(1, 9)))
    speech = load_ravdess(home)
    assert speech.target.tolist() == (
        ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]
    )
    assert speech.frame["gender"].tolist() == ["male", "female"] * 4
    assert speech.groups.tolist() == [f"ravdess-{i:02d}" for i in range(1, 9)]


def test_kaggle_copy_counts_once(touch):
    name = "Actor_01/03-01-03-01-01-01-01.wav"
    home = touch(name, f"audio_speech_actors_01-24/{name}")
    assert load_ravdess(home).paths.tolist() == [str(home / name)]


def test_least_nested_of_equal_names_is_taken(touch):
    home = touch("A/B/03-01-03-01-01-01-01.wav", "x/03-01-03-01-01-01-01.wav")
    assert load_ravdess(home).paths.tolist() == [str(home / "x/03-01-03-01-01-01-01.wav")]


def test_videos(touch):
    home = touch(
        "01-01-03-01-01-01-01.mp4",  # the sound of this one is the next
        "03-01-03-01-01-01-01.wav",
        "01-01-04-01-01-01-01.mp4",
        "02-01-05-01-01-01-01.mp4",
    )
    speech = load_ravdess(home)
    assert speech.frame["emotion"].tolist() == ["sad", "happy"]
    assert speech.frame["modality"].tolist() == ["audio-video", "audio-only"]
    assert speech.paths.tolist() == sorted(speech.paths)


@pytest.mark.parametrize(
    ("channel", "channels"),
    [("speech", ["speech"]), ("song", ["song"]), ("both", ["speech", "song"])],
)
def test_channels(touch, channel, channels):
    home = touch("03-01-03-01-01-01-01.wav", "03-02-03-01-01-01-01.wav")
    speech = load_ravdess(home, channel=channel)
    assert speech.frame["channel"].tolist() == channels
    paths, _ = load_ravdess(home, channel=channel, return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()


def test_unknown_channel(touch):
    with pytest.raises(ParameterError, match=r"channel.*'both'.*got 'songs';.*'song'"):
        load_ravdess(touch("03-01-03-01-01-01-01.wav"), channel="songs")


def test_empty_channel(touch):
    home = touch("03-01-03-01-01-01-01.wav", "02-02-03-01-01-01-01.mp4")
    with pytest.raises(DataError, match=r"no song .*1 song video-only, 1 speech audio-only"):
        load_ravdess(home, channel="song")


def test_silent_videos_only(touch):
    home = touch("02-01-03-01-01-01-01.mp4")
    with pytest.raises(DataError, match=r"no speech or song .*1 speech video-only"):
        load_ravdess(home, channel="both")
