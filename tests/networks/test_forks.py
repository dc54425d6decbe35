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
sys.stdout.flush()
child = os.fork()
if child == 0:
    signal.alarm(60)  # kills the child, were it to wait forever
    try:
        {inside}
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


def run(runtime, before, inside, end=QUICK_END):
    program = PROGRAM.format(
        clip=CLIP,
        model=str(golden_model("dense_195")),
        runtime=runtime,
        before=before,
        inside=inside,
        end=end,
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    *lines, status = done.stdout.splitlines()
    assert status == "status 0", done.stderr
    return lines


@pytest.mark.parametrize("runtime", ["onnx", "tensorflow"])
def test_a_model_loaded_before_the_fork(runtime):
    (alone,) = run(runtime, "", PREDICT)
    assert alone.count("[") == 4


@pytest.mark.parametrize("end", [QUICK_END, "sys.exit()"])
def test_onnxruntime_predicts_before_and_after(end):
    before, after = run("onnx", PREDICT, PREDICT, end)
    assert before == after


def test_a_child_that_does_not_predict_ends():
    assert len(run("onnx", PREDICT, "pass", "sys.exit()")) == 1


def test_tensorflow_says_why_it_cannot_run_after():
    (_, last) = run("tensorflow", PREDICT, PREDICT)
    assert last.startswith("TensorFlow had run before this process was forked")
    assert all(way in last for way in ('"spawn"', "after the fork", 'runtime="onnx"'))


def test_after_tensorflow_has_run_onnxruntime_still_can():
    again = f"pipeline = skser.load({str(golden_model('dense_195'))!r}); {PREDICT}"
    before, after = run("tensorflow", PREDICT, again)
    assert before == after


def test_tensorflow_refuses_to_fit_after():
    fit = "pipeline.fit(clips * 4, ['sad', 'calm', 'sad'] * 4)"
    (last,) = run("tensorflow", "pipeline.predict_proba(clips); capture = None", fit)
    assert last.startswith("TensorFlow had run before this process was forked")


def test_tensorflow_of_other_code_than_skser():
    before = "import tensorflow as tf; tf.constant(1.0)"
    (last,) = run("tensorflow", before, PREDICT)
    assert last.startswith("TensorFlow had run before this process was forked")
