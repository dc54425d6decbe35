"""Corpora with informative file names: a regular expression and tables of codes for each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError
from ._corpus import listing, make_corpus


class NamedCorpus(NamedTuple):
    """The naming scheme of a corpus.

    ``pattern`` is searched in the absolute path without its suffix, so it begins with ``/`` and
    ends with ``$``. Each of its groups becomes a column of the frame, its text decoded by
    ``codes``. The groups ``speaker`` and ``emotion`` are required.
    """

    name: str
    pattern: re.Pattern[str]
    example: str
    codes: Mapping[str, Mapping[str, str]]
    genders: Mapping[str, str]
    descr: str

    def match(self, path: Path) -> re.Match[str] | None:
        """Match the path of a recording, relative or absolute."""
        return self.pattern.search(Path(os.path.abspath(path)).with_suffix("").as_posix())


def load_names(corpus: NamedCorpus, data_home: PathLike, return_X_y: bool = False) -> Any:
    """Load a corpus by its file names."""
    return make_corpus(read_names(corpus, data_home), corpus.descr, return_X_y)


def read_names(corpus: NamedCorpus, data_home: PathLike) -> pd.DataFrame:
    """One row per recording; of equal names, the one in the topmost folder."""
    files = find_audio(data_home)
    matched = {file: match for file in files if (match := corpus.match(file))}
    unmatched = [file.name for file in files if file not in matched]
    if unmatched:
        raise DataError(
            f"{data_home}: {len(unmatched)} of {len(files)} recordings are not named as in"
            f" {corpus.name} (such as {corpus.example}): {listing(unmatched)}"
        )
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for file in sorted(files, key=lambda file: len(file.parts)):
        fields = decode(corpus, matched[file].groupdict())
        rows.setdefault(tuple(fields.values()), {"path": str(file), **fields})
    return pd.DataFrame(list(rows.values())).sort_values("path", ignore_index=True)


def decode(corpus: NamedCorpus, groups: Mapping[str, str]) -> dict[str, str]:
    """A row of the frame, without the path, from the groups of the pattern."""
    fields = {name: corpus.codes.get(name, {}).get(code, code) for name, code in groups.items()}
    speaker = fields["speaker"]
    if corpus.genders:
        fields["gender"] = corpus.genders[speaker]
    return {**fields, "speaker": f"{corpus.name}-{speaker}", "corpus": corpus.name}
