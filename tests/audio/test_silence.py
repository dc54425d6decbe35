import warnings

import numpy as np
import pytest

from skser import AudioLoader, Segment, read_audio
from skser.audio._forms import as_recordings
from skser.audio._sampled import Waveform
from skser.audio._silence import is_silent, is_silent_recording, warn_of_silence
from skser.audio._streaming import slices
from skser.exceptions import AudioWarning

from .samples import encode, noise

SR = 16000
STEP = 2.0**-15  # of 16 bits
ZEROS = np.zeros(SR, np.float32)


def dither(n_samples=SR):
    """Digital silence with triangular dither, in 16 bits."""
    rng = np.random.default_rng(0)
    return np.round(rng.uniform(-0.5, 0.5, (n_samples, 2)).sum(axis=1)).astype(np.float32) * STEP


def spoken(level, seconds=0.3):
    """A word in the middle of a minute of digital silence."""
    waveform = np.zeros(60 * SR, np.float32)
    word = np.random.default_rng(0).normal(0, level, round(seconds * SR))
    waveform[30 * SR : 30 * SR + len(word)] = word
    return waveform


def silent(waveform, sr=SR):
    return is_silent(slices(np.asarray(waveform, np.float32)), sr)


@pytest.mark.parametrize(
    "waveform",
    [
        ZEROS,
        ZEROS + 0.3,
        ZEROS - 1.0,
        dither(),
        dither() + 0.1,
        ZEROS[:1],
        ZEROS[:100] + 0.1,
        ZEROS[:2000],
        np.linspace(0.001, 0.0, SR),  # an offset that drifts
        1e-6 * noise(SR)[:, 0],  # of 24 bits
    ],
)
def test_silence(waveform):
    assert silent(waveform)
    assert is_silent(list(np.array_split(np.float32(waveform), 7)), SR)


@pytest.mark.parametrize(
    "waveform",
    [
        3 * STEP * np.sin(0.05 * np.arange(SR)),
        0.5 + 3 * STEP * np.sin(0.05 * np.arange(SR)),
        np.round(2 * np.random.default_rng(0).normal(size=SR)) * STEP,
        spoken(10 * STEP),
        spoken(2 * STEP, seconds=0.05),
        0.1 * noise(500)[:, 0],
        0.1 * noise(100)[:, 0],
    ],
)
def test_quiet_speech_is_no_silence(waveform):
    assert not silent(waveform)
    assert not is_silent(list(np.array_split(np.float32(waveform), 7)), SR)


@pytest.mark.parametrize(
    "format", ["WAV/PCM_16", "WAV/PCM_U8", "WAV/ULAW", "WAV/ALAW", "FLAC/PCM_24"]
)
@pytest.mark.parametrize("sr", [8000, 44100])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_constants_stay_silent_when_they_are_resampled(format, sr, level):
    content = encode(np.full((sr, 2), level), sr, format=format)
    for to_sr in (None, 16000, 22050):
        assert silent(*read_audio(content, to_sr))
    assert is_silent_recording(content)


@pytest.mark.parametrize("format", ["MP3/MPEG_LAYER_III", "OGG/VORBIS"])
def test_coded_silence(format):
    assert is_silent_recording(encode(np.zeros((32000, 1)), 16000, format=format))
    assert is_silent_recording(encode(dither()[:, np.newaxis], 16000, format=format))
    assert not is_silent_recording(encode(0.001 * noise(32000), 16000, format=format))


def test_parts_of_recordings(tmp_path):
    path = tmp_path / "late.wav"
    waveform = np.concatenate([np.zeros((SR, 1)), 0.1 * noise(SR)])
    path.write_bytes(encode(waveform))
    late = waveform[:, 0].astype(np.float32)
    for recording in (str(path), path.read_bytes(), late, Waveform(late, SR)):
        assert is_silent_recording(recording, duration=1.0)
        assert not is_silent_recording(recording)
        assert not is_silent_recording(recording, offset=1.0)
    assert is_silent_recording(Segment(path, 0.0, 0.9))
    assert not is_silent_recording(Segment(path, 0.5))
    assert is_silent_recording(Segment(path, 0.5), duration=0.4)


def test_a_sound_ends_the_decoding():
    def blocks():
        yield 0.1 * noise(SR)[:, 0].astype(np.float32)
        raise AssertionError("read further")

    assert not is_silent(blocks(), SR)


def test_warning_names_some_and_counts_all(tmp_path):
    paths = [tmp_path / f"{i}.wav" for i in range(5)]
    for path in paths:
        path.write_bytes(encode(np.zeros((SR, 1))))
    good = tmp_path / "good.wav"
    good.write_bytes(encode(0.1 * noise(SR)))
    with pytest.warns(AudioWarning) as caught:
        warn_of_silence(as_recordings([*paths, good, tmp_path / "missing.wav", ZEROS]), None, 1)
    (message,) = [str(warning.message) for warning in caught]
    assert message.startswith("6 of 8 recordings are silent or constant")
    assert [name in message for name in ("0.wav", "2.wav", "3.wav", ", ...")] == [
        True,
        True,
        False,
        True,
    ]
    assert len(message) < 300
    with pytest.warns(AudioWarning, match=r"1 of 2 .*: recording 1; .*check_audio"):
        warn_of_silence(as_recordings([good, ZEROS]), None, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_silence(as_recordings([good, "missing.wav"]), None, 1)


def test_the_channel_of_the_loader_decides(tmp_path):
    half = np.stack([0.1 * noise(SR)[:, 0], ZEROS], axis=1)
    path = tmp_path / "call.wav"
    path.write_bytes(encode(half))
    for recording in (str(path), path.read_bytes(), Waveform(half.astype("f4"), SR)):
        silent = [is_silent_recording(recording, channel=c) for c in ("mean", 0, 1)]
        assert silent == [False, False, True]
    with pytest.warns(AudioWarning, match="1 of 1 recording is silent"):
        warn_of_silence([str(path)], AudioLoader(channel=1), 1)
