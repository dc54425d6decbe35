import subprocess
import sys

import joblib
import pytest

import skser


def run(program):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(
    "statement",
    ["import skser", "import skser.datasets", "import skser.cli", "dir(__import__('skser'))"],
)
def test_import_is_light(statement):
    heavy = run(
        f"{statement}; import sys; "
        "print([m for m in ('tensorflow', 'keras', 'numba', 'matplotlib') if m in sys.modules])"
    )
    assert heavy.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert [name for name in skser.__all__ if not hasattr(skser, name)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),  # as joblib does in its workers
        ({}, max(1, joblib.cpu_count() // 2)),
        ({"TF_NUM_INTRAOP_THREADS": "3"}, 0),  # TensorFlow reads it itself
    ],
    ids=["worker", "alone", "user"],
)
def test_tensorflow_is_loaded_in_silence_and_with_the_threads_of_its_process(
    monkeypatch, environment, expected
):
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = run(
        "from skser.networks._tensorflow import tf;"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    assert done.stdout.strip() == str(expected)
    assert done.stderr == ""


def test_pyav_is_not_needed_for_sound_files():
    program = "import sys; sys.modules['av'] = None; from skser.audio import AudioLoader"
    assert run(program).stderr == ""
