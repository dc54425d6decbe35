"""Corpora with informative file names: a regular expression and tables of codes for each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError, ParameterError
from ._corpus import listing, make_corpus


class NamedCorpus(NamedTuple):
    r"""The naming scheme of a corpus: a regular expression, and tables of the codes in names.

    Pass it to :func:`~skser.datasets.load_corpus` to load a corpus of your own.

    Parameters
    ----------
    name : str
        Name of the corpus. The names of its speakers begin with it.
    pattern : str or re.Pattern
        Regular expression that is searched in the absolute path of a recording, with forward
        slashes and without its suffix, so it should begin with ``/`` and end with ``$``. Each
        named group becomes a column. There must be a group ``emotion``; without a group
        ``speaker``, speakers are unknown.
    example : str
        A recording's name, for messages.
    codes : mapping of str to mapping, default={}
        For each group, what its codes stand for. Other codes stay as they are.
    genders : mapping of str to str, default={}
        Gender of each speaker, for a column ``gender``.
    descr : str, default=""
        Description, citation and licence.
    passed_over : re.Pattern or None, default=None
        Regular expression of recordings that are no clips, as the dialogues that were cut into
        clips.
    labels : callable or None, default=None
        Reads the labels from the corpus' own files, if its names do not hold them. It gets the
        folder and returns a DataFrame with some of the groups, the column ``emotion`` and any
        others.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import NamedCorpus, load_corpus
    >>> calls = NamedCorpus(
    ...     name="calls",
    ...     pattern=r"/(?P<speaker>[a-z]+)_(?P<emotion>[AS])_\d+$",
    ...     example="ann_A_01.wav",
    ...     codes={"emotion": {"A": "angry", "S": "sad"}},
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("ann_A_01.wav", "bob_S_01.wav"):
    ...         Path(folder, name).touch()
    ...     speech = load_corpus(folder, calls)
    >>> speech.target.tolist(), speech.groups.tolist()
    (['angry', 'sad'], ['calls-ann', 'calls-bob'])
    """

    name: str
    pattern: str | re.Pattern[str]
    example: str
    codes: Mapping[str, Mapping[str, str]] = {}
    genders: Mapping[str, str] = {}
    descr: str = ""
    passed_over: re.Pattern[str] | None = None
    labels: Callable[[Path], pd.DataFrame] | None = None

    def match(self, path: Path) -> re.Match[str] | None:
        """Match the path of a recording, relative or absolute.

        Parameters
        ----------
        path : Path
            Path of a recording.

        Returns
        -------
        re.Match or None
            None if it is not named as in this corpus.
        """
        return re.search(self.pattern, searched_text(path))


def count_named(corpus: NamedCorpus, texts: Sequence[str]) -> int:
    """The number of searched texts that are those of the corpus, with what it passes over."""
    is_named = [re.search(corpus.pattern, text) is not None for text in texts]
    if corpus.passed_over is None or not any(is_named):
        return sum(is_named)
    skip = corpus.passed_over
    return sum(named or bool(skip.search(t)) for named, t in zip(is_named, texts, strict=True))


def load_names(
    corpus: NamedCorpus,
    data_home: PathLike,
    return_X_y: bool = False,
    files: Sequence[Path] | None = None,
) -> Any:
    """Load a corpus by its file names; copies of a recording count once.

    ``files`` are its recordings if others are in the folder too.
    """
    return _make(corpus, data_home, read_names(corpus, data_home, files), return_X_y)


def load_own(corpus: NamedCorpus, data_home: PathLike, return_X_y: bool = False) -> Any:
    """Load a corpus of a user by its file names; every file is a recording."""
    try:
        groups = re.compile(corpus.pattern).groupindex
    except (re.error, TypeError):
        groups = {}
    if "emotion" not in groups and corpus.labels is None:
        raise ParameterError(
            "corpus.pattern must be a regular expression with a group named emotion, got"
            f" {str(corpus.pattern)[:100]!r}"
        )
    return _make(corpus, data_home, _match_all(corpus, data_home), return_X_y)


def read_names(
    corpus: NamedCorpus, data_home: PathLike, files: Sequence[Path] | None = None
) -> pd.DataFrame:
    """One row per recording; of equal names, the one in the topmost folder, audio before AVI."""
    frame = _match_all(corpus, data_home, files)
    depth = frame["path"].map(lambda path: (len(Path(path).parts), path.lower().endswith(".avi")))
    frame = frame.loc[depth.sort_values(kind="stable").index]
    fields = [column for column in frame if column != "path"]
    return frame.drop_duplicates(fields).sort_values("path", ignore_index=True)


def _match_all(
    corpus: NamedCorpus, data_home: PathLike, recordings: Sequence[Path] | None = None
) -> pd.DataFrame:
    """One row per file."""
    skip = corpus.passed_over
    recordings = find_audio(data_home) if recordings is None else recordings
    files = [f for f in recordings if not (skip and skip.search(searched_text(f)))]
    matched = {file: match for file in files if (match := corpus.match(file))}
    unmatched = [file.name for file in files if file not in matched]
    if unmatched or not files:
        raise DataError(
            f"{data_home}: {len(unmatched)} of {len(files)} recordings are not named as in"
            f" {corpus.name} (such as {corpus.example}): {listing(unmatched)}"
        )
    rows = [
        {"path": str(file), **decode(corpus, match.groupdict(""))}
        for file, match in matched.items()
    ]
    return pd.DataFrame(rows)


def decode(corpus: NamedCorpus, groups: Mapping[str, str]) -> dict[str, str]:
    """A row of the frame, without the path, from the groups of the pattern."""
    fields = {name: corpus.codes.get(name, {}).get(code, code) for name, code in groups.items()}
    if "speaker" in fields:
        if corpus.genders:
            fields["gender"] = corpus.genders.get(fields["speaker"], "")
        fields["speaker"] = f"{corpus.name}-{fields['speaker']}"
    return {**fields, "corpus": corpus.name}


def _make(corpus: NamedCorpus, data_home: PathLike, frame: pd.DataFrame, return_X_y: bool) -> Any:
    """The Bunch, with labels from the corpus' own files if it has some."""
    descr = corpus.descr or f"{corpus.name}: {len(frame)} recordings.\n"
    if corpus.labels is not None:
        n_recordings = len(frame)
        frame = _with_labels(corpus, Path(data_home).expanduser(), frame)
        if left_out := n_recordings - len(frame):
            descr += f"{left_out} of {n_recordings} recordings have no agreed label: left out.\n"
    return make_corpus(frame, descr, return_X_y)


def _with_labels(corpus: NamedCorpus, home: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """The recordings with a label, joined by the groups that frame and labels share."""
    assert corpus.labels is not None
    labels = corpus.labels(home)
    keys = [column for column in labels if column in frame]
    merged = frame.merge(labels.drop_duplicates(keys), on=keys)
    merged = merged[merged["emotion"].isin(corpus.codes["emotion"])].reset_index(drop=True)
    if merged.empty:
        raise DataError(f"{home}: none of its {len(frame)} recordings has a label in its files")
    merged["emotion"] = merged["emotion"].map(corpus.codes["emotion"])
    if "speaker" in labels:
        merged["speaker"] = f"{corpus.name}-" + merged["speaker"]
    return merged


def searched_text(path: Path) -> str:
    """The text that patterns are searched in."""
    return Path(os.path.abspath(path)).with_suffix("").as_posix()
