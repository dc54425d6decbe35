"""Memory that this process may still use, as far as the system tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_SMALL = 2**28  # bytes that fit into any memory


def available_memory() -> int | None:
    """Bytes that the process can get: of the machine, its container and its limits; or None."""
    limits = [*_of_machine(), *_of_cgroups(), *_of_process()]
    return max(0, min(limits)) if limits else None


def insufficient_memory(n_bytes: int, n_copies: int = 1) -> int | None:
    """Available memory in bytes if it is too small for an array, held ``n_copies`` times.

    None if it suffices, or is unknown.
    """
    available = available_memory() if n_bytes > _SMALL else None
    return available if available is not None and n_copies * n_bytes > available else None


def _of_machine() -> Iterator[int]:
    table = _table(Path("/proc/meminfo"))
    if "MemAvailable:" in table:
        yield 1024 * table["MemAvailable:"]
        return
    with suppress(AttributeError, ValueError, OSError):  # macOS; Windows has no sysconf
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_cgroups() -> Iterator[int]:
    """What the control groups of a container leave; the page cache counts as free."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                top, names = _CGROUPS, ("memory.max", "memory.current")
                cached = ("inactive_file", "active_file")
            elif "memory" in controllers.split(","):
                top = _CGROUPS / "memory"
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
                cached = ("total_inactive_file", "total_active_file")
            else:
                continue
            group = top / path.lstrip("/")
            # A limit of any group above holds too. In a container, the path may be the host's.
            for folder in (group, *group.parents):
                if folder == top.parent:
                    break
                with suppress(OSError, ValueError):  # "max" is no number
                    limit, used = (int((folder / name).read_text()) for name in names)
                    table = _table(folder / "memory.stat")
                    yield limit - used + sum(table.get(name, 0) for name in cached)


def _of_process() -> Iterator[int]:
    """What ``ulimit -v`` leaves."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield limit - pages * resource.getpagesize()


def _table(path: Path) -> dict[str, int]:
    """Lines of a name, a number and perhaps a unit."""
    try:
        words = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {name: int(number) for name, number, *_ in words if number.isdigit()}
