"""A server process with a small model, as `skser serve` starts it."""

import contextlib
import io
import re
import subprocess
import sys
import threading

import httpx
import numpy as np
import pytest
import soundfile
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import Bunch

import skser
from skser.inference import TrainingAudio
from skser.persistence import ModelInfo
from tests.evaluations import noises, quick_pipeline


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


@contextlib.contextmanager
def serving(*arguments, python=()):
    """Run `skser serve` at a free port; its address, process and log."""
    process = subprocess.Popen(
        [sys.executable, *python, "-m", "skser.cli", "serve", *map(str, arguments), "--port", "0"],
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
