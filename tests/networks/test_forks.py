"""Networks in a forked child, of a process that has or has not predicted before.

Each program runs in a process of its own, because TensorFlow runs in that of the tests.
"""

import os
import subprocess
import sys

import pytest

from tests.persistence.models import CLIP, golden_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork"),
]

PROGRAM = """
import gc, os, signal, sys, warnings
import numpy as np
import skser

warnings.simplefilter("ignore")
clips = [{clip!r}] * 3
pipeline = skser.load({model!r}, runtime={runtime!r})
{before}
for inside in {insides!r}:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # kills the child, were it to wait forever
        try:
            exec(inside)
        except skser.exceptions.ModelError as error:
            print(error)
        del pipeline
        gc.collect()
        sys.stdout.flush()
        {end}
    print("status", os.waitpid(child, 0)[1])
"""
PREDICT = "print(np.round(pipeline.predict_proba(clips), 4).tolist())"


QUICK_END = "os._exit(0)"  # of the workers of multiprocessing


def run(runtime, before, *insides, end=QUICK_END):
    """Lines that are printed before the forks and by the child of each."""
    program = PROGRAM.format(
        clip=CLIP,
        model=str(golden_model("dense_195")),
        runtime=runtime,
        before=before,
        insides=insides,
        end=end,
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    statuses = [line for line in lines if line.startswith("status")]
    assert statuses == ["status 0"] * len(insides), done.stderr
    return [line for line in lines if not line.startswith("status")]


@pytest.mark.parametrize("runtime", ["onnx", "tensorflow"])
def test_a_model_loaded_before_the_fork(runtime):
    (alone,) = run(runtime, "", PREDICT)
    assert alone.count("[") == 4


@pytest.mark.parametrize("end", [QUICK_END, "sys.exit()"])
def test_onnxruntime_predicts_before_and_after(end):
    """A child that does not predict ends, too."""
    before, after = run("onnx", PREDICT, PREDICT, "pass", end=end)
    assert before == after


def test_after_tensorflow_has_run():
    """It says why it can neither predict nor be fitted, and ONNX Runtime still can."""
    fit = "pipeline.fit(clips * 4, ['sad', 'calm', 'sad'] * 4)"
    in_onnx = f"pipeline = skser.load({str(golden_model('dense_195'))!r}); {PREDICT}"
    before, of_predict, of_fit, after = run("tensorflow", PREDICT, PREDICT, fit, in_onnx)
    for last in (of_predict, of_fit):
        assert last.startswith("TensorFlow had run before this process was forked")
        assert all(way in last for way in ('"spawn"', "after the fork", 'runtime="onnx"'))
    assert before == after


def test_tensorflow_of_other_code_than_skser():
    before = "import tensorflow as tf; tf.constant(1.0)"
    (last,) = run("tensorflow", before, PREDICT)
    assert last.startswith("TensorFlow had run before this process was forked")
