import json
import os
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
import soundfile

import skser
from skser.exceptions import DataError, ModelError
from skser.inference._prediction_process import Ended, PredictionProcesses

from ..persistence.models import quick_model
from .fragile import FragileModel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def save(path, **attributes):
    model = FragileModel().fit(None)
    vars(model).update(attributes)
    joblib.dump(model, path)
    return path


def processes(model):
    return PredictionProcesses(model, runtime="auto", trusted=[])


@pytest.mark.slow
def test_only_the_file_that_crashes_it_is_lost(tmp_path):
    files = [str(tmp_path / f"{name}.wav") for name in ("a", "crash", "b", "once", "c")]
    for file in files:
        soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 1600), 16000)
    pool = processes(save(tmp_path / "m.joblib"))
    try:
        emotions, *rows = map(json.loads, pool.predict(files).splitlines())
    finally:
        pool.end()
    assert emotions == ["calm", "sad"]
    crashed = rows.pop(1)
    assert crashed == {"error": "crashes the prediction (SIGKILL)"}
    assert rows == [{"probabilities": [0.5, 0.5]}] * 4


def test_error_of_the_model(tmp_path):
    model = save(tmp_path / "m.joblib", classes_=["calm", "file"])
    pool = processes(model)
    message = f"^{model}: has an emotion 'file', which is another column's name$"
    with pytest.raises(DataError, match=message):
        pool.predict(["a.wav"])
    pool.end()


def test_process_that_never_starts(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    pool = processes(tmp_path / "m.joblib")
    message = r"m\.joblib: the process that loads the model ended \(exit code 1\)$"
    with pytest.raises(ModelError, match=message):
        pool.predict(["a.wav"])
    pool.end()


def test_end_during_a_prediction(tmp_path, monkeypatch):
    (tmp_path / "waits").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "waits").chmod(0o700)
    monkeypatch.setattr("sys.executable", str(tmp_path / "waits"))
    pool = processes(tmp_path / "m.joblib")
    raised = []

    def predict():
        with pytest.raises(Ended) as caught:
            pool.predict(["a.wav"])
        raised.append(caught.type)

    thread = threading.Thread(target=predict)
    thread.start()
    pool.end()
    thread.join(30)
    assert raised == [Ended]
    with pytest.raises(Ended):
        pool.predict(["a.wav"])


def test_process_is_light(tmp_path):
    pipeline, clips = quick_model()
    skser.save(pipeline, tmp_path / "m.skser")
    soundfile.write(tmp_path / "a.wav", clips[0], 16000)
    program = (
        "import sys; from skser.inference._prediction_process import main; main();"
        "print([m for m in ('tensorflow', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "m.skser"), "auto"],
        input=json.dumps([str(tmp_path / "a.wav")]).encode() + b"\n",
        capture_output=True,
        check=True,
    )
    assert done.stderr == b"[]\n"  # prints go there, since standard output is for answers
    emotions, row = map(json.loads, done.stdout.splitlines())
    expected = pipeline.predict_proba([str(tmp_path / "a.wav")])[0]
    assert emotions == pipeline.classes_.tolist()
    np.testing.assert_allclose(row["probabilities"], expected, rtol=1e-5)
