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


@pytest.fixture
def threads(monkeypatch):
    """Set the variables of the environment that say how many threads are to be used."""

    def put(environment):
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.mark.slow
def test_tensorflow_is_loaded_in_silence_and_with_the_threads_of_its_process(threads):
    threads({"OMP_NUM_THREADS": "3"})
    done = run(
        "from skser.networks._tensorflow import tf;"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    assert done.stdout.strip() == "3"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, [3]),  # as joblib does in its workers
        ({}, [max(1, joblib.cpu_count() // 2)]),
        ({"TF_NUM_INTRAOP_THREADS": "3"}, []),  # TensorFlow reads it itself
    ],
    ids=["worker", "alone", "user"],
)
def test_threads_that_tensorflow_is_told(threads, environment, expected):
    """Of a stand-in for TensorFlow, which takes seconds to import."""
    threads(environment)
    done = run(
        "import sys; from unittest.mock import MagicMock\n"
        "sys.modules['keras'], sys.modules['tensorflow'] = MagicMock(), (tf := MagicMock())\n"
        "tf.config.threading.get_intra_op_parallelism_threads.return_value = 0\n"
        "import skser.networks._tensorflow\n"
        "put = tf.config.threading.set_intra_op_parallelism_threads\n"
        "print([call.args[0] for call in put.call_args_list])"
    )
    assert done.stdout.strip() == str(expected)


def test_pyav_is_not_needed_for_sound_files():
    program = "import sys; sys.modules['av'] = None; from skser.audio import AudioLoader"
    assert run(program).stderr == ""
