"""Progress bars, in one style."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm


def progress(*args: Any, **kwargs: Any) -> Any:
    """A tqdm bar that disappears from a terminal when it is done with quick work."""
    return tqdm(*args, leave=False, dynamic_ncols=True, **kwargs)
