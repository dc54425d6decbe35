"""What containers hold besides one audio track, how they end, and what they are called."""

import os
import re
import shutil
import struct
import sys

import numpy as np
import pytest
import soundfile

from skser import inspect_audio, read_audio
from skser.datasets import check_audio
from skser.exceptions import AudioError

from .samples import encode, frequency_of, noise, tone, write_container

av = pytest.importorskip("av")

LENGTHS = {  # container, codec, sampling rate: the headers round these or count what is not played
    "a.m4a": ("mp4", "aac", 44100),
    "a.mov": ("mov", "aac", 16000),
    "aac.mkv": ("matroska", "aac", 44100),
    "flac.mkv": ("matroska", "flac", 16000),
    "a.webm": ("webm", "libopus", 48000),
    "a.flv": ("flv", "aac", 44100),
    "a.avi": ("avi", "libmp3lame", 44100),
    "a.ts": ("mpegts", "aac", 44100),
    "a.3gp": ("3gp", "libopencore_amrnb", 8000),
    "a.amr": ("amr", "libopencore_amrnb", 8000),
    "a.caf": ("caf", "alac", 44100),
}


def problem(path):
    """What is wrong with a recording, by each function that reads one."""
    found = set()
    for function in (inspect_audio, read_audio):
        with pytest.raises(AudioError) as caught:
            function(path)
        found.add(str(caught.value).removeprefix(f"{path}: "))
    assert check_audio([path])["problem"].tolist() == list(found)
    return found.pop()


@pytest.mark.parametrize("name", LENGTHS)
def test_all_functions_agree_on_the_length(name, tmp_path):
    path = tmp_path / name
    import av

    format, codec, sr = LENGTHS[name]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot write {codec}")
    write_container(str(path), format, codec, sr=sr, seconds=1.2345)
    n_samples = len(read_audio(path, None)[0])
    assert n_samples / sr == pytest.approx(1.2345, abs=0.08)  # three frames of AAC
    assert inspect_audio(path).n_samples == n_samples
    assert inspect_audio(path.read_bytes()).n_samples == n_samples
    assert check_audio([path])["duration"].tolist() == [n_samples / sr]


def test_the_delay_of_an_encoder_is_left_out(tmp_path):
    path = tmp_path / "a.m4a"
    samples = np.zeros(32000, "f4")
    samples[8000:] = tone(440, 16000, 1.5)
    write_container(str(path), "mp4", "aac", sr=16000, samples=samples)
    waveform, _ = read_audio(path, None)
    assert np.flatnonzero(np.abs(waveform) > 0.1)[0] == pytest.approx(8000, abs=100)
    assert 0 <= len(waveform) - 32000 < 1024


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_movie_that_was_cut_is_truncated(codec, tmp_path):
    path = tmp_path / "a.mov"
    write_container(
        str(path), "mov", codec, sr=16000, seconds=5.0, options={"movflags": "+faststart"}
    )
    content = path.read_bytes()
    assert inspect_audio(path).duration == pytest.approx(5, abs=0.1)
    path.write_bytes(content[: len(content) // 2])
    start = content.index(b"mdat") + 4
    assert problem(path) == (
        f"is truncated, its header promises {len(content) - start} bytes of samples and "
        f"{len(content) // 2 - start} are there"
    )


def test_a_movie_without_its_index_is_truncated(tmp_path):
    path = tmp_path / "a.mp4"
    write_container(str(path), "mp4", "aac", sr=16000, seconds=5.0)
    content = path.read_bytes()
    start = content.index(b"mdat") + 4
    path.write_bytes(content[: start + 1000])
    assert re.fullmatch(
        r"is truncated, its header promises \d+ bytes of samples and 1000 are there", problem(path)
    )


def test_fragments_without_an_end_are_read(tmp_path):
    path = tmp_path / "a.mp4"
    options = {"movflags": "+frag_keyframe+empty_moov", "frag_duration": "500000"}
    write_container(str(path), "mp4", "aac", sr=16000, seconds=3.0, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"moof") - 4])
    assert 1.5 < inspect_audio(path).duration <= 3.1
    assert inspect_audio(path).n_samples == len(read_audio(path, None)[0])


@pytest.mark.parametrize(("name", "codec"), [("a.wv", "wavpack"), ("a.tta", "tta")])
def test_lossless_files_that_were_cut_are_truncated(name, codec, tmp_path):
    path = tmp_path / name
    write_container(str(path), name[2:], codec, sr=16000, samples=noise(80000)[:, 0].astype("f4"))
    content = path.read_bytes()
    assert inspect_audio(path).n_samples == 80000
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"is truncated|cannot be decoded"):
        inspect_audio(path)


@pytest.mark.parametrize("format", ["mp4", "matroska", "avi", "mpegts"])
def test_video_without_sound(format, tmp_path):
    path = tmp_path / "silent.video"
    write_container(str(path), format, None, video="mpeg4")
    assert problem(path) == "has no audio track"


def test_of_several_tracks_the_first_is_read(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(2)]
        for stream, frequency in zip(streams, (440, 880), strict=True):
            samples = (tone(frequency, 16000, 1.0) * 32767).astype("i2")[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts = 16000, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    waveform, _ = read_audio(path, None)
    assert len(waveform) == inspect_audio(path).n_samples == 16000
    assert frequency_of(waveform, 16000) == pytest.approx(440, abs=1)


def _id3(picture):
    frame = b"\0image/jpeg\0\3\0" + picture
    frame = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frame


def _flac_picture(picture):
    fields = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">IIIIII", 0, 8, 8, 24, 0, 0)
    fields = fields[:-4] + struct.pack(">I", len(picture)) + picture
    return b"\6" + len(fields).to_bytes(3, "big") + fields


