"""PerFile: what is found out about files once, as long as they do not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")


class PerFile(Generic[T]):
    """Results of a function of files, called again only when the signature of a file changes.

    There is room for all files of the largest list of recordings so far: a cross-validation reads
    it in the same order several times, so with less room none would be found again.
    """

    _room: ClassVar[int] = 2**16

    def __init__(self, function: Callable[..., T]) -> None:
        self._function = function
        self._results: dict[str, tuple[int, int, T]] = {}

    @staticmethod
    def make_room(n_files: int) -> None:
        """Make room for that many files."""
        PerFile._room = max(PerFile._room, n_files)

    def __call__(self, path: str, signature: tuple[str, int, int], *arguments: Any) -> T:
        """The result for a file of this signature; the function gets its path and arguments."""
        absolute, size, mtime_ns = signature
        known = self._results.get(absolute)
        if known is not None and known[:2] == (size, mtime_ns):
            return known[2]
        result = self._function(path, *arguments)
        if len(self._results) >= self._room:
            self._results.clear()
        self._results[absolute] = (size, mtime_ns, result)
        return result

    def clear(self) -> None:
        """Forget all results."""
        self._results.clear()
