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
        "audiopath", "recording",
    ),
    "emotion": ("emotion", "label", "class", "target", "emotionlabel", "emotions"),
    "speaker": ("speaker", "speakerid", "actor", "actorid", "subject", "subjectid", "spk", "spkid"),
    "start": ("start",),
    "end": ("end",),
    "corpus": ("corpus",),
    "split": ("split", "subset", "partition"),
}  # fmt: skip

MEANING = {
    "path": "recordings",
    "emotion": "labels",
    "speaker": "speakers",
    "start": "starts of segments",
    "end": "ends of segments",
    "corpus": "corpora",
    "split": "split",
}

# Words for people that may also be others than the speakers.
_PEOPLE = (
    "agent", "caller", "client", "customer", "participant", "patient", "person", "talker", "user",
)  # fmt: skip


def recognise_columns(names: Iterable[str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Columns by their roles: those given, and for the others those with a usual name."""
    columns = {role: name for role, name in given.items() if name is not None}
    plain: dict[str, str] = {}
    for name in names:
        if name not in columns.values():
            plain.setdefault(_plain(name), name)
    for role, words in USUAL.items():
        found = [plain[word] for word in words if word in plain]
        if role in columns or not found:
            continue
        if role == "emotion" and len(found) > 1 and found[0] != plain.get("emotion"):
            raise DataError(
                f"columns {listing(map(repr, found))} may all hold the labels; pass label_column, "
                "or name one of them emotion"
            )
        columns[role] = found[0]
    return {role: columns[role] for role in USUAL if role in columns}


def likely_speakers(names: Iterable[str]) -> list[str]:
    """Columns that may hold speakers, but whose names do not say so."""
    return [name for name in names if re.sub("(id|name|number|no)$", "", _plain(name)) in _PEOPLE]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
