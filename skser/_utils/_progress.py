"""Progress bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm

DELAY = 1.0  # seconds before a bar is shown


def progress(iterable: Iterable[Any] | None = None, **kwargs: object) -> Any:
    """A tqdm bar that appears after a second and disappears at the end."""
    return tqdm(iterable, delay=DELAY, leave=False, dynamic_ncols=True, **kwargs)
