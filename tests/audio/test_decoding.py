import os
import pickle
import sys

import librosa
import numpy as np
import pytest
import soundfile

from skser import inspect_audio, read_audio
from skser.audio import _inspection
from skser.audio._decoding import decode_audio
from skser.audio._waveforms import fix_length, resample
from skser.exceptions import (
    AudioError,
    AudioIsADirectoryError,
    AudioNotFoundError,
    AudioPermissionError,
    MissingDependencyError,
    ParameterError,
)

from .samples import FORMATS, encode, frequency_of, noise, tone, write_container

# librosa.load imports modules that Python 3.13 removes.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated and slated:DeprecationWarning")

ANY_RATE = (4000, 8000, 11025, 22050, 44100, 48000, 96000, 192000)
RATES = {"OGG/OPUS": (8000, 48000), "MP3/MPEG_LAYER_III": (8000, 11025, 22050, 44100, 48000)}
CHANNELS = {"MP3/MPEG_LAYER_III": (1, 2)}


def error_of(function, *args, **kwargs):
    """Class and message of the error that a call raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function(*args, **kwargs)
    return type(caught.value), str(caught.value)


# --- sound files ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_equals_librosa(tmp_path, format):
    path = tmp_path / f"clip.{FORMATS[format]}"
    for sr in RATES.get(format, ANY_RATE):
        for n_channels in CHANNELS.get(format, (1, 2, 6)):
            n_samples = round(0.3 * sr)
            path.write_bytes(encode(noise(n_samples, n_channels), sr, format))
            info = inspect_audio(path)
            assert info == (sr, n_samples, n_channels, info.format, "libsndfile")
            assert info.format.split("/")[0] == format.split("/")[0]
            assert info.duration == pytest.approx(0.3, abs=1 / sr)
            for offset, duration in [(0, None), (0.1, 0.15), (0.05, 5)]:
                ours, _ = read_audio(path, 16000, offset=offset, duration=duration)
                theirs, _ = librosa.load(path, sr=16000, offset=offset, duration=duration)
                assert ours.dtype == np.float32
                assert ours.flags.c_contiguous
                np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("format", ["WAV/PCM_24", "OGG/OPUS"])
@pytest.mark.parametrize("sr", [None, 8000, 22050, 44100])
def test_rates_to_read_at(format, sr, tmp_path):
    path = tmp_path / "clip"
    path.write_bytes(encode(noise(9600, 2), 24000, format))
    ours, ours_sr = read_audio(path, sr)
    theirs, theirs_sr = librosa.load(path, sr=sr)
    assert ours_sr == theirs_sr
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(("format", "codec"), [("ogg", "libopus"), ("webm", "libopus")])
def test_opus_of_ffmpeg_begins_and_ends_with_its_samples(format, codec, tmp_path):
    """libsndfile alone delivers what the decoder is to skip, unless it is told to seek."""
    pytest.importorskip("av")
    path = tmp_path / "a"
    samples = np.zeros(96000, "f4")
    samples[24000:] = tone(600, 48000, 1.5)
    write_container(str(path), format, codec, samples=samples)
    whole = read_audio(path, None)[0]
    assert len(whole) == 96000
    assert np.flatnonzero(np.abs(whole) > 0.1)[0] == pytest.approx(24000, abs=50)
    for offset in (0.25, 0.5, 1.5):
        part = read_audio(path, None, offset=offset, duration=0.25)[0]
        start = round(48000 * offset)
        np.testing.assert_allclose(part, whole[start : start + 12000], atol=1e-6)


def test_one_coding_is_as_another():
    samples = noise(8000)
    reference = read_audio(encode(samples, format="WAV/FLOAT"))[0]
    np.testing.assert_array_equal(reference, samples[:, 0].astype(np.float32))
    for format, bits in [("WAV/PCM_U8", 8), ("FLAC/PCM_16", 16), ("AIFF/PCM_16", 16)]:
        decoded = read_audio(encode(samples, format=format))[0]
        np.testing.assert_allclose(decoded, reference, atol=2.0 ** (1 - bits))


@pytest.mark.parametrize("frequency", [100, 1000])
@pytest.mark.parametrize(("sr", "to_sr"), [(48000, 16000), (44100, 16000), (8000, 22050)])
def test_tone_survives_resampling(sr, to_sr, frequency):
    content = encode(tone(frequency, sr, 1), sr, "WAV/FLOAT")
    waveform = read_audio(content, to_sr)[0]
    assert len(waveform) == to_sr
    middle = slice(to_sr // 10, -to_sr // 10)
    np.testing.assert_allclose(waveform[middle], tone(frequency, to_sr, 1)[middle], atol=2e-4)


def test_resampling_removes_what_would_alias():
    assert np.abs(resample(tone(10000, 48000, 1), 48000, 16000)[1600:-1600]).max() < 1e-4


def test_channels_are_averaged():
    left, right = tone(200, 16000, 0.1), tone(300, 16000, 0.1)
    content = encode(np.stack([left, right], axis=1), format="WAV/FLOAT")
    np.testing.assert_allclose(read_audio(content)[0], (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize(
    "name", ["ä ö ü.wav", "声 音.wav", "a b  c.wav", "no_suffix", "wrong.mp3", "x" * 240 + ".wav"]
)
def test_file_names(tmp_path, name):
    content = encode(noise(1600))
    path = tmp_path / name
    path.write_bytes(content)
    expected = read_audio(content)[0]
    for source in (path, str(path)):
        np.testing.assert_array_equal(read_audio(source)[0], expected)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_streamed_wav(size):
    content = bytearray(encode(noise(1600)))
    content[40:44] = size.to_bytes(4, "little")
    assert inspect_audio(bytes(content)).n_samples == 1600
    assert len(read_audio(bytes(content))[0]) == 1600


def test_one_sample():
    assert read_audio(encode(noise(1)), 16000)[0].shape == (1,)
    assert read_audio(encode(noise(1), 48000), 16000)[0].shape == (1,)


def test_fix_length():
    np.testing.assert_array_equal(fix_length(np.arange(1, 4), 5), [1, 2, 3, 0, 0])
    np.testing.assert_array_equal(fix_length(np.arange(1, 4), 2), [1, 2])


# --- containers -----------------------------------------------------------------------------

CONTAINERS = {
    "a.m4a": ("mp4", "aac", {"sr": 44100, "layout": "stereo"}),
    "narrow.m4a": ("mp4", "aac", {"sr": 8000}),
    "six.mp4": ("mp4", "aac", {"layout": "5.1"}),
    "film.mp4": ("mp4", "aac", {"layout": "stereo", "video": "mpeg4"}),
    "film.mov": ("mov", "aac", {"sr": 44100, "video": "mpeg4"}),
    "plain.mov": ("mov", "pcm_s16le", {"sr": 16000}),
    "a.webm": ("webm", "libopus", {}),
    "film.webm": ("webm", "libopus", {"layout": "stereo", "video": "libvpx"}),
    "film.mkv": ("matroska", "aac", {"sr": 22050, "video": "mpeg4"}),
    "flac.mkv": ("matroska", "flac", {"sr": 16000}),
    "raw.aac": ("adts", "aac", {"sr": 16000}),
}


def make_container(path, name="film.mp4"):
    pytest.importorskip("av")
    format, codec, options = CONTAINERS[name]
    write_container(str(path / name), format, codec, **options)
    return path / name


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(tmp_path, name):
    path = make_container(tmp_path, name)
    options = CONTAINERS[name][2]
    info = inspect_audio(path)
    assert info.decoder == "pyav"
    assert info.sr == options.get("sr", 48000)
    assert info.n_channels == {"mono": 1, "stereo": 2, "5.1": 6}[options.get("layout", "mono")]
    assert info.duration == pytest.approx(1, abs=0.1)
    waveform, sr = read_audio(path, 16000)
    assert (sr, waveform.dtype, waveform.ndim) == (16000, np.float32, 1)
    assert len(waveform) == pytest.approx(16000, abs=2400)
    middle = waveform[2000:14000]
    assert frequency_of(middle, 16000) == pytest.approx(440, abs=1)
    assert middle.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.2)
    np.testing.assert_array_equal(read_audio(path.read_bytes(), 16000)[0], waveform)


def test_part_of_a_container(tmp_path):
    path = make_container(tmp_path, "flac.mkv")
    whole = read_audio(path)[0]
    part = read_audio(path, offset=0.25, duration=0.5)[0]
    np.testing.assert_array_equal(part, whole[4000:12000])
    np.testing.assert_allclose(whole, tone(440, 16000, 1), atol=1e-4)


def test_matroska_that_was_streamed(tmp_path):
    """Its header, written to a pipe, knows no length."""

    class Pipe:
        def __init__(self):
            self.content = b""

        def write(self, data):
            self.content += bytes(data)
            return len(data)

    pytest.importorskip("av")
    pipe = Pipe()
    write_container(pipe, "webm", "libopus")
    assert inspect_audio(pipe.content).duration == pytest.approx(1, abs=0.05)
    assert len(read_audio(pipe.content)[0]) == 16000


@pytest.mark.parametrize("function", [inspect_audio, read_audio])
def test_video_without_audio(tmp_path, function):
    pytest.importorskip("av")
    path = tmp_path / "silent.mp4"
    write_container(str(path), "mp4", None, video="mpeg4")
    assert error_of(function, path) == (AudioError, f"{path}: has no audio track")


def test_pyav_is_missing(tmp_path, monkeypatch):
    path = make_container(tmp_path, "a.m4a")
    monkeypatch.setitem(sys.modules, "av", None)
    assert error_of(inspect_audio, path) == (
        MissingDependencyError,
        f"{path}: MP4 or MOV needs PyAV: python -m pip install 'skser[video]'",
    )


@pytest.mark.parametrize(
    "content", [b"\x1a\x45\xdf\xa3" + b"x" * 99, b"0000ftyp" + b"x" * 99, b"\xff\xf1abc"]
)
def test_container_that_is_none(content):
    pytest.importorskip("av")
    kind, message = error_of(inspect_audio, content)
    assert kind is AudioError
    assert message.startswith(f"<{len(content)} bytes>: cannot be opened (")


def test_container_cut_short(tmp_path):
    path = make_container(tmp_path, "raw.aac")
    path.write_bytes(path.read_bytes()[:2000])
    kind, message = error_of(read_audio, path)
    assert kind is AudioError
    assert message.startswith(f"{path}: cannot be decoded (")


def test_recording_that_vanishes(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(8000), 16000)
    info = inspect_audio(path)
    path.unlink()
    kind, message = error_of(decode_audio, path, info, 16000, offset=0.0, duration=None)
    assert (kind, message) == (AudioNotFoundError, f"{path}: does not exist")


# --- bad input ------------------------------------------------------------------------------


def not_there(path):
    return AudioNotFoundError, "does not exist"


def directory(path):
    path.mkdir()
    return AudioIsADirectoryError, "is a directory, not a recording"


def pipe(path):
    os.mkfifo(path)
    return AudioError, "is not a regular file"


def content_of(make, kind, reason):
    def write(path):
        path.write_bytes(make())
        return kind, reason

    return write


def cut(format, share=0.5, n_samples=16000):
    content = encode(noise(n_samples), format=format)
    return content[: int(share * len(content))]


def with_sample(value):
    samples = noise(16000)
    samples[15000] = value
    return encode(samples, format="WAV/FLOAT")


CUT_FRAMES = "is truncated, its header promises 16000 samples and the last cannot be read"
CUT_PAGE = "is truncated, its last page is incomplete"
BAD_SAMPLES = "has samples that are NaN or infinite"
BAD_FILES = {
    "missing": not_there,
    "directory": directory,
    "empty": content_of(lambda: b"", AudioError, "is empty (0 bytes)"),
    "text": content_of(
        lambda: b"no audio at all\n" * 99,
        AudioError,
        "is text, not a recording",
    ),
    "no_frames": content_of(lambda: encode(noise(0)), AudioError, "has a header and no samples"),
    "slow": content_of(
        lambda: encode(noise(99), 2000),
        AudioError,
        "sampling rate is 2000 Hz, allowed are 4000 to 192000",
    ),
    "fast": content_of(
        lambda: encode(noise(99), 384000),
        AudioError,
        "sampling rate is 384000 Hz, allowed are 4000 to 192000",
    ),
    "nan": content_of(lambda: with_sample(np.nan), AudioError, BAD_SAMPLES),
    "infinite": content_of(lambda: with_sample(-np.inf), AudioError, BAD_SAMPLES),
    "cut_wav": content_of(
        lambda: cut("WAV/PCM_16"),
        AudioError,
        "is truncated, its header promises 32000 bytes of samples and 15978 are there",
    ),
    "cut_header": content_of(
        lambda: cut("WAV/PCM_16", 36 / 32044),
        AudioError,
        "is not readable audio (Error in WAV file. No 'data' chunk marker)",
    ),
    "cut_aiff": content_of(
        lambda: cut("AIFF/PCM_16"),
        AudioError,
        "is truncated, its header promises 32008 bytes of samples and 15981 are there",
    ),
    "cut_flac": content_of(lambda: cut("FLAC/PCM_16"), AudioError, CUT_FRAMES),
    "cut_flac_late": content_of(lambda: cut("FLAC/PCM_16", 0.99), AudioError, CUT_FRAMES),
    "cut_mp3": content_of(lambda: cut("MP3/MPEG_LAYER_III"), AudioError, CUT_FRAMES),
    "cut_ogg": content_of(lambda: cut("OGG/VORBIS"), AudioError, CUT_PAGE),
    "cut_opus": content_of(lambda: cut("OGG/OPUS", 0.9, 48000), AudioError, CUT_PAGE),
    "cut_opus_in_first_page": content_of(
        lambda: cut("OGG/OPUS"),
        AudioError,
        "is not readable audio (Supported file format but file is malformed)",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(tmp_path, case):
    path = tmp_path / f"{case}.wav"
    kind, reason = BAD_FILES[case](path)
    for function in (inspect_audio, read_audio):
        assert error_of(function, path) == (kind, f"{path}: {reason}")
    if path.is_file():
        content = path.read_bytes()
        message = f"<{len(content)} bytes>: {reason}"
        assert error_of(inspect_audio, content) == (kind, message)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_named_pipe_does_not_hang(tmp_path):
    kind, reason = pipe(tmp_path / "pipe.wav")
    assert error_of(inspect_audio, tmp_path / "pipe.wav") == (
        kind,
        f"{tmp_path / 'pipe.wav'}: {reason}",
    )


def test_path_with_a_nul_character():
    kind, message = error_of(inspect_audio, "a\0b.wav")
    assert kind is AudioError
    assert message.startswith("a\0b.wav: cannot be opened (")
    assert "embedded null" in message


def test_path_that_is_too_long_for_the_system(tmp_path):
    kind, message = error_of(inspect_audio, tmp_path / ("x" * 5000))
    assert kind is AudioError
    assert "cannot be opened (" in message
    assert len(message) < 300


def test_file_of_somebody_else(tmp_path, monkeypatch):
    path = tmp_path / "clip.wav"
    path.write_bytes(encode(noise(99)))

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_inspection, "open", refuse, raising=False)
    assert error_of(inspect_audio, path) == (
        AudioPermissionError,
        f"{path}: may not be read (permission denied)",
    )


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_file_without_permissions(tmp_path):
    path = tmp_path / "clip.wav"
    path.write_bytes(encode(noise(99)))
    path.chmod(0)
    assert error_of(inspect_audio, path)[0] is AudioPermissionError


@pytest.mark.parametrize("format", ["FLAC/PCM_16", "OGG/VORBIS"])
def test_damage_within_a_file_is_found_by_decoding(format):
    content = bytearray(encode(noise(48000), format=format))
    middle = len(content) // 2
    content[middle : middle + 600] = bytes(600)
    assert inspect_audio(bytes(content)).n_samples == 48000
    kind, message = error_of(read_audio, bytes(content))
    assert kind is AudioError
    assert message.startswith(f"<{len(content)} bytes>: ")


@pytest.mark.parametrize("offset", [0.1, 99])
def test_offset_past_the_end(offset):
    content = encode(noise(1600))
    message = f"<{len(content)} bytes>: offset={offset:g} s is at or past the end"
    assert error_of(read_audio, content, offset=offset) == (AudioError, message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sr", 0),
        ("sr", 16000.0),
        ("offset", -1),
        ("offset", np.nan),
        ("duration", 0),
        ("duration", "1"),
    ],
)
def test_bad_parameters(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be .*, got {value!r}$"):
        read_audio(encode(noise(99)), **{name: value})


def test_audio_info_pickles():
    info = inspect_audio(encode(noise(99)))
    assert pickle.loads(pickle.dumps(info)) == info


# --- real speech ----------------------------------------------------------------------------


def test_originals(speech_home):
    paths = sorted((speech_home / "originals").glob("*.wav"))
    assert len(paths) == 17
    for path in paths[::4]:
        assert inspect_audio(path).sr == 48000
        np.testing.assert_allclose(
            read_audio(path, 16000)[0], librosa.load(path, sr=16000)[0], atol=1e-6
        )


@pytest.mark.parametrize(
    ("folder", "sr"), [("ravdess/Actor_01", 24000), ("emodb4/wav", 16000), ("emovo/f1", 24000)]
)
def test_corpora(speech_home, folder, sr):
    for path in sorted((speech_home / folder).glob("*.flac"))[:5]:
        waveform, read_sr = read_audio(path, None, offset=0.5, duration=1)
        theirs = librosa.load(path, sr=None, offset=0.5, duration=1)[0]
        assert read_sr == sr
        np.testing.assert_array_equal(waveform, theirs)
