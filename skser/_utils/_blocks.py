"""Blocks of rows, so that work on large arrays needs little memory beside them."""

from __future__ import annotations

from collections.abc import Iterator

_NUMBERS_AT_ONCE = 2**19  # 4 MiB in float64


def blocks_of(n_rows: int, n_numbers: int, at_least: int = 1) -> Iterator[slice]:
    """Slices of ``n_rows`` rows of ``n_numbers`` numbers, with ``at_least`` so many rows.

    They depend on the shape alone, so sums over them round alike wherever the rows are kept.
    """
    size = max(at_least, _NUMBERS_AT_ONCE // max(n_numbers, 1))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
