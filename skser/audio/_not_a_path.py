"""Strings that are no paths: addresses and base64."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

BASE64 = "is text in base64, not a path; give the bytes: base64.b64decode(...)"

# A Path has one slash of https://. One letter is a drive of Windows.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_DATA = re.compile(r"data:[\w/+.-]*[;,]")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{100,}|[A-Za-z0-9_-]{100,})={0,2}")


def not_a_path(path: str) -> str | None:
    """What a string is that is no path, and what is taken instead; None for a path."""
    if path[:6].lower() == "file:/":
        return f"is an address; give the path, {unquote(urlsplit(path).path)[:100]}"
    if _ADDRESS.match(path):
        return "is an address; download it, then give the path or the bytes of the file"
    if _DATA.match(path) or _BASE64.fullmatch("".join(path[:1000].split())):
        return BASE64
    return None
