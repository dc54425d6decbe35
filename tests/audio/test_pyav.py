"""Formats that only PyAV reads: containers of video, WMA and others."""

import io
import sys

import numpy as np
import pytest

from skser import inspect_audio, read_audio
from skser.audio._streaming import stream_audio
from skser.exceptions import AudioError, MissingDependencyError

from .samples import encode, frequency_of, noise, write_container

av = pytest.importorskip("av")

FORMATS = {  # container, codec, sampling rate, what the error calls it without PyAV
    "mp3.flv": ("flv", "libmp3lame", 44100, "FLV"),
    "aac.flv": ("flv", "aac", 44100, "FLV"),
    "mp3.avi": ("avi", "libmp3lame", 44100, "AVI"),
    "pcm.avi": ("avi", "pcm_s16le", 16000, "AVI"),
    "a.ts": ("mpegts", "aac", 44100, None),
    "a.vob": ("vob", "ac3", 48000, "MPEG video"),
    "a.ac3": ("ac3", "ac3", 48000, "AC-3"),
    "a.rm": ("rm", "ac3", 44100, "RealMedia"),
    "a.wv": ("wv", "wavpack", 16000, "WavPack"),
    "a.tta": ("tta", "tta", 16000, "TTA"),
    "flac.ogg": ("ogg", "flac", 16000, None),
    "g726.wav": ("wav", "adpcm_g726", 8000, None),
}


def make(name):
    format, codec, sr, _ = FORMATS[name]
    file = io.BytesIO()
    write_container(file, format, codec, sr=sr, seconds=2.0)
    return file.getvalue()


def wma():
    file = io.BytesIO()
    with av.open(file, "w", format="asf") as container:
        stream = container.add_stream("wmav2", rate=44100, layout="mono", bit_rate=96000)
        samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(88200) / 44100)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis].astype("f4"), "fltp", "mono")
        frame.sample_rate, frame.pts = 44100, 0
        context = stream.codec_context
        resampler = av.AudioResampler("fltp", "mono", 44100, frame_size=context.frame_size or 2048)
        for part in resampler.resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("name", [*FORMATS, "a.wma"])
def test_formats(tmp_path, name):
    content = wma() if name == "a.wma" else make(name)
    path = tmp_path / name
    path.write_bytes(content)
    info = inspect_audio(path)
    waveform, sr = read_audio(path, None)
    assert (info.decoder, info.n_channels) == ("pyav", 1)
    assert (info.sr, info.n_samples) == (sr, len(waveform))
    assert info.duration == pytest.approx(2, abs=0.1)
    assert frequency_of(waveform, sr) == pytest.approx(440, abs=1)
    np.testing.assert_array_equal(read_audio(content, None)[0], waveform)
    blocks = np.concatenate(list(stream_audio(content, info, sr)))
    np.testing.assert_array_equal(blocks, waveform)
    part = read_audio(path, None, offset=0.5, duration=1.0)[0]
    np.testing.assert_array_equal(part, waveform[sr // 2 : sr // 2 + sr])


@pytest.mark.parametrize("name", FORMATS)
def test_without_pyav(name, monkeypatch):
    content, kind = make(name), FORMATS[name][3]
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError if kind else AudioError) as caught:
        inspect_audio(content)
    message = str(caught.value)
    assert message.endswith(": python -m pip install 'skser[video]'")
    assert f": {kind} needs PyAV" in message if kind else "PyAV reads more formats" in message


@pytest.mark.parametrize(
    ("format", "size"), [("WAV/PCM_16", 30), ("OGG/VORBIS", 200), ("OGG/OPUS", 300)]
)
def test_damaged_sound_files_are_not_given_to_pyav(format, size):
    with pytest.raises(AudioError, match="is not readable audio"):
        inspect_audio(encode(noise(16000), format=format)[:size])


def test_audio_without_a_length_in_the_header(tmp_path):
    path = tmp_path / "raw.aac"
    write_container(str(path), "adts", "aac", sr=16000, seconds=3.0)
    assert inspect_audio(path).n_samples == len(read_audio(path, None)[0])
