"""Damaged recordings: an error that names the file, or samples that are numbers; nothing else.

``python -m tests.audio_trials NUMBER`` tries one of the mutations alone.
"""

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings

from skser import inspect_audio, read_audio
from skser.audio._streaming import stream_audio
from skser.exceptions import AudioError

from .headers import HEADERS
from .mutations import make_seeds, make_streamed_seeds, mutate, with_checksums
from .samples import encode, noise, tone, write_container
from .trials import Trials

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits of memory are those of Linux"
)

N_FILES, N_OF_PEOPLE = 325, 40  # 25 formats times the 13 of MUTATIONS


@pytest.fixture(scope="module")
def trials():
    started = Trials()  # one process: starting it takes longer than hundreds of trials
    yield started
    started.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzed")


@pytest.fixture(scope="module")
def seeds(folder):
    pytest.importorskip("av")
    return make_seeds(folder)


def failures(trials, files):
    """What is wrong, by path."""
    found = {str(path): trials.failure(path) for path in files}
    return {path: text for path, text in found.items() if text is not None}


def write_mutations(folder, seeds, numbers):
    files = []
    for number in numbers:
        name, content = mutate(number, seeds)
        files.append(folder / name)
        files[-1].write_bytes(content)
    return files


@pytest.mark.slow
def test_what_is_whole_is_read(trials, folder, seeds):
    for name, content in seeds.items():
        (folder / name).write_bytes(content)
    assert failures(trials, [folder / name for name in seeds]) == {}


@pytest.mark.slow
def test_mutations_do_no_harm(trials, folder, seeds):
    files = write_mutations(folder, seeds, range(N_FILES))
    assert len(set(files)) == N_FILES
    assert failures(trials, files) == {}


@pytest.mark.slow
def test_mutations_of_streamed_files_do_no_harm(trials, folder):
    pytest.importorskip("av")
    (folder / "streamed").mkdir()
    seeds = make_streamed_seeds(folder)
    whole = []
    for name, content in seeds.items():
        whole.append(folder / "streamed" / name)
        whole[-1].write_bytes(content)
        seconds = 1.0 if "joined" in name else 0.5
        assert inspect_audio(whole[-1]).duration == pytest.approx(seconds, abs=0.2)
    files = write_mutations(folder / "streamed", seeds, range(N_FILES))
    assert failures(trials, whole + files) == {}


def test_mutations_of_real_speech_do_no_harm(trials, folder, speech_home):
    patterns = (
        "ravdess/Actor_01/*.flac",
        "emodb4/wav/*.flac",
        "emovo/f1/*.flac",
        "originals/*.wav",
    )
    paths = [min(speech_home.glob(pattern)) for pattern in patterns]
    seeds = {path.name: path.read_bytes() for path in paths}
    files = write_mutations(folder, seeds, range(N_OF_PEOPLE))
    assert failures(trials, files) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HEADERS)
def test_headers_with_any_values_do_no_harm(kind, trials, folder):
    path = folder / f"header.{kind}"

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(content=HEADERS[kind])
    def check(content):
        path.write_bytes(content)
        assert trials.failure(path) is None

    check()


# --- what was found -------------------------------------------------------------------------


def problem(content, function=read_audio):
    """What is wrong with a recording, without its name."""
    with pytest.raises(AudioError) as caught:
        function(content)
    name, _, reason = str(caught.value).partition(": ")
    assert name == f"<{len(content)} bytes>"
    return reason


def streamed(content):
    return np.concatenate(list(stream_audio(content, inspect_audio(content), 16000)))


def test_vorbis_with_damaged_codebooks_does_not_crash(trials, folder):
    content = encode(noise(8000), format="OGG/VORBIS")
    codebooks = content.index(b"\x05vorbis") + 16
    files = []
    for i in range(codebooks, codebooks + 100, 4):
        damaged = bytearray(content)
        damaged[i] ^= 0xFF
        files.append(folder / f"codebooks{i}.ogg")
        files[-1].write_bytes(with_checksums(damaged))
    assert failures(trials, files) == {}


