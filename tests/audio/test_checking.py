"""`checking`: a function that sees how much is decoded, and may stop it."""

import io

import numpy as np
import pytest
import soundfile

from skser import read_audio
from skser.audio._info import checking


class Enough(Exception):
    pass


def content(format, seconds):
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (16000 * seconds, 2))
    soundfile.write(file, noise, 16000, format=format)
    return file.getvalue()


def as_matroska(seconds):
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for _ in range(10 * seconds):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), layout="mono")
            frame.rate = 16000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "matroska"])
def test_seconds_are_counted_and_decoding_stops(format):
    recording = as_matroska(4) if format == "matroska" else content(format, 4)
    seconds = []
    with checking(seconds.append):
        read_audio(recording)
    assert sum(seconds) == pytest.approx(4, abs=0.1)

    def stop(_):
        raise Enough

    with pytest.raises(Enough), checking(stop):
        read_audio(recording)
    n_calls = len(seconds)
    read_audio(recording)
    assert len(seconds) == n_calls
