"""A server process with a small model, as `skser serve` starts it."""

import contextlib
import io
import re
import subprocess
import sys
import threading
import time
from dataclasses import fields

import httpx
import numpy as np
import pytest
import soundfile
import uvicorn
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import Bunch

import skser
from skser.inference import TrainingAudio
from skser.persistence import ModelInfo
from skser.serving import Limits, create_app
from skser.serving._connections import settings
from tests.evaluations import noises, quick_pipeline


def tone(seconds):
    """Content of a FLAC file that is small for its length, and not silent."""
    file = io.BytesIO()
    wave = 0.1 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)
    with soundfile.SoundFile(file, "w", 16000, 1, format="FLAC") as sound:
        for _ in range(seconds):
            sound.write(wave)
    return file.getvalue()


def recording(seconds=1.0, level=0.1, format="WAV"):
    """Content of a file with noise."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, level, int(16000 * seconds))
    soundfile.write(file, noise, 16000, format=format)
    return file.getvalue()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """A model file, with its training audio."""
    speech = Bunch(**noises(), DESCR="Licence: CC0")
    pipeline = quick_pipeline(
        load__duration=3.0, load__pad=None, classify=LinearDiscriminantAnalysis()
    )
    pipeline.fit(speech.waveforms, speech.target)
    path = tmp_path_factory.mktemp("served") / "quick.skser"
    audio = TrainingAudio.of(pipeline, speech.waveforms)
    skser.save(pipeline, path, info=ModelInfo.of(speech, audio=audio.to_dict()))
    return path


# In the server process any write to a file is an error, so uploads stay in memory.
_PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from skser.cli import main
main()
"""


@contextlib.contextmanager
def serving(*arguments, python=(sys.executable,)):
    """Run `skser serve` at a free port; its address, process and log."""
    process = subprocess.Popen(
        [*python, "-c", _PROGRAM, "serve", *map(str, arguments), "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = []
    started = threading.Event()
    address = []

    def read():
        for line in process.stderr:
            log.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                address.append(found[1])
                started.set()
        started.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        started.wait(60)
        assert address, "".join(log)
        yield Server(address[0], process, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
        reader.join(20)
        process.stderr.close()


class Server:
    def __init__(self, address, process, log):
        self.address, self.process, self.log = address, process, log

    def client(self, **options):
        return httpx.Client(base_url=self.address, timeout=60, **options)


@pytest.fixture(scope="session")
def server(model_file):
    with serving(model_file) as running:
        yield running


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


@contextlib.contextmanager
def in_thread(model_file, **options):
    """A server of the application in a thread, for settings of one test."""
    limits = {name: options.pop(name) for name in list(options) if name in LIMITS}
    app = create_app([model_file], limits=Limits(**limits), **options)
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=5, **settings())
    running = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
    thread.start()
    try:
        until(lambda: running.started)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=60) as client:
            client.app, client.listener = app, listener
            yield client
    finally:
        running.should_exit = True
        thread.join(20)
        listener.close()


LIMITS = {limit.name for limit in fields(Limits)}


def until(condition, seconds=50.0):
    """Wait until a condition holds; not longer than a session may be without a message."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
