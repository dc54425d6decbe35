"""Progress bars, in one style."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm

DELAY = 1.0  # seconds before a bar is shown


def progress(*args: Any, **kwargs: Any) -> Any:
    """A tqdm bar for work of more than a second, which disappears when it is done."""
    return tqdm(*args, delay=DELAY, leave=False, dynamic_ncols=True, **kwargs)
