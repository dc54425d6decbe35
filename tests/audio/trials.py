"""Recordings tried in a process of their own, which may crash, hang or run out of memory.

    python -m tests.audio_trials 137 208

says what is wrong with what skser makes of the mutations of these numbers, and keeps the files.
"""

import multiprocessing
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np

from .samples import encode, noise

SECONDS = 20  # for one recording, which takes milliseconds
MEMORY = 2**29  # bytes above what the process has at its start
LONGEST = 60  # s; no seed is longer than a few


class Trials:
    """A process that tries one recording after the other; if it dies, another takes its place."""

    def __init__(self):
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._connection.recv()  # all is imported

    def failure(self, path):
        """What skser does with a recording and must not do; None if it does nothing of the kind."""
        self._connection.send(str(path))
        try:
            if self._connection.poll(SECONDS):
                return self._connection.recv()
            found = f"takes more than {SECONDS} s"
        except (EOFError, ConnectionError):
            self._process.join(SECONDS)
            found = f"the process died ({self._process.exitcode})"
        self._process.kill()
        self.__init__()
        return found

    def stop(self):
        self._connection.close()
        self._process.join(SECONDS)


def _work(connection):
    import resource

    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(encode(noise(8000)))
        file.flush()
        assert try_recording(file.name) is None  # imports what is needed
    warnings.simplefilter("error")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    with tempfile.TemporaryFile() as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
        connection.send(None)
        while True:
            try:
                path = connection.recv()
            except EOFError:
                return
            found = try_recording(path)
            output.seek(0)
            if printed := output.read():
                found = f"{found or ''} printed {printed[:300]}"
            output.seek(0)
            output.truncate()
            connection.send(found)


def try_recording(path):
    """Give a recording to all that reads recordings; what went wrong, or None."""
    from skser.datasets import check_audio
    from skser.exceptions import AudioWarning

    # What is damaged may have any channels.
    warnings.filterwarnings("ignore", ".* channels cancel", AudioWarning)
    try:
        for source in (path, Path(path).read_bytes()):
            _read_in_every_way(source)
        (problem,) = check_audio([path], max_duration=None)["problem"]
        assert problem is None or _is_one_line(problem), f"check_audio says {problem!r}"
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
        return f"{type(error).__name__}: {error} ({' '.join(places)})"
    return None


def _read_in_every_way(source):
    import skser

    info = _result(source, skser.inspect_audio, source)
    assert info is None or min(info[:3]) > 0, info
    waveform = _waveform(source, skser.read_audio, source)
    whole = _waveform(source, skser.read_audio, source, None)
    if info is not None and whole is not None:
        assert len(whole) == info.n_samples, f"{len(whole)} samples instead of {info.n_samples}"
    part = _waveform(source, skser.read_audio, source, 8000, offset=0.05, duration=0.2)
    assert part is None or len(part) <= 1600, f"{len(part)} samples instead of 1600"
    if info is not None:
        blocks = _waveform(source, _streamed, source, info)
        if blocks is not None and waveform is not None:
            np.testing.assert_allclose(blocks, waveform, rtol=1e-4, atol=1e-5)
    # Content in memory differs only in how it is decoded, which the calls above try.
    for options in ({}, {"trim_db": 40, "normalize": "rms"}) if isinstance(source, str) else ():
        features = _result(source, _features, source, options)
        assert features is None or np.isfinite(features).all(), f"features {features}"


def _streamed(source, info):
    from skser.audio._decoding import channel_to_read
    from skser.audio._streaming import stream_audio

    blocks = stream_audio(source, info, 16000, channel_to_read(source, info, "mean"))
    return np.concatenate(list(blocks)), 16000


def _features(source, options):
    import skser

    clips = skser.AudioLoader(duration=1.0, **options).transform([source])
    return skser.FeatureUnionExtractor(["rms", "zcr"]).fit_transform(clips)


def _waveform(source, function, *args, **kwargs):
    found = _result(source, function, *args, **kwargs)
    if found is None:
        return None
    waveform, sr = found
    assert waveform.ndim == 1, f"shape {waveform.shape}"
    assert waveform.dtype == np.float32, f"dtype {waveform.dtype}"
    assert 0 < len(waveform) <= LONGEST * sr, f"{len(waveform)} samples at {sr} Hz"
    assert np.isfinite(waveform).all(), f"waveform {waveform}"
    return waveform


def _result(source, function, *args, **kwargs):
    """What a call returns, or None if it raises the error that it should."""
    from skser.exceptions import AudioError

    try:
        return function(*args, **kwargs)
    except AudioError as error:
        message = str(error)
    name = f"<{len(source)} bytes>" if isinstance(source, bytes) else source
    assert message.startswith(f"{name}: "), message
    assert _is_one_line(message), message
    return None


def _is_one_line(message):
    return message.isprintable() and len(message) < 500


if __name__ == "__main__":
    from .mutations import make_seeds, mutate

    folder = Path(tempfile.mkdtemp())
    seeds = make_seeds(folder)
    trials = Trials()
    for number in map(int, sys.argv[1:]):
        name, content = mutate(number, seeds)
        (folder / name).write_bytes(content)
        print(folder / name, trials.failure(folder / name) or "is treated well")
    trials.stop()
