"""MP3 whose header does not say how long it is, or says it of the first part only."""

import io

import numpy as np
import pytest
import soundfile

from skser import AudioLoader, inspect_audio, read_audio
from skser.audio._mpeg import Spliced, find_frames, is_as_promised
from skser.audio._streaming import stream_audio
from skser.datasets import check_audio
from skser.exceptions import AudioError

from .samples import noise, tone, write_container

SECONDS = 3
MODES = ("CONSTANT", "VARIABLE")


def signal(sr, n_channels=1, seconds=SECONDS):
    """A soft tone and then loud noise: of variable bit rate, the beginning is far smaller."""
    loud = noise(round(sr * seconds), n_channels)
    loud[: len(loud) // 2] = tone(300, sr, seconds)[: len(loud) // 2, np.newaxis] * 0.2
    return loud


def mp3(sr=24000, n_channels=1, mode="VARIABLE", seconds=SECONDS):
    file = io.BytesIO()
    soundfile.write(file, signal(sr, n_channels, seconds), sr, format="MP3", bitrate_mode=mode)
    return file.getvalue()


def bare(content):
    """The same without its Xing or Info header, as pipes and text-to-speech services write it."""
    spans = find_frames(content).spans
    return b"".join(content[start:stop] for start, stop in spans)


def decoded(content):
    """What FFmpeg makes of it, an independent reference."""
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(content)) as container:
        frames = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
    return np.concatenate(frames)


