import numpy as np
import pytest
import soundfile

from skser import inspect_audio, read_audio
from skser.audio._soundfile import BLOCK
from skser.audio._streaming import Excerpts, frame_levels, slices, stream_audio
from skser.exceptions import AudioError

from .samples import encode, noise, tone, write_container


def streamed(source, sr):
    return list(stream_audio(source, inspect_audio(source), sr))


@pytest.mark.parametrize(
    ("format", "sr", "n_channels"),
    [
        ("WAV/PCM_16", 16000, 1),
        ("WAV/FLOAT", 44100, 2),
        ("FLAC/PCM_16", 24000, 1),
        ("FLAC/PCM_24", 48000, 6),
        ("OGG/VORBIS", 22050, 2),
        ("OGG/OPUS", 48000, 1),
        ("MP3/MPEG_LAYER_III", 44100, 2),
        ("AIFF/PCM_16", 11025, 1),
    ],
)
@pytest.mark.parametrize("to_sr", [16000, 22050])
def test_blocks_together_are_what_is_read_at_once(format, sr, n_channels, to_sr):
    content = encode(noise(2 * BLOCK + 1234, n_channels), sr, format)
    blocks = streamed(content, to_sr)
    assert len(blocks) > 2
    assert {block.dtype for block in blocks} == {np.dtype("float32")}
    np.testing.assert_allclose(
        np.concatenate(blocks), read_audio(content, to_sr)[0], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "format", "codec", "options"),
    [
        ("a.m4a", "mp4", "aac", {"sr": 44100, "layout": "stereo"}),
        ("a.webm", "webm", "libopus", {}),
        ("a.mkv", "matroska", "flac", {"sr": 16000}),
    ],
)
def test_blocks_of_a_container(tmp_path, name, format, codec, options):
    pytest.importorskip("av")
    path = tmp_path / name
    write_container(str(path), format, codec, seconds=5.0, **options)
    blocks = streamed(path, 16000)
    assert len(blocks) > 1
    np.testing.assert_allclose(
        np.concatenate(blocks), read_audio(path, 16000)[0], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("n_samples", [1, 2, 100, BLOCK, BLOCK + 1])
@pytest.mark.parametrize(("sr", "to_sr"), [(48000, 4000), (8000, 22050)])
def test_short_recordings_have_as_many_samples(n_samples, sr, to_sr):
    content = encode(noise(n_samples), sr)
    whole = read_audio(content, to_sr)[0]
    np.testing.assert_array_equal(np.concatenate(streamed(content, to_sr)), whole)


def test_excerpts_are_slices():
    waveform = np.arange(1000, dtype=np.float32)
    spans = [(0, 30), (10, 40), (10, 50), (200, 230), (900, 1000), (970, 1000)]
    for size in (1, 7, 64, 5000):
        blocks = (waveform[i : i + size] for i in range(0, len(waveform), size))
        found = list(Excerpts(blocks, "a.wav").cut(spans))
        for part, (start, stop) in zip(found, spans, strict=True):
            np.testing.assert_array_equal(part, waveform[start:stop])


def test_no_more_is_held_than_an_excerpt_and_a_block():
    """Blocks are asked for when they are needed, and let go."""
    n_given = 0

    def endless():
        nonlocal n_given
        while True:
            n_given += 100
            yield np.zeros(100, np.float32)

    excerpts = Excerpts(endless(), "a")
    found = excerpts.cut((start, start + 250) for start in range(0, 10**9, 90))
    for i in range(2000):
        part = next(found)
        assert part.base is None  # no view that would keep all that is held
        assert len(excerpts._buffer._held) <= 250 + 2 * 100
        assert n_given <= 90 * i + 250 + 100


def test_recording_that_has_become_shorter():
    with pytest.raises(AudioError, match=r"^a\.wav: .*shorter"):
        list(Excerpts(iter([np.zeros(10, np.float32)]), "a.wav").cut([(0, 11)]))


@pytest.mark.parametrize("size", [100, 320, 4000, 99999])
def test_levels_are_those_of_whole_frames(size):
    waveform = np.random.default_rng(0).normal(0, 0.1, 16100).astype(np.float32)
    waveform[3200:6400] = 0.0
    blocks = (waveform[i : i + size] for i in range(0, len(waveform), size))
    levels, n_samples = frame_levels(blocks, 16000)
    frames = [waveform[i : i + 320] for i in range(0, 16100, 320)]
    power = [max(np.var(frame, dtype=float), 1e-12) for frame in frames]
    np.testing.assert_allclose(levels, 10 * np.log10(power), atol=1e-3)
    assert (n_samples, levels.dtype) == (16100, np.float32)


def test_a_constant_has_no_level():
    levels, _ = frame_levels(slices(np.full(1000, 0.3, np.float32)), 16000)
    np.testing.assert_allclose(levels, -120.0, atol=1e-3)


def test_level_of_a_tone():
    levels, _ = frame_levels(slices(tone(500, 16000, 10.0, amplitude=1.0)), 16000)
    np.testing.assert_allclose(levels, 10 * np.log10(0.5), atol=1e-3)


def test_damage_on_the_way_names_the_file(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(4 * BLOCK), 16000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 600] = bytes(600)
    path.write_bytes(content)
    with pytest.raises(AudioError, match=f"^{path}: "):
        streamed(path, 16000)


def test_file_that_was_cut_since(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(2 * BLOCK), 16000)
    info = inspect_audio(path)
    soundfile.write(path, noise(BLOCK + 5), 16000)
    with pytest.raises(AudioError, match=f"^{path}: .*truncated.* {2 * BLOCK} .* {BLOCK + 5} "):
        list(stream_audio(path, info, 16000))


def test_samples_that_are_no_numbers(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(2 * BLOCK), 16000, subtype="FLOAT")
    info = inspect_audio(path)
    samples = noise(2 * BLOCK)
    samples[-1] = np.nan
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=f"^{path}: .*NaN or infinite"):
        list(stream_audio(path, info, 16000))
