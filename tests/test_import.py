import subprocess
import sys

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
def test_tensorflow_is_loaded_in_silence_and_with_the_threads_of_its_process(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as joblib does in its workers
    done = run(
        "from skser.networks._tensorflow import tf;"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    assert done.stdout.strip() == "1"
    assert done.stderr == ""


def test_pyav_is_not_needed_for_sound_files():
    program = "import sys; sys.modules['av'] = None; from skser.audio import AudioLoader"
    assert run(program).stderr == ""