def assert_read_whole(content, n_samples):
    info = inspect_audio(content)
    waveform, sr = read_audio(content, None)
    assert info.n_samples == len(waveform) == n_samples
    np.testing.assert_array_equal(np.concatenate(list(stream_audio(content, info, sr))), waveform)
    part = read_audio(content, None, offset=1.0, duration=1.5)[0]
    np.testing.assert_allclose(part, waveform[sr : sr + int(1.5 * sr)], rtol=0, atol=1e-6)
    return waveform


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("sr", "n_channels"), [(44100, 2), (24000, 1), (8000, 1)])
def test_without_a_header(sr, n_channels, mode):
    content = mp3(sr, n_channels, mode)
    n_frames = find_frames(content).n_frames
    waveform = assert_read_whole(bare(content), n_frames * (1152 if sr > 24000 else 576))
    np.testing.assert_allclose(waveform, decoded(bare(content)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("sr", "n_channels"), [(44100, 1), (16000, 2)])
def test_with_a_header(sr, n_channels, mode):
    content = mp3(sr, n_channels, mode)
    assert is_as_promised(content)
    assert is_as_promised(content + b"TAG" + bytes(125))
    waveform = assert_read_whole(content, SECONDS * sr)
    np.testing.assert_allclose(waveform, decoded(content), rtol=0, atol=1e-5)


ID3 = b"ID3\x04\x00\x00\x00\x00\x08\x00" + b"\xff\xfb\x90\xc4" * 256  # no frames, but like some


@pytest.mark.parametrize("between", [b"", ID3, b"TAG" + bytes(125), bytes(1000)])
@pytest.mark.parametrize("make", [mp3, lambda: bare(mp3())])
def test_joined(make, between):
    parts = [make(), make(), make()]
    frames = [find_frames(part).n_samples for part in parts]
    waveform = assert_read_whole(between.join(parts), sum(frames))
    # Each part is there: noise, loud and long.
    for i in range(3):
        loud = waveform[i * frames[0] + int(SECONDS * 24000 * 0.6) :][:24000]
        assert loud.std() == pytest.approx(0.2, rel=0.1)


def test_joined_in_different_rates():
    pytest.importorskip("av")
    content = mp3(24000) + mp3(16000)
    info = inspect_audio(content)
    assert (info.sr, info.decoder) == (24000, "pyav")
    assert info.n_samples == len(read_audio(content, None)[0])
    assert info.duration == pytest.approx(2 * SECONDS, abs=0.2)


@pytest.mark.parametrize("mode", MODES)
def test_cut_without_a_header_ends_with_its_last_frame(mode):
    content = bare(mp3(mode=mode))
    frames = find_frames(content)
    assert find_frames(content[:-1]).n_frames == frames.n_frames - 1
    assert_read_whole(content[:-1], frames.n_samples - 576)


@pytest.mark.parametrize("function", [inspect_audio, read_audio])
def test_cut_with_a_header(function):
    with pytest.raises(AudioError, match=r"is truncated, its header promises 72000 samples"):
        function(mp3()[:-2000])


def test_junk_behind_the_frames():
    content = bare(mp3())
    junk = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    assert_read_whole(content + junk, find_frames(content).n_samples)


def test_stream_that_begins_within_a_frame():
    pytest.importorskip("av")
    content = bare(mp3())
    waveform, sr = read_audio(content[100:], None)
    assert len(waveform) == pytest.approx(SECONDS * sr, abs=4 * 576)
    assert inspect_audio(content[100:]).n_samples == len(waveform)


class Pipe:
    def __init__(self):
        self.content = b""

    def write(self, data):
        self.content += bytes(data)
        return len(data)


@pytest.mark.parametrize("format", ["mp3", "wav"])
def test_written_to_a_pipe_by_ffmpeg(format):
    pytest.importorskip("av")
    pipe = Pipe()
    write_container(pipe, format, "libmp3lame", sr=44100, seconds=3.0)
    reference = decoded(pipe.content)
    waveform = assert_read_whole(pipe.content, len(reference))
    np.testing.assert_allclose(waveform, reference, rtol=0, atol=1e-5)
    assert inspect_audio(pipe.content).format == f"{format.upper()}/MPEG_LAYER_III"


def test_mp3_in_wav(tmp_path):
    pytest.importorskip("av")
    path = tmp_path / "a.wav"
    write_container(str(path), "wav", "libmp3lame", sr=22050, seconds=3.0)
    reference = decoded(path.read_bytes())
    waveform = assert_read_whole(path, len(reference))
    np.testing.assert_allclose(waveform, reference, rtol=0, atol=1e-5)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(AudioError, match=r"a\.wav: is truncated, its header promises \d+ bytes"):
        inspect_audio(path)


@pytest.mark.parametrize("format", ["mp2", "wav"])
def test_layer_2(format):
    pytest.importorskip("av")
    file = io.BytesIO()
    write_container(file, format, "mp2", sr=44100, seconds=3.0)
    assert_read_whole(file.getvalue(), len(decoded(file.getvalue())))


def test_all_agree_on_the_length(tmp_path):
    content = bare(mp3(16000))
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    n_samples = find_frames(content).n_samples
    assert inspect_audio(path).n_samples == len(read_audio(path)[0]) == n_samples
    (row,) = check_audio([path]).to_dict("records")
    assert row["problem"] is None
    assert row["duration"] == pytest.approx(n_samples / 16000, abs=1e-6)
    (clip,) = AudioLoader(duration=None, pad=None).transform([path])
    assert clip.shape[-1] == n_samples


def test_a_path_is_as_its_content_and_is_let_go(tmp_path):
    content = bare(mp3())
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_audio(path)[0], read_audio(content)[0])
    path.unlink()


def test_nothing_is_printed(capfd):
    content = mp3() + mp3()
    inspect_audio(content)
    read_audio(content, offset=1.0)
    assert capfd.readouterr().err == ""


def test_bytes_that_are_no_frames():
    assert find_frames(b"") is None
    assert find_frames(b"\xff" * 5000) is None
    assert find_frames(b"\xff\xfb" + bytes(5000)) is None


def test_spliced_is_as_its_parts_together():
    parts = [b"abc", b"", b"defgh", b"i"]
    file, reference = Spliced(parts), io.BytesIO(b"".join(parts))
    for offset, whence in [(0, 0), (2, 0), (-3, 2), (1, 1), (20, 0), (-2, 1), (4, 0)]:
        assert file.seek(offset, whence) == reference.seek(offset, whence) == file.tell()
        for n in (1, 3, 9):
            assert file.read(n) == reference.read(n)
    assert file.seek(-5) == reference.tell()
