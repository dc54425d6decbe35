"""`skser predict --out`: partitions, which survive whatever ends the run."""

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli
from skser.audio._folders import find_audio
from skser.exceptions import MissingDependencyError, SkserError
from skser.inference._partitions import Partitions
from tests.clusters import local_cluster
from tests.persistence.models import quick_model

N_FILES = 60  # and two more
SIZE = 4


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two models, and recordings, a silent and a broken one among them."""
    home = tmp_path_factory.mktemp("home")
    pipeline, clips = quick_model()
    skser.save(pipeline, home / "model.skser")
    pipeline[-1].intercept_[0] += 0.1
    skser.save(pipeline, home / "other.skser")
    (home / "store").mkdir()
    for i in range(N_FILES):
        clip = clips[i % 5] * (0.2 + 0.8 * i / N_FILES)
        soundfile.write(home / "store" / f"{i:03}.flac", clip, 16000)
    soundfile.write(home / "store" / "silent.flac", 0 * clips[0], 16000)
    (home / "store" / "broken.wav").write_text("no audio")
    return home


def invoke(*arguments, stdin=None):
    arguments = ["predict", *map(str, arguments)]
    return CliRunner().invoke(cli.app, arguments, input=stdin, catch_exceptions=False)


def label(out, *arguments, model="model.skser", size=SIZE):
    return invoke(model, "store", "--out", out, "--partition-size", size, *arguments)


def start(out, *arguments):
    """The same command in a process."""
    command = [sys.executable, "-m", "skser", "predict", "model.skser", "store", "--out", out]
    return subprocess.Popen(
        [*map(str, command), "--partition-size", "1", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )


def n_done(out):
    with contextlib.suppress(FileNotFoundError):
        return sum(name.startswith("0") for name in os.listdir(f"{out}.parts"))
    return 0


def wait_until_done(n, out, process):
    """Wait for partitions, at most a minute."""
    limit = time.monotonic() + 60
    while n_done(out) < n and process.poll() is None:
        assert time.monotonic() < limit
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(home, tmp_path_factory):
    """The table of a run without interruption."""
    out = tmp_path_factory.mktemp("whole") / "whole.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        label(out)
    return out.read_bytes()


def test_values_of_predict_table(at_home, tmp_path):
    out = tmp_path / "labels.parquet"
    done = label(out, "--jobs", 2, "--abstain-below", 0.8)
    assert done.exit_code == 1
    assert done.stdout == f"wrote {out}\n"
    assert "1 of 62 recordings are unusable" in done.stderr
    assert os.listdir(tmp_path) == [out.name]
    table = pd.read_parquet(out)
    pipeline = skser.load("model.skser")
    expected = skser.predict_table(pipeline, table["file"].tolist(), abstain_below=0.8)
    assert table["file"].tolist() == sorted(f"store/{name}" for name in os.listdir("store"))
    for name in ("emotion", "error"):
        pd.testing.assert_series_equal(
            table[name].astype(object).where(table[name].notna(), None), expected[name]
        )
    assert table["silence"].tolist() == expected["silence"].tolist()
    numbers = [frame[["angry", "calm", "sad"]].to_numpy() for frame in (table, expected)]
    np.testing.assert_allclose(*numbers, rtol=1e-5)


def test_columns_of_predict_csv(at_home, whole):
    usual = list(csv.reader(invoke("model.skser", "store", "--csv", "-").stdout.splitlines()))
    labelled = list(csv.reader(whole.decode().splitlines()))
    assert [row[-1] for row in labelled if row[-1]] == ["error", "is text, not a recording"]
    assert [row[:-1] for row in labelled if row[-1] in ("", "error")] == usual


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_at_random_points(at_home, tmp_path, whole):
    out = tmp_path / "labels.csv"
    rng = random.Random(0)
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        process = start(out, "--jobs", "2")
        wait_until_done(n_done(out) + rng.randint(1, 12), out, process)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        before = n_done(out)
        assert 0 < before < N_FILES
        if number == signal.SIGINT:
            assert f"{before} of 62 partitions are done; run the same command again" in stderr
            assert stderr.endswith("skser: interrupted\n")
    done = label(out, size=1)
    assert f"continuing: {before} of 62 partitions are done\n" in done.stderr
    assert out.read_bytes() == whole
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_worker_of_a_cluster_is_killed(at_home, tmp_path, whole):
    out = tmp_path / "labels.csv"
    with local_cluster() as (cluster, client):
        process = start(out, "--scheduler", cluster.scheduler_address)
        wait_until_done(5, out, process)
        workers = client.run(os.getpid)
        os.kill(min(workers.values()), signal.SIGKILL)
        _, stderr = process.communicate(timeout=120)
        assert "1 of 62 recordings are unusable" in stderr
        assert out.read_bytes() == whole
        client.wait_for_workers(2, timeout=60)
        plugins = client.run(lambda dask_worker: list(dask_worker.plugins))
        assert not any(name.startswith("skser") for names in plugins.values() for name in names)


@pytest.fixture
def interrupted(at_home, tmp_path):
    """A table with one of 16 partitions done."""
    out = tmp_path / "labels.csv"
    recordings = [str(path) for path in find_audio("store")]
    Partitions(out, recordings, SIZE, Path("model.skser"), "auto").write(0, b"[]\n")
    return out, tmp_path / "labels.csv.parts"


@pytest.mark.parametrize(
    ("arguments", "options", "change"),
    [
        ((), {"model": "other.skser"}, r"the model \(SHA-256\) was \w{12}, is \w{12}"),
        ((), {"size": 5}, "--partition-size was 4, is 5"),
        (("--runtime", "onnx"), {}, "--runtime was auto, is onnx"),
        (
            ("store/001.flac",),
            {},
            r"the list of recordings \(SHA-256\) was \w{12}, is \w{12}, the number of recordings "
            "was 62, is 63",
        ),
    ],
)
def test_other_settings_are_refused(interrupted, arguments, options, change):
    out, parts = interrupted
    message = (
        f"^{parts}: is of another run: {change}; repeat that run to continue it, or remove the "
        "folder to start anew$"
    )
    with pytest.raises(SkserError, match=message):
        label(out, *arguments, **options)
    assert n_done(out) == 1


def test_a_foreign_folder_is_kept(at_home, tmp_path):
    (tmp_path / "labels.csv.parts").mkdir()
    with pytest.raises(SkserError, match=r"labels\.csv\.parts: is not a folder of partitions"):
        label(tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv.parts").is_dir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "labels.txt"], r"--out must be the path of a table, \.parquet or \.csv, got"),
        (["--out", "-"], r"--out must be the path of a table"),
        (["--out", "no/labels.csv"], "its folder no does not exist"),
        (["--out", "model.skser"], "named twice"),
        (["--out", "labels.csv", "--csv", "-"], "^--csv must not be given with --out, got -$"),
        (["--out", "labels.csv", "--adapt"], "^--adapt must not be given with --out, got True$"),
        (["--jobs", "2"], "^--jobs must not be given without --out, got 2$"),
        (["--out", "l.csv", "--jobs", "2", "--scheduler", "tcp://a:1"], "--jobs must not be given"),
        (["--out", "l.csv", "--runtime", "torch"], "--runtime must be"),
    ],
)
def test_errors(at_home, arguments, message):
    before = sorted(os.listdir())
    with pytest.raises(SkserError, match=message):
        invoke("model.skser", "store", *arguments)
    assert sorted(os.listdir()) == before


def test_no_recordings(at_home, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SkserError, match="no recordings in it"):
        invoke("model.skser", tmp_path / "empty", "--out", tmp_path / "labels.csv")
    assert os.listdir(tmp_path) == ["empty"]


def test_recording_on_standard_input(at_home, tmp_path):
    content = (at_home / "store" / "000.flac").read_bytes()
    with pytest.raises(SkserError, match="--out takes files, got a recording on standard input"):
        invoke("model.skser", "-", "--out", tmp_path / "labels.csv", stdin=content)


@pytest.mark.parametrize(
    ("module", "out", "message"),
    [
        ("pyarrow", "labels.parquet", "needs pyarrow: python -m pip install pyarrow"),
        ("distributed", "labels.csv", r"needs Dask: python -m pip install 'skser\[dask\]'"),
    ],
)
def test_missing_package(at_home, tmp_path, monkeypatch, module, out, message):
    monkeypatch.delitem(sys.modules, "skser.inference._partition_cluster", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=message):
        label(tmp_path / out, "--scheduler", "tcp://127.0.0.1:1")
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_no_scheduler(at_home, tmp_path, free_port):
    pytest.importorskip("distributed")
    with pytest.raises(SkserError, match="--scheduler must be the address of a running Dask"):
        label(tmp_path / "labels.csv", "--scheduler", f"tcp://127.0.0.1:{free_port}")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode")
def test_names_outside_utf8(at_home, tmp_path):
    name = os.fsencode(tmp_path) + b"/\xe9t\xe9.flac"
    shutil.copy(at_home / "store" / "000.flac", name)
    for out in ("labels.csv", "labels.parquet"):
        done = invoke("model.skser", os.fsdecode(name), "--out", tmp_path / out)
        assert done.exit_code == 0
    assert name + b"," in (tmp_path / "labels.csv").read_bytes()
    table = pd.read_parquet(tmp_path / "labels.parquet")
    assert table["file"].tolist() == [f"{tmp_path}/\\xe9t\\xe9.flac"]


def test_metadata_of_parquet(at_home, tmp_path):
    import pyarrow.parquet

    invoke("model.skser", "store/000.flac", "--out", tmp_path / "labels.parquet")
    metadata = pyarrow.parquet.read_schema(tmp_path / "labels.parquet").metadata
    manifest = json.loads(metadata[b"skser"])
    assert manifest["n_recordings"] == 1
    assert manifest["version"] == skser.__version__
