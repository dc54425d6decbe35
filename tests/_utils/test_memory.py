"""Available memory, by what the system and its control groups tell."""

import sys
from pathlib import Path

import pytest

from skser._utils import _memory
from skser._utils._memory import available_memory, insufficient_memory

reads_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def meminfo():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {name: 1024 * int(rest.split()[0]) for name, rest in (x.split(":") for x in lines)}


@reads_proc
def test_is_at_most_that_of_the_machine():
    assert 0 < available_memory() <= meminfo()["MemTotal"]


@reads_proc
@pytest.mark.parametrize("version", [1, 2])
def test_is_what_any_control_group_above_leaves(monkeypatch, tmp_path, version):
    """The container's own group has no limit, the one above has 1000 bytes, 300 of them cached."""
    names = [
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
        ("memory.max", "memory.current", ""),
    ][version - 1]
    line = ["4:cpu,memory:/above/own", "0::/above/own"][version - 1]
    top = tmp_path / "memory" if version == 1 else tmp_path
    for folder, limit in [(top / "above/own", "max"), (top / "above", "1000")]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / names[0]).write_text(f"{limit}\n")
        (folder / names[1]).write_text("500\n")
        (folder / "memory.stat").write_text(
            f"anon 200\n{names[2]}inactive_file 200\n{names[2]}active_file 100\n"
        )
    groups = tmp_path / "cgroup"
    groups.write_text(f"1:name=systemd:/else\n{line}\n")
    read = Path.read_text
    monkeypatch.setattr(_memory, "_CGROUPS", tmp_path)
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda path, *args: read(groups if str(path) == "/proc/self/cgroup" else path, *args),
    )
    assert available_memory() == 1000 - 500 + 300


@pytest.mark.parametrize(
    ("available", "n_copies", "expected"),
    [(10**9, 1, None), (10**9 - 1, 1, 10**9 - 1), (10**9, 2, 10**9), (0, 1, 0), (None, 9, None)],
)
def test_memory_for_a_large_array(monkeypatch, available, n_copies, expected):
    monkeypatch.setattr(_memory, "available_memory", lambda: available)
    assert insufficient_memory(10**9, n_copies) == expected


def test_small_arrays_need_no_look_at_the_memory(monkeypatch):
    monkeypatch.setattr(_memory, "available_memory", None)
    assert insufficient_memory(2**28) is None
