"""Recordings of several corpora in one folder, told apart by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ._names import NamedCorpus, searched_text


class Mixture(NamedTuple):
    """The recordings of each corpus, and why they cannot be told apart; "" if they can."""

    files: dict[str, list[Path]]
    problem: str = ""


def tell_apart(files: Sequence[Path], corpora: Sequence[NamedCorpus]) -> Mixture:
    """Give each recording to the corpus that it is named as in.

    If that is more than one, it belongs to the one that has recordings of its own.
    """
    fitting = {file: [corpus for corpus in corpora if corpus.match(file)] for file in files}
    own = {found[0].name: found[0] for found in fitting.values() if len(found) == 1}
    parts: dict[str, list[Path]] = {name: [] for name in sorted(own)}
    unknown, unclear = [], []
    for file, found in fitting.items():
        likely = [c.name for c in found or own.values() if c.name in own and _has(c, file)]
        if len(likely) == 1:
            parts[likely[0]].append(file)
        elif found:
            unclear.append(f"{file.name!r:.40} as in {' and in '.join(c.name for c in found)}")
        else:
            unknown.append(f"{file.name!r:.40}")
    if unknown:
        return Mixture(parts, f"{len(unknown)} as in none, such as {unknown[0]}")
    return Mixture(parts, f"{len(unclear)} as in several, such as {unclear[0]}" if unclear else "")


def _has(corpus: NamedCorpus, file: Path) -> bool:
    """Whether a recording is of a corpus, as a clip or as one that is passed over."""
    skip = corpus.passed_over
    return corpus.match(file) is not None or bool(skip and skip.search(searched_text(file)))
