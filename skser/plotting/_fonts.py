"""Fonts for labels in every script: what the usual font lacks is taken from installed ones."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from ..exceptions import SkserWarning


def make_legible(figure: Any) -> None:
    """Give the texts of a figure fonts that have all their characters; none is a formula."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    characters = frozenset("".join(text.get_text() for text in texts)) - {"\n"}
    families = families_for(characters)
    for text in texts:
        text.set_fontfamily(families)
        text.set_parse_math(False)  # a $ in a label is one


@cache
def families_for(characters: frozenset[str]) -> list[str]:
    """The usual font, and as few installed ones as have what it lacks."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

    usual = FontProperties()
    missing = {ord(c) for c in characters} - set(get_font(findfont(usual)).get_charmap())
    families = list(usual.get_family())
    # A font of last resort has a box for every character.
    real = [entry for entry in fontManager.ttflist if not entry.name.startswith("Last Resort")]
    for entry in sorted(real, key=lambda entry: (entry.weight != 400, entry.name)):
        if not missing:
            return families
        try:
            had = missing & set(get_font(entry.fname).get_charmap())
        except (OSError, RuntimeError):  # a file that is gone, or no font
            continue
        if had:
            families.append(entry.name)
            missing -= had
    if missing:
        warnings.warn(
            f"no installed font has the characters {''.join(map(chr, sorted(missing)))}; one such "
            "as Noto Sans of their script would show them",
            SkserWarning,
            stacklevel=4,
        )
    return families
