"""Progress bars, in one style."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm


def progress(*args: Any, **kwargs: Any) -> Any:
    """A tqdm bar for work of more than a second, which disappears when it is done."""
    return tqdm(*args, delay=1, leave=False, dynamic_ncols=True, **kwargs)
