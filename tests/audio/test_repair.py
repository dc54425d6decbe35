"""Recordings whose header has no length, or a placeholder, because they were streamed."""

import struct

import numpy as np
import pytest
import soundfile

from skser import inspect_audio, read_audio
from skser.audio._streaming import stream_audio
from skser.exceptions import AudioError

from .samples import encode, noise, write_container
from .test_mpeg import Pipe

PLACEHOLDERS = [
    0,
    2_000_000_000,
    0x7F000000,
    0x7FFFF000,
    0x7FFFFFFF - 44,
    0x7FFFFFFF - 36,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF - 44,
    0xFFFFFFFF - 36,
    0xFFFFF000,
    0xFFFFFFFF,
]


def with_sizes(size, riff, format="WAV/PCM_16"):
    content = bytearray(encode(noise(32000), format=format))
    place = content.index(b"data")
    content[4:8] = struct.pack("<I", riff)
    content[place + 4 : place + 8] = struct.pack("<I", size)
    return bytes(content)


@pytest.mark.parametrize("format", ["WAV/PCM_16", "WAV/FLOAT", "WAV/ULAW"])
@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_placeholder_for_the_size(size, format):
    whole = read_audio(encode(noise(32000), format=format))[0]
    for riff in {0, min(size + 36, 0xFFFFFFFF), 0xFFFFFFFF}:
        content = with_sizes(size, riff, format)
        info = inspect_audio(content)
        assert info.n_samples == 32000
        np.testing.assert_array_equal(read_audio(content)[0], whole)
        np.testing.assert_array_equal(np.concatenate([*stream_audio(content, info, 16000)]), whole)
        part = read_audio(content, offset=0.5, duration=1.0)[0]
        np.testing.assert_array_equal(part, whole[8000:24000])


@pytest.mark.parametrize("size", [64001, 70_000, 1_000_000_000])
def test_a_size_that_is_no_placeholder_is_believed(size):
    with pytest.raises(AudioError, match=f"is truncated, .* {size} bytes .* 64000"):
        read_audio(with_sizes(size, size + 36))


def test_no_samples_before_another_chunk():
    content = encode(noise(0)) + b"LIST\x04\x00\x00\x00INFO"
    with pytest.raises(AudioError, match="has a header and no samples"):
        inspect_audio(content)


@pytest.mark.parametrize(
    ("format", "codec", "options"),
    [
        ("wav", "pcm_s16le", {}),
        ("au", "pcm_s16be", {}),
        ("aiff", "pcm_s16be", {}),
        ("flac", "flac", {}),
        ("ogg", "libopus", {"sr": 48000}),
        ("ogg", "flac", {}),
        ("w64", "pcm_s16le", {}),
        ("w64", "pcm_f32le", {}),
        ("caf", "pcm_s16be", {}),
        ("caf", "pcm_alaw", {}),
    ],
)
def test_written_to_a_pipe(format, codec, options):
    pytest.importorskip("av")
    pipe = Pipe()
    sr = options.get("sr", 44100)
    write_container(pipe, format, codec, sr=sr, seconds=3.0)
    info = inspect_audio(pipe.content)
    waveform = read_audio(pipe.content, None)[0]
    assert info.n_samples == len(waveform) == pytest.approx(3 * sr, abs=4096)
    part = read_audio(pipe.content, None, offset=1.0, duration=1.0)[0]
    np.testing.assert_allclose(part, waveform[sr : 2 * sr], rtol=0, atol=1e-6)
    assert waveform.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_rf64_without_a_size():
    content = bytearray(encode(noise(16000), format="RF64/PCM_16"))
    place = content.index(b"ds64")
    content[place + 8 : place + 32] = bytes(24)
    assert inspect_audio(bytes(content)).n_samples == 16000
    whole = read_audio(encode(noise(16000)))[0]
    np.testing.assert_array_equal(read_audio(bytes(content))[0], whole)


# --- codings of telephony -------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_32"])
def test_codings_without_seeking(tmp_path, subtype):
    path = tmp_path / "call.wav"
    soundfile.write(path, 0.3 * noise(24000), 8000, subtype=subtype)
    info = inspect_audio(path)
    assert info[:4] == (8000, info.n_samples, 1, f"WAV/{subtype}")
    assert 24000 <= info.n_samples < 24400  # whole blocks
    for source in (path, path.read_bytes()):
        whole = read_audio(source, None)[0]
        assert len(whole) == inspect_audio(source).n_samples == info.n_samples
        part = read_audio(source, None, offset=1.0, duration=1.5)[0]
        np.testing.assert_array_equal(part, whole[8000:20000])
        np.testing.assert_array_equal(np.concatenate(list(stream_audio(source, info, 8000))), whole)


def test_gsm_cut_short(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, noise(24000), 8000, subtype="GSM610")
    path.write_bytes(path.read_bytes()[:2000])
    for function in (inspect_audio, read_audio):
        with pytest.raises(AudioError, match=r"call\.wav: is truncated, its header promises"):
            function(path)


def test_streamed_gsm(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, noise(24000), 8000, subtype="GSM610")
    n_samples = inspect_audio(path).n_samples
    content = bytearray(path.read_bytes())
    place = content.index(b"data")
    content[place + 4 : place + 8] = b"\xff\xff\xff\x7f"
    assert inspect_audio(bytes(content)).n_samples == n_samples
    assert len(read_audio(bytes(content), None)[0]) == n_samples