def test_cover_art(tmp_path):
    picture = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300 + b"\xff\xfb\x90\x64" * 50
    mp3 = encode(noise(16000), format="MP3/MPEG_LAYER_III")
    flac = encode(noise(16000), format="FLAC/PCM_16")
    with_cover = flac[:42] + _flac_picture(picture) + flac[42:]
    for content, plain in ((_id3(picture) + mp3, mp3), (with_cover, flac)):
        np.testing.assert_array_equal(read_audio(content)[0], read_audio(plain)[0])
        assert inspect_audio(content) == inspect_audio(plain)


def test_cover_art_of_m4a(tmp_path):
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux([*cover.encode(picture), *cover.encode(None)])
        samples = (tone(440, 16000, 1.0) * 32767).astype("i2")[np.newaxis]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts = 16000, 0
        container.mux([*sound.encode(frame), *sound.encode(None)])
    assert inspect_audio(path).n_samples == len(read_audio(path, None)[0]) == 16000


@pytest.mark.parametrize("name", ["call.wav", "call.raw", "call.mp3", "call.txt", "call"])
@pytest.mark.parametrize("kind", ["WAV", "MP4"])
def test_the_name_does_not_matter(name, kind, tmp_path):
    path = tmp_path / name
    if kind == "WAV":
        path.write_bytes(encode(noise(16000)))
    else:
        write_container(str(path), "mp4", "alac", sr=16000)
    assert inspect_audio(path).n_samples == len(read_audio(path, None)[0]) == 16000


@pytest.mark.parametrize(
    "name", ["call 10:30.m4a", "http:x.m4a", "%d.m4a", "a?b#c.m4a", "é 語.m4a"]
)
def test_names_that_look_like_something_else(name, tmp_path, monkeypatch):
    if sys.platform == "win32" and set(name) & set(":?"):
        pytest.skip("Windows allows no such name")
    write_container(str(tmp_path / "a.m4a"), "mp4", "aac", sr=16000)
    (tmp_path / "a.m4a").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for path in (name, tmp_path / name):
        assert inspect_audio(path).n_samples == len(read_audio(path, None)[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of bytes are Linux's")
@pytest.mark.parametrize(("format", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_names_outside_utf_8(format, codec, tmp_path, recwarn):
    write_container(str(tmp_path / "plain"), format, codec, seconds=3.0)
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    shutil.copy(tmp_path / "plain", path)
    expected, sr = read_audio(tmp_path / "plain", None)
    np.testing.assert_array_equal(read_audio(path, None)[0], expected)
    assert inspect_audio(path) == inspect_audio(tmp_path / "plain")
    part = read_audio(path, None, offset=1.0, duration=0.5)[0]
    np.testing.assert_array_equal(part, expected[sr : sr * 3 // 2])
    assert not recwarn.list


@pytest.mark.parametrize("name", ["a.pcm", "a.raw", "a.sw", "a.ul", "A.PCM"])
def test_raw_samples_have_no_rate(name, tmp_path):
    path = tmp_path / name
    path.write_bytes((tone(440, 16000, 2.0) * 32767).astype("<i2").tobytes())
    assert "numpy.fromfile reads them, then give (waveform, sr)" in problem(path)


def test_voc_of_several_blocks(tmp_path):
    path = tmp_path / "a.voc"
    write_container(str(path), "voc", "pcm_u8", sr=16000)
    assert inspect_audio(path).n_samples == len(read_audio(path, None)[0]) == 16000


@pytest.mark.parametrize("name", ["a.au", "a.snd"])
def test_noise_is_not_taken_for_sound_because_of_its_name(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(20000))
    assert problem(path).startswith("is not readable audio")


@pytest.mark.parametrize(
    ("name", "format", "subtype"),
    [
        ("a.w64", "W64", "PCM_16"),
        ("a.rf64", "RF64", "PCM_24"),
        ("a.caf", "CAF", "FLOAT"),
        ("alac.caf", "CAF", "ALAC_16"),
        ("ulaw.au", "AU", "ULAW"),
        ("float.aifc", "AIFF", "FLOAT"),
        ("ulaw.aifc", "AIFF", "ULAW"),
        ("ima.aifc", "AIFF", "IMA_ADPCM"),
        ("dwvw.aifc", "AIFF", "DWVW_16"),
        ("a.sph", "NIST", "PCM_16"),
        ("a.voc", "VOC", "PCM_16"),
        ("a.sds", "SDS", "PCM_16"),
        ("a.vox", "RAW", "VOX_ADPCM"),
        ("a.gsm", "RAW", "GSM610"),
    ],
)
@pytest.mark.parametrize("endian", ["FILE", "BIG", "LITTLE"])
def test_other_sound_files(name, format, subtype, endian, tmp_path):
    if not soundfile.check_format(format, subtype, endian):
        pytest.skip("has one order of bytes")
    path = tmp_path / name
    sr = 8000 if format == "RAW" else 16000
    expected = tone(440, sr, 2.0)
    soundfile.write(path, expected, sr, format=format, subtype=subtype, endian=endian)
    waveform, rate = read_audio(path, None)
    assert rate == sr
    assert inspect_audio(path).n_samples == len(waveform) == len(expected)
    assert frequency_of(waveform, sr) == pytest.approx(440, abs=1)
    np.testing.assert_allclose(np.sqrt(np.mean(waveform**2)), 0.35, atol=0.02)
    for offset, duration in ((0.5001, 0.3), (1.7, None)):
        start = int(offset * sr)
        stop = None if duration is None else start + int(duration * sr)
        part, _ = read_audio(path, None, offset=offset, duration=duration)
        np.testing.assert_array_equal(part, waveform[start:stop])
