"""Segments far into a container: the samples of the whole, without decoding what is before."""

import numpy as np
import pytest

from skser import inspect_audio, read_audio
from skser.audio import _pyav
from skser.audio._pyav import _far_segment
from skser.audio._seeking import Decoded, find_landmarks, segment_from
from skser.exceptions import AudioError

from .samples import noise, write_container

av = pytest.importorskip("av")

SR = 48000
EXACT = {  # container, codec: decoded from nearby
    "opus.webm": ("webm", "libopus"),
    "opus.mkv": ("matroska", "libopus"),
    "opus.mp4": ("mp4", "libopus"),
    "mp3.mp4": ("mp4", "libmp3lame"),
    "mp3.mkv": ("matroska", "libmp3lame"),
    "mp3.flv": ("flv", "libmp3lame"),
    "mp3.avi": ("avi", "libmp3lame"),
    "mp2.ts": ("mpegts", "mp2"),
    "alac.m4a": ("mp4", "alac"),
    "flac.mkv": ("matroska", "flac"),
    "pcm.mov": ("mov", "pcm_s16le"),
    "flac.oga": ("ogg", "flac"),
    "a.wv": ("wv", "wavpack"),
    "a.tta": ("tta", "tta"),
}
FROM_THE_START = {  # the decoder fills in noise, or FFmpeg does not know where a frame is
    "pcm.avi": ("avi", "pcm_s16le"),
    "aac.m4a": ("mp4", "aac"),
    "aac.mkv": ("matroska", "aac"),
    "ac3.mkv": ("matroska", "ac3"),
    "aac.ts": ("mpegts", "aac"),
    "a.aac": ("adts", "aac"),
    "a.ac3": ("ac3", "ac3"),
}


@pytest.fixture(autouse=True)
def near_is_far(monkeypatch):
    monkeypatch.setattr(_pyav, "_FAR_SECONDS", 2.0)


@pytest.fixture(scope="module")
def speechlike():
    """Noise of changing level, as an encoder codes it with noise and without."""
    level = np.repeat(np.random.default_rng(1).uniform(0, 1, 200), SR // 10)
    return (noise(20 * SR)[:, 0] * level).astype("f4")


@pytest.fixture
def write(tmp_path, speechlike):
    def write(name, format, codec):
        path = tmp_path / name
        write_container(str(path), format, codec, sr=SR, samples=speechlike)
        return path

    return write


@pytest.mark.parametrize("name", [*EXACT, *FROM_THE_START])
def test_segments_equal_the_whole(name, write):
    path = write(name, *(EXACT | FROM_THE_START)[name])
    whole, sr = read_audio(path, None)
    assert inspect_audio(path).n_samples == len(whole)
    for offset, duration in ((0.5, 1.0), (2.25, 0.5), (4.1234, 1.7), (19.0, None), (15.0, 60.0)):
        start = int(offset * sr)
        stop = None if duration is None else start + int(duration * sr)
        part, _ = read_audio(path, None, offset=offset, duration=duration)
        np.testing.assert_array_equal(part, whole[start:stop])
    with pytest.raises(AudioError, match="offset=21 s is at or past the end"):
        read_audio(path, None, offset=21.0)


@pytest.mark.parametrize("name", EXACT)
def test_what_is_before_is_not_decoded(name, write, monkeypatch):
    path = write(name, *EXACT[name])
    whole, sr = read_audio(path, None)
    inspect_audio(path)
    lengths = []
    decoded = _pyav.decoded_frames

    def counted(*args):
        for frame in decoded(*args):
            lengths.append(len(frame.samples))
            yield frame

    monkeypatch.setattr(_pyav, "decoded_frames", counted)
    start, stop = 17 * sr, int(17.2 * sr)
    np.testing.assert_array_equal(_far_segment(path, sr, start, stop)[:, 0], whole[start:stop])
    assert lengths
    assert sum(lengths) < 0.6 * len(whole)


def test_a_file_that_changes_has_other_landmarks(write, speechlike):
    path = write("pcm.mov", "mov", "pcm_s16le")
    read_audio(path, None, offset=5.0, duration=1.0)
    write_container(str(path), "mov", "pcm_s16le", sr=SR, samples=-speechlike[: 7 * SR])
    part, sr = read_audio(path, None, offset=5.0, duration=1.0)
    np.testing.assert_array_equal(part, read_audio(path, None)[0][5 * sr : 6 * sr])
    assert inspect_audio(path).n_samples == 7 * SR


def test_landmarks_are_a_second_apart_and_ascend():
    frames = [Decoded(pts, np.ones((50, 1), "f4")) for pts in (0, 1, None, 3, 2, 5, 6, 6, 8)]
    landmarks = find_landmarks(frames, 100)
    assert landmarks.n_samples == 450
    assert landmarks.pts == [0, 3, 5, 6]
    assert landmarks.positions == [0, 150, 250, 350]


def test_other_samples_are_refused():
    samples = np.arange(400, dtype="f4")[:, np.newaxis]
    frames = [Decoded(i, samples[50 * i : 50 * i + 50]) for i in range(8)]
    landmarks = find_landmarks(frames, 100)
    segment = segment_from(iter(frames[1:]), landmarks, 1, 210, 250)
    np.testing.assert_array_equal(segment, samples[210:250])
    frames[4] = Decoded(4, frames[4].samples + 1)
    assert segment_from(iter(frames[1:]), landmarks, 1, 210, 250) is None
    assert segment_from(iter(frames[3:]), landmarks, 1, 310, 320) is None  # landed behind
    assert segment_from(iter(frames[1:6]), landmarks, 1, 310, 320) is None  # ended before
