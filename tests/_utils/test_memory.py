"""Available memory, by what the system and its control groups tell."""

import sys
from pathlib import Path

import pytest

from skser._utils import _memory
from skser._utils._memory import available_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def meminfo():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {name: 1024 * int(rest.split()[0]) for name, rest in (x.split(":") for x in lines)}


def test_is_at_most_that_of_the_machine():
    assert 0 < available_memory() <= meminfo()["MemTotal"]


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
