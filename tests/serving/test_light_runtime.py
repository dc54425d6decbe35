"""The requirement lists of the image, installed in a fresh environment that then answers."""

import configparser
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import skser
from skser.datasets import make_emotional_speech
from skser.recipes import functionals
from tests.evaluations import quick_pipeline
from tests.serving.conftest import recording, serving

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "deploy"
HEAVY = ("tensorflow", "keras", "scikeras", "librosa", "optuna", "matplotlib", "skops")


def pins(name):
    """Versions by package of a list and those it includes."""
    lines = (LISTS / f"{name}.txt").read_text().splitlines()
    found = dict(line.split("==") for line in lines if "==" in line)
    included = [line.removeprefix("-r ").removesuffix(".txt") for line in lines if line[:2] == "-r"]
    for other in included:
        above = pins(other)
        assert not above.keys() & found.keys()
        found |= above
    return found


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_lists_have_the_extras():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    for name, extra in [("serve", "serve"), ("serve-embeddings", "embeddings")]:
        wanted = {normal(re.split(r"[><=]", line)[0]) for line in extras[extra].split()}
        assert wanted <= pins(name).keys()
    assert not pins("serve-embeddings").keys() & set(HEAVY)
    assert pins("serve").keys() < pins("serve-onnx").keys() < pins("serve-embeddings").keys()


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """Python of an environment with the light runtime, where packages can be had."""
    if sys.version_info < (3, 11):
        pytest.skip("the lists are for Python 3.11 and later")
    home = tmp_path_factory.mktemp("light")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    try:
        probe = [*pip, "download", "--no-deps", "--dest", home / "probe", "lazy_loader"]
        probed = subprocess.run(probe, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("the packages index does not answer")
    if probed.returncode:
        pytest.skip(f"no packages index: {probed.stderr.strip().splitlines()[-1]}")
    source = home / "source"  # as for the image, since pip builds in the folder
    shutil.copytree(ROOT / "skser", source / "skser", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    venv.create(home / "venv")
    python = home / "venv" / "bin" / "python"
    install = [*pip, "--python", python, "install", "--quiet", "--no-deps", "--no-compile"]
    installed = subprocess.run(
        [*install, "-r", LISTS / "serve-onnx.txt", source], capture_output=True, text=True
    )
    assert installed.returncode == 0, installed.stderr
    (package,) = (home / "venv").glob("lib/python*/site-packages/skser")
    for file in (ROOT / "skser").rglob("*.nb?"):  # machine code need not be compiled again
        beside = package / file.relative_to(ROOT / "skser")
        beside.parent.mkdir(exist_ok=True)
        shutil.copy(file, beside)
    subprocess.run([python, "-I", LISTS / "compile.py"], check=True)
    return python


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Files of a model without a network and of one with an ONNX graph."""
    pytest.importorskip("tf2onnx")
    home = tmp_path_factory.mktemp("models")
    speech = make_emotional_speech(n_speakers=2, emotions=("happy", "sad"), random_state=0)
    network = skser.CNNEmotionClassifier(
        "dense", network__dense_units=(4,), epochs=1, random_state=0
    )
    pipelines = {
        "functionals": functionals(),
        "network": quick_pipeline(load__duration=3.0, load__pad=None, classify=network),
    }
    for name, pipeline in pipelines.items():
        pipeline.fit(speech.waveforms, speech.target)
        skser.save(pipeline, home / f"{name}.skser")
    return {name: home / f"{name}.skser" for name in pipelines}


@pytest.mark.slow
def test_a_fresh_environment_answers(light, models, tmp_path):
    """`skser serve`, `predict` and `timeline`, with the probabilities of this environment."""
    program = "import sys, importlib.util as u; print(*filter(u.find_spec, sys.argv[1:]))"
    assert subprocess.check_output([light, "-I", "-c", program, *HEAVY], text=True) == "\n"
    content = recording(4.0)
    with serving(*models.values(), python=(light, "-I")) as server, server.client() as client:
        for name, path in models.items():
            parameters = {"model": name}
            predicted = client.post("/v1/predict", params=parameters, content=content).json()
            expected = skser.load(path).predict_proba([content])[0]
            (answer,) = predicted["predictions"]
            assert [*answer["probabilities"].values()] == pytest.approx(expected, abs=1e-4)
            rows = client.post("/v1/timeline", params=parameters, content=content).json()
            assert [row["start"] for row in rows] == [0, 1, 2, 3]
            assert rows[0]["probabilities"].keys() == answer["probabilities"].keys()
    assert "NUMBA_CACHE_DIR" not in "".join(server.log)  # all had been compiled
    file = tmp_path / "noise.wav"
    file.write_bytes(content)
    for command, n_lines in (("predict", 2), ("timeline", 5)):
        arguments = [command, models["network"], file, "--csv", "-"]
        done = run_light(light, "", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == n_lines


@pytest.mark.slow
def test_a_network_without_its_runtime_is_named(light, models):
    """The service does not start, in place of failing at its first request."""
    hide = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "onnxruntime" else find_spec(name, *a)
"""
    done = run_light(light, hide, "serve", models["network"], "--port", "0")
    assert done.returncode == 1
    assert done.stderr == (
        f"skser: error: {models['network']}: its network needs onnxruntime: "
        "python -m pip install onnxruntime\n"
    )


def run_light(python, before, *arguments):
    """The command line in the light environment, after a few lines of Python."""
    program = f"{before}\nfrom skser.cli import main\nmain()"
    return subprocess.run(
        [python, "-I", "-c", program, *arguments], capture_output=True, text=True, timeout=120
    )
