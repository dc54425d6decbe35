"""`read_audio` and `inspect_audio` take what AudioLoader takes."""

import copy
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skser import AudioLoader, Clips, Segment, inspect_audio, read_audio
from skser.exceptions import AudioError, DataError, SkserWarning

from .samples import encode, noise

SR = 22050
MONO = noise(SR, seed=1)[:, 0].astype(np.float32)
CONTENT = encode(MONO, SR, "WAV/FLOAT")
DECODER = SimpleNamespace(data=MONO[np.newaxis], sample_rate=SR)


class Answer:
    """The answer of a server, which can be read once."""

    def __init__(self, content):
        self.content = content

    def read(self):
        content, self.content = self.content, b""
        return content


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("home") / "a.wav"
    path.write_bytes(CONTENT)
    return path


def pipe(path):
    """A pipe from another process."""
    script = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


# Functions of the path of the file, because some forms are used up.
FORMS = {
    "path": str,
    "pathlib": Path,
    "bytes": lambda path: CONTENT,
    "bytearray": lambda path: bytearray(CONTENT),
    "memoryview": lambda path: memoryview(CONTENT),
    "buffer": lambda path: io.BytesIO(CONTENT),
    "answer": lambda path: Answer(CONTENT),
    "waveform and rate": lambda path: (MONO, SR),
    "rate and waveform": lambda path: (SR, MONO),
    "list and rate": lambda path: [MONO.tolist(), SR],
    "row with samples": lambda path: {"audio": {"array": MONO, "sampling_rate": SR}, "label": 1},
    "row with bytes": lambda path: {"path": None, "bytes": CONTENT},
    "row with a path": lambda path: {"path": str(path), "bytes": None},
    "input of transformers": lambda path: {"raw": MONO, "sampling_rate": SR},
    "decoder": lambda path: DECODER,
    "clips": lambda path: Clips.from_waveforms([MONO], SR),
    "segment": lambda path: Segment(path, 0.0),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form, path):
    make = FORMS[form]
    assert inspect_audio(make(path))[:3] == (SR, SR, 1)
    np.testing.assert_array_equal(read_audio(make(path), None)[0], MONO)
    waveform, sr = read_audio(make(path))
    assert sr == 16000
    np.testing.assert_array_equal(waveform, read_audio(path)[0])
    part, _ = read_audio(make(path), 8000, offset=0.25, duration=0.5)
    np.testing.assert_array_equal(part, read_audio(path, 8000, offset=0.25, duration=0.5)[0])
    (clip,) = AudioLoader(duration=None, pad=None).transform([make(path)])
    np.testing.assert_array_equal(clip[0], waveform)


def test_pipes_are_read_to_their_end(path):
    with pipe(path) as process:
        np.testing.assert_array_equal(read_audio(process.stdout, None)[0], MONO)
    with pipe(path) as process:
        assert inspect_audio(process.stdout).n_samples == SR
    with pipe(path) as process:
        clips = AudioLoader(duration=None, pad=None, sr=SR).transform([process.stdout])
    np.testing.assert_array_equal(clips[0][0], MONO)


def test_formats_of_waveforms_and_files():
    assert inspect_audio((MONO, SR))[3:] == ("waveform", "none")
    assert inspect_audio(io.BytesIO(CONTENT))[3:] == ("WAV/FLOAT", "libsndfile")


def test_segments(path):
    segment = Segment(path, 0.25, 0.75)
    assert inspect_audio(segment)[:2] == (SR, round(0.5 * SR))
    start = int(0.25 * SR)
    whole = read_audio(segment, None)[0]
    np.testing.assert_array_equal(whole, MONO[start : start + len(whole)])
    assert len(whole) == int(0.5 * SR)
    part = read_audio(segment, None, offset=0.3, duration=1.0)[0]
    np.testing.assert_array_equal(part, MONO[int(0.55 * SR) :][: len(part)])
    assert len(part) == int(0.2 * SR)
    with pytest.raises(AudioError, match=r"t=0\.25.*nothing is left from offset=0\.6"):
        read_audio(segment, offset=0.6)
    with pytest.raises(AudioError, match="not within the recording"):
        read_audio(Segment(path, 2.0))


def test_a_waveform_alone_is_at_sr():
    waveform, sr = read_audio(MONO, 8000, offset=0.5)
    np.testing.assert_array_equal(waveform, MONO[4000:])
    assert sr == 8000
    with pytest.raises(DataError, match=r"sr must be the rate.*got None.*\(waveform, sr\)"):
        read_audio(MONO, None)
    with pytest.raises(DataError, match=r"source must have a sampling rate.*\(waveform, sr\)"):
        inspect_audio(MONO)


def test_integers_that_were_cast_are_warned_of():
    with pytest.warns(SkserWarning, match="source must have floats.*divide by 32768") as caught:
        read_audio(((MONO * 32768).round(), SR))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ([CONTENT], "source must be a single recording"),
        (["a.wav", "b.wav"], "source must be a single recording"),
        (None, "source: .*got NoneType"),
        (3, "source: .*got int 3"),
        (io.TextIOWrapper(io.BytesIO(CONTENT)), "source: .*text mode.*rb.*buffer"),
        (Answer("text"), r"source: .*read\(\) that must return bytes, got str"),
        (Answer(None), r"source: .*read\(\) that must return bytes, got NoneType"),
        ({"text": "happy"}, "source: .*must have array and sampling_rate.*got text"),
        ((MONO, 3), "source: .*rate must be an integer in .*got 3"),
        (np.full(99, np.nan), "source: .*NaN"),
    ],
)
@pytest.mark.parametrize("function", [read_audio, inspect_audio])
def test_what_is_no_recording(source, reason, function):
    source = copy.copy(source) if isinstance(source, Answer) else source  # read once
    with pytest.raises(DataError, match=f"^{reason}"):
        function(source)


def test_what_is_no_recording_with_a_rate():
    with pytest.raises(AudioError, match=r"waveform: is 1\.00 s long.*from offset=2"):
        read_audio((MONO, SR), offset=2.0)
    with pytest.raises(AudioError, match="nothing is left of duration=1e-06"):
        read_audio((MONO, SR), duration=1e-6)
    with pytest.raises(AudioError, match=r"0 bytes>: is empty"):
        read_audio(io.BytesIO())
