"""Progress: a bar on a terminal or in a notebook, a line a minute elsewhere, such as in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tqdm.auto import tqdm

DELAY = 1.0  # seconds before a bar is shown
INTERVAL = 60.0  # seconds between lines in a log
_IN_NOTEBOOK = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)


def progress(iterable: Iterable[Any] | None = None, **kwargs: Any) -> Any:
    """A tqdm bar that appears after a second and disappears at the end.

    Where stderr is no terminal, a line at the start, one a minute and one at the end instead, or
    nothing with ``disable=None``.
    """
    is_shown = _IN_NOTEBOOK or (sys.stderr is not None and sys.stderr.isatty())
    disable = kwargs.pop("disable", False)
    if not is_shown and disable is False:
        return ProgressLines(iterable, **kwargs)
    disable = bool(disable) or not is_shown
    # Every step may redraw the bar, as no thread does it in a step that takes long.
    shown = {"delay": DELAY, "leave": False, "dynamic_ncols": True, "miniters": 1}
    return Bar(iterable, disable=disable, **shown, **kwargs)


class Bar(tqdm):
    """A tqdm bar without the thread that watches it, which even a disabled one would start."""

    monitor_interval = 0


class ProgressLines:
    """What `progress` uses of a tqdm bar, as lines at the start, every minute and at the end."""

    def __init__(
        self,
        iterable: Iterable[Any] | None = None,
        *,
        desc: str,
        unit: str,
        total: int | None = None,
        initial: int = 0,
    ) -> None:
        self.n = initial
        self._iterable = iterable
        self._desc = desc
        self._unit = unit
        self._total = len(iterable) if total is None else total  # type: ignore[arg-type]
        self._initial = initial
        self._values: Mapping[str, str] = {}
        self._start = time.monotonic()
        self._is_open = self._total > initial  # else there is nothing to do
        self._write(self._counted(self._total - initial))

    def __iter__(self) -> Iterator[Any]:
        with self:
            for item in self._iterable or ():
                yield item
                self.update()

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def update(self, n: int = 1) -> None:
        """Count ``n`` more, and write a line if the last one is a minute old."""
        self.n += n
        if time.monotonic() - self._written >= INTERVAL:
            self._write(self._counted_so_far() + self._postfix())

    def set_postfix(self, values: Mapping[str, str], refresh: bool = True) -> None:
        """Values for the next line."""
        self._values = values

    def close(self) -> None:
        """Write the last line, once."""
        seconds = time.monotonic() - self._start
        self._write(f"{self._counted_so_far()} in {seconds:.0f} s{self._postfix()}")
        self._is_open = False

    def _write(self, text: str) -> None:
        self._written = time.monotonic()
        if self._is_open and sys.stderr is not None:
            print(f"{self._desc}: {text}", file=sys.stderr, flush=True)

    def _counted_so_far(self) -> str:
        done, total = self.n - self._initial, self._total - self._initial
        return self._counted(total) if done == total else f"{done} of {self._counted(total)}"

    def _postfix(self) -> str:
        return "".join(f", {name} {value}" for name, value in self._values.items())

    def _counted(self, n: int) -> str:
        return f"{n} {self._unit}{'' if n == 1 else 's'}"
