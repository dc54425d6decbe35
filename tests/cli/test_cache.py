"""`skser cache info` and `prune`."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from skser import FeatureUnionExtractor, cli
from skser.cli.cache import _size

from .test_cli import fail


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A cache of three entries, of the clip that is named last the newest."""
    monkeypatch.chdir(tmp_path)
    FeatureUnionExtractor(["zcr"], memory="mine").fit_transform(np.eye(3, 4000))
    return Path("mine")


def entries(memory):
    return sorted(memory.rglob("*.features"))


def run(*arguments):
    done = CliRunner().invoke(cli.app, ["cache", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_info(memory):
    lines = run("info", memory)
    assert lines[0].startswith("3 entries, ")
    assert lines[0].endswith(" on the disk, 84 B of content")
    assert lines[1:3] == ["of this version: 3", "of other versions: 0"]
    assert lines[3].startswith("last used: 20")


def test_info_as_json(memory):
    content = json.loads("".join(run("info", memory, "--json", "-")))
    assert {name: content[name] for name in ("n_entries", "n_outdated", "n_abandoned")} == {
        "n_entries": 3,
        "n_outdated": 0,
        "n_abandoned": 0,
    }
    assert content["n_bytes"] == 84
    assert content["oldest_use"] <= content["newest_use"]


def test_prune(memory):
    assert run("prune", memory, "--older-than", "30d")[0] == "removed 0 entries, 0 B on the disk"
    assert run("prune", memory, "--max-size", "0GB", "--dry-run")[0].startswith("would remove 3 ")
    assert len(entries(memory)) == 3
    lines = run("prune", memory, "--max-size", "0")
    assert lines[0].startswith("removed 3 entries, ")
    assert lines[1] == "left: 0 entries, 0 B on the disk"
    assert entries(memory) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nowhere"], "nowhere: is not a cache, because it has no folder skser-features"),
        (["prune", "."], ".: is not a cache, because it has no folder skser-features"),
        (
            ["prune", "mine", "--older-than", "30"],
            "--older-than must be a number and one of d, w, got '30'",
        ),
        (
            ["prune", "mine", "--max-size", "-1GB"],
            "--max-size must be a number and one of B, kB, MB, GB, TB, got '-1GB'",
        ),
    ],
)
def test_errors_are_one_line(memory, monkeypatch, capsys, arguments, message):
    code, stderr = fail(monkeypatch, capsys, "cache", *arguments)
    assert (code, stderr) == (1, f"skser: error: {message}\n")
    assert len(entries(memory)) == 3


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_700_000, "12.7 MB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_sizes(n_bytes, text):
    assert _size(n_bytes) == text
