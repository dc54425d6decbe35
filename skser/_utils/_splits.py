"""Usual names of the parts of a corpus."""

from __future__ import annotations

import re

_NAMES = {
    "train": "train(?:ing)?",
    "test": "test(?:ing)?",
    "val": "val(?:id(?:ation)?)?|dev(?:elopment)?|eval(?:uation)?",
}
_PATTERNS = {
    part: re.compile(f"(?:{names})(?:[ _-]?(?:set|data))?", re.IGNORECASE)
    for part, names in _NAMES.items()
}


def split_name(name: object) -> str | None:
    """The part that a name denotes, "train", "test" or "val"; None for another name."""
    if not isinstance(name, str):
        return None
    return next((part for part, names in _PATTERNS.items() if names.fullmatch(name)), None)
