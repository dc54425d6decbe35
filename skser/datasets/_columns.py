"""Which column of a table holds paths, labels or speakers, by the words that are usual for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..exceptions import DataError
from ._corpus import listing

# The first that a table has is taken; compared in lower case, without spaces and punctuation.
USUAL = {
    "path": (
        "filename", "file", "path", "filepath", "wav", "wavfile", "wavpath", "audio", "audiofile",
        "audiopath", "audiofilename", "audiofilepath", "recording",
    ),
    "emotion": ("emotion", "label", "class", "target", "emotionlabel", "emotions"),
    "speaker": ("speaker", "speakerid", "actor", "actorid", "subject", "subjectid", "spk", "spkid"),
    "start": ("start", "starttime", "begin", "begintime", "onset", "offset"),
    "end": ("end", "endtime", "stop", "stoptime", "offset"),
    "duration": ("duration", "dur"),
    "corpus": ("corpus",),
    "split": ("split", "subset", "partition"),
}  # fmt: skip

TIMES = ("start", "end", "duration")

MEANING = {
    "path": "recordings",
    "emotion": "labels",
    "speaker": "speakers",
    "start": "starts of segments",
    "end": "ends of segments",
    "duration": "durations of segments",
    "corpus": "corpora",
    "split": "split",
}

# Units in names, as in start_ms, and seconds in one.
UNITS = {"ms": 1e-3, "msec": 1e-3, "milliseconds": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0}

# Words for people that may also be others than the speakers.
_PEOPLE = (
    "agent", "caller", "client", "customer", "participant", "patient", "person", "talker", "user",
)  # fmt: skip


def recognise_columns(names: Iterable[str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Columns by their roles: those given, and for the others those with a usual name."""
    columns = {role: name for role, name in given.items() if name is not None}
    plain: dict[str, str] = {}
    for name in names:
        if name in columns.values():
            continue
        if (word := _plain(name)) in plain and any(word in words for words in USUAL.values()):
            raise DataError(f"columns {plain[word]!r} and {name!r} have the same name; rename one")
        plain.setdefault(word, name)
    plain = {**{_without_unit(word): name for word, name in plain.items()}, **plain}
    for role, words in USUAL.items():
        if role in TIMES:
            continue
        found = [plain[word] for word in words if word in plain]
        if role in columns or not found:
            continue
        if role == "emotion" and len(found) > 1 and found[0] != plain.get("emotion"):
            raise DataError(
                f"columns {listing(map(repr, found))} may all hold the labels; give label_column "
                "(--label), or name one of them emotion"
            )
        columns[role] = found[0]
    columns |= _segment_columns(plain)
    return {role: columns[role] for role in USUAL if role in columns}


def _segment_columns(plain: Mapping[str, str]) -> dict[str, str]:
    """Columns of a start and an end or a duration, by their roles; other names than start and end
    may mean anything if they are alone.
    """
    starts, ends, durations = (
        [plain[word] for word in USUAL[role] if word in plain] for role in TIMES
    )
    ends = [name for name in ends if name != starts[0]] if starts else ends
    is_onset = "onset" in plain or "offset" not in map(_plain, ends)
    if starts and ends and is_onset:
        return {"start": starts[0], "end": ends[0]}
    if starts and durations:
        return {"start": starts[0], "duration": durations[0]}
    return {role: plain[role] for role in ("start", "end") if role in plain}


def unit_of(name: str) -> float:
    """Seconds in the unit that a name of a column ends in; 1 without one."""
    word = _plain(name)
    return UNITS.get(word.removeprefix(_without_unit(word)), 1.0)


def _without_unit(word: str) -> str:
    words = {word for role in TIMES for word in USUAL[role]}
    bare = (word[: -len(unit)] for unit in UNITS if word.endswith(unit))
    return word if word in words else next((each for each in bare if each in words), word)


def likely_speakers(names: Iterable[str]) -> list[str]:
    """Columns that may hold speakers, but whose names do not say so."""
    return [name for name in names if re.sub("(id|name|number|no)$", "", _plain(name)) in _PEOPLE]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
