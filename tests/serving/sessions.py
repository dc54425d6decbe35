"""A client of `WS /v1/live`, with the recordings that it sends."""

import io
import json
from contextlib import suppress
from itertools import cycle

import av
import numpy as np
from numpy.testing import assert_allclose
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from skser.datasets import make_emotional_speech

END = '{"type": "end"}'


def talk(sr=16000, n_channels=1):
    """Speech, silence, louder speech, faint speech; 16 bits of shape (n_samples, n_channels)."""
    speech = make_emotional_speech(
        n_speakers=2, emotions=["angry", "sad"], n_sentences=2, n_takes=1, random_state=0
    )
    waves = [np.asarray(wave) for wave in speech.waveforms]
    wave = np.concatenate(
        [*(0.05 * wave for wave in waves), np.zeros(4 * 16000), *waves, *(0.01 * w for w in waves)]
    )
    n_samples = len(wave) * sr // 16000
    wave = np.interp(np.arange(n_samples) * 16000 / sr, np.arange(len(wave)), wave)
    channels = [wave, 0.3 * np.roll(wave, sr)][:n_channels]
    return (np.stack(channels, axis=1).clip(-1, 1) * 32767).astype("<i2")


def container(samples, format, codec, sr=48000):
    """Content of a file as a MediaRecorder makes it: written without seeking back."""
    file = io.BytesIO()

    class Unseekable:
        def write(self, part):
            return file.write(part)

    options = {
        "webm": {"live": "1"},
        "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "2000"},
    }
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    with av.open(Unseekable(), "w", format=format, options=options.get(format, {})) as output:
        stream = output.add_stream(codec, rate=sr, layout=layout)
        for start in range(0, len(samples), 960):
            part = np.ascontiguousarray(samples[start : start + 960]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            frame.rate, frame.pts = sr, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def opened(server, query="", **options):
    """A connection to the socket of a client of HTTP or a server process."""
    address = str(getattr(server, "base_url", None) or server.address).rstrip("/")
    address = address.replace("http://", "ws://")
    return connect(f"{address}/v1/live{query}", **{"open_timeout": 20, "max_size": None, **options})


class Heard:
    """What a client has received until the connection was closed."""

    def __init__(self):
        self.messages, self.code = [], None

    def of(self, kind):
        return [message for message in self.messages if message["type"] == kind]

    @property
    def error(self):
        """Status and detail of the error that ended a session, and the code of its end."""
        (error,) = self.of("error")
        assert self.messages[-1] is error
        return error["status"], error["detail"], self.code

    @property
    def last_rows(self):
        """The last version of each row."""
        return {row["index"]: row for row in self.of("row")}


def until_closed(connection, heard=None):
    """All messages up to the end."""
    heard = heard or Heard()
    try:
        while True:
            heard.messages.append(json.loads(connection.recv(timeout=60)))
    except ConnectionClosed as closed:
        heard.code = closed.rcvd and closed.rcvd.code
    return heard


def said(server, *messages, query="", **options):
    """What the server answers to messages, until it closes."""
    with opened(server, query, **options) as connection:
        with suppress(ConnectionClosed):  # the server may refuse before the last of them
            for message in messages:
                connection.send(json.dumps(message) if isinstance(message, dict) else message)
        return until_closed(connection)


def streamed(server, content, settings, sizes=(3200,), query="", **options):
    """What the server says to audio in messages of sizes that repeat."""

    def parts(start=0):
        for size in cycle(sizes):
            if start >= len(content):
                return
            yield content[start : start + size]
            start += size

    return said(server, settings, *parts(), END, query=query, **options)


def assert_rows_are(heard, timeline, atol=1.01e-4):
    """The last rows are those of a timeline; probabilities are rounded to four digits."""
    assert heard.code == 1000, heard.messages[-1]
    end = heard.messages[-1]
    assert (end["type"], end["rows"]) == ("end", len(timeline))
    assert end["duration"] == round(timeline["end"].iloc[-1], 3)
    rows = heard.last_rows
    assert sorted(rows) == list(range(len(timeline)))
    classes = timeline.columns[4:].tolist()
    for expected in timeline.itertuples():
        row = rows[expected.Index]
        assert (row["start"], row["end"]) == (expected.start, expected.end)
        assert (row["emotion"], row["silence"]) == (expected.emotion, expected.silence)
        if row["silence"]:
            assert row["probabilities"] is None
        else:
            assert list(row["probabilities"]) == classes
            found = list(row["probabilities"].values())
            assert_allclose(found, timeline.loc[row["index"], classes].tolist(), rtol=0, atol=atol)