def test_more_channels_than_pyav_has_planes_for_do_not_crash(trials, folder):
    pytest.importorskip("av")
    path = folder / "sixteen.mov"
    write_container(str(path), "mov", "pcm_s16le", sr=16000, layout="hexadecagonal")
    assert failures(trials, [path]) == {}
    waveform, _ = read_audio(path)
    np.testing.assert_allclose(waveform, tone(440, 16000, 1.0), atol=1e-4)


@pytest.mark.parametrize(
    ("format", "place", "claim"),
    [("FLAC/PCM_16", 21, b"\x0f\xff\xff\xff\xff"), ("MP3/MPEG_LAYER_III", 21, b"\x7f\xff\xff\xff")],
)
def test_no_memory_is_taken_for_samples_that_are_promised(format, place, claim):
    content = bytearray(encode(noise(8000), format=format))
    if format.startswith("FLAC"):
        content[place] |= claim[0]
        content[place + 1 : place + len(claim)] = claim[1:]
    else:
        assert b"Xing" in content[:20]
        content[place : place + len(claim)] = claim
    tracemalloc.start()
    try:
        assert problem(bytes(content)).startswith("is truncated, its header promises ")
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("function", [inspect_audio, read_audio])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_samples_so_large_that_features_are_no_numbers(function, n_channels):
    samples = noise(1600, n_channels)
    samples[7] = -1e30
    content = encode(samples, format="WAV/FLOAT")
    expected = "has samples of up to 1e+30, allowed are 1e+10 times full scale"
    assert problem(content, function) == expected


def test_integers_that_were_written_as_floats_are_no_damage():
    samples = np.full(1600, -(2.0**31))
    np.testing.assert_array_equal(read_audio(encode(samples, format="WAV/FLOAT"))[0], samples)


@pytest.mark.parametrize("pair", [(np.inf, -np.inf), (3e38, 3e38)])
def test_no_warning_where_channels_cannot_be_averaged(pair):
    samples = np.tile(np.float32(pair), (1600, 1))
    assert problem(encode(samples, format="WAV/FLOAT")).startswith("has samples ")


@pytest.mark.parametrize("size", [60, 80])
def test_nothing_is_printed_for_content_that_ends_in_its_header(size, capfd):
    problem(encode(noise(1600), format="AIFF/FLOAT")[:size])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("function", [inspect_audio, read_audio])
def test_nothing_is_printed_for_damaged_mp3(function, capfd):
    content = bytearray(encode(noise(16000), format="MP3/MPEG_LAYER_III"))
    middle = len(content) // 2
    content[middle : middle + 700] = bytes(700)
    assert problem(bytes(content), function).startswith("is truncated, ")
    assert capfd.readouterr().err == ""


def test_mp3_without_frames():
    content = encode(noise(16000), format="MP3/MPEG_LAYER_III")
    assert problem(content[:40]) == "is not readable audio (no MP3 frame found)"


def test_container_whose_coding_is_not_known(seeds):
    content = seeds["a.webm"].replace(b"A_OPUS", b"A_NONE")
    assert problem(content) == "has no audio track of a known codec"


@pytest.mark.parametrize("function", [read_audio, streamed])
def test_container_without_samples(function, seeds):
    content = seeds["a.webm"]
    content = content[: content.index(b"\x1f\x43\xb6\x75") + 20]  # into the first cluster
    assert problem(content, function) == "has a header and no samples"


def test_titles_may_be_in_any_encoding(seeds):
    whole = seeds["a.mov"]
    assert b"SoundHandler" in whole
    content = whole.replace(b"SoundHandler", b"SoundHandle\xe9")
    np.testing.assert_array_equal(read_audio(content)[0], read_audio(whole)[0])
