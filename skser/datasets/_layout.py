"""What the levels of folders above recordings are: split, classes, speakers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from .._utils._splits import split_name
from ..exceptions import DataError
from ._corpus import EMOTIONS, emotion_name

Level = tuple[str | None, ...]  # the folder of each recording; None if it is not that deep

_SPEAKER = re.compile(
    r"(?:speaker|spkr?|actor|actress|subj(?:ect)?|participant|person|talker)[ _-]*\w+|[fm][_-]?\d+",
    re.IGNORECASE,
)
_MOST = 0.9  # of the recordings must have a folder inside those of emotions for it to matter


def levels_of(home: Path, files: Sequence[Path]) -> list[Level]:
    """The folders of each recording at each level inside ``home``, topmost first."""
    return list(zip_longest(*(file.relative_to(home).parts[:-1] for file in files)))


def names_of(level: Level) -> list[str]:
    """The folders at a level, sorted."""
    return sorted({name for name in level if name is not None})


def split_level(levels: Sequence[Level]) -> int | None:
    """The topmost level whose folders are all named train, test and the like."""
    for number, level in enumerate(levels):
        names = {split_name(name) for name in names_of(level)}
        if None not in names and names & {"train", "test"}:
            return number
    return None


def top_level(levels: Sequence[Level]) -> int | None:
    """The topmost level that is not the split."""
    split = split_level(levels)
    return next((number for number in range(len(levels)) if number != split), None)


def emotion_levels(levels: Sequence[Level]) -> list[int]:
    """Levels whose folders are named after emotions; the classes are clear if there is one.

    A single emotion suffices at the topmost level, as classes may have any name; below, where
    folders rarely are classes, half of the names must be emotions.
    """
    split, top = split_level(levels), top_level(levels)
    shares = {n: _emotion_share(level) for n, level in enumerate(levels) if n != split}
    deep = [n for n, share in shares.items() if n != top and share >= 0.5]
    if top is None or not shares[top]:
        return deep
    if shares[top] == 1:
        deep = [n for n in deep if levels[n].count(None) <= (1 - _MOST) * len(levels[n])]
    return [top, *deep]


def class_level(home: Path, files: Sequence[Path]) -> int:
    """The level of the class folders; DataError if it is not clear."""
    levels = levels_of(home, files)
    split, found = split_level(levels), emotion_levels(levels)
    number = found[0] if found else top_level(levels)
    if number is None:
        raise unclear(home, files, "there is no class folder")
    if len(found) > 1:
        raise unclear(home, files, "several levels of folders may be the classes")
    for level in range(number + 1):
        parts = [name for name in names_of(levels[level]) if split_name(name)]
        if parts and level != split:
            raise unclear(home, files, f"{parts[0]!r} is beside folders that are no split")
    names = names_of(levels[number])
    if len(names) == 1 and None not in levels[number]:
        raise unclear(home, files, f"{_short(names[0])} is the only class folder")
    if not found and all(map(_has_digit, names)) and any(map(_are_words, levels[number + 1 :])):
        raise unclear(home, files, "classes may be above or below: no folder is an emotion")
    return number


def speaker_level(levels: Sequence[Level], taken: Sequence[int | None]) -> int | None:
    """The only level whose folders are all named like Actor_01, spk2 or f01."""
    found = [
        number
        for number, level in enumerate(levels)
        if number not in taken and all(name and _SPEAKER.fullmatch(name) for name in level)
    ]
    return found[0] if len(found) == 1 else None


def maybe_speakers(levels: Sequence[Level], classes: int, split: int | None) -> int | None:
    """A level that may be the speakers: above the classes, or numbered within several of them."""
    for number, level in enumerate(levels):
        names = names_of(level)
        if number in (classes, split) or len(names) < 2 or None in level:
            continue
        pairs = set(zip(level, levels[classes], strict=True))
        if number < classes or (all(map(_has_digit, names)) and len(pairs) > len(names)):
            return number
    return None


def expression(number: int) -> str:
    """A regular expression whose group matches the folder at a level, as Python writes it."""
    above = "" if number == 0 else "[^/]+/" if number == 1 else f"(?:[^/]+/){{{number}}}"
    return f"r'^{above}([^/]+)/'"


def unclear(home: Path, files: Sequence[Path], reason: str) -> DataError:
    """The error of a folder whose classes are not clear: what was seen and what settles it."""
    levels = levels_of(home, files)
    shown = [number for number in range(len(levels[:3])) if number != split_level(levels)]
    ways = [f"label={expression(number)} takes level {number + 1}" for number in shown]
    ways += ["label=r'([^/_]+)_[^/]*$' takes the file name up to a _"]
    return DataError(f"{home}: {reason} ({describe_levels(home, files)}); {', '.join(ways)}")


def describe_levels(home: Path, files: Sequence[Path]) -> str:
    """A few names of each level of folders, and of the recordings."""
    levels = levels_of(home, files)
    parts = [f"level {n + 1}: {_few(names_of(level))}" for n, level in enumerate(levels[:3])]
    names = sorted({file.name for file in files})
    return "; ".join([*(parts or ["folders: none"]), f"recordings: {_few(names, 2)}"])


def _few(names: Sequence[str], n: int = 3) -> str:
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(map(_short, names[:n])) + more


def _short(name: str) -> str:
    return repr(name if len(name) <= 20 else f"{name[:17]}...")


def _emotion_share(level: Level) -> float:
    names = names_of(level)
    return sum(emotion_name(name) in EMOTIONS for name in names) / len(names)


def _are_words(level: Level) -> bool:
    """Whether a level has several folders, none of them with a number."""
    names = names_of(level)
    return len(names) > 1 and not any(map(_has_digit, names))


def _has_digit(name: str) -> bool:
    return any(letter.isdigit() for letter in name)
