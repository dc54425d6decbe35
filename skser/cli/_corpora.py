"""Corpora named on the command line, as one with common labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from sklearn.utils import Bunch

from .._utils._label_hints import label_hints
from .._utils._labels import check_labels
from ..datasets import load_corpus, merge_corpora
from ..datasets._corpus import emotion_name, make_corpus
from ..datasets.auto import recognise
from ..evaluation._splits import held_out
from ..exceptions import DataError, ParameterError
from ..persistence import load_info
from ..persistence._any_model import is_joblib

# The parameters for speakers and labels of corpora whose file names do not contain them.
_SPEAKER_PARAMS = {"manifest": "speaker_column", "folder": "speaker"}
_LABEL_PARAMS = {"manifest": "label_column", "folder": "label"}


def load_speech(
    data: Sequence[Path],
    corpus: str,
    speaker: str | None = None,
    labels: str | None = None,
    label: str | None = None,
    audio_home: Path | None = None,
    path_column: str | None = None,
) -> Bunch:
    """Corpora as one; the numbers of recordings with each label are printed."""
    return merge(load_each(data, corpus, speaker, labels, label, audio_home, path_column))


def load_each(
    data: Sequence[Path],
    corpus: str,
    speaker: str | None = None,
    labels: str | None = None,
    label: str | None = None,
    audio_home: Path | None = None,
    path_column: str | None = None,
    others: Sequence[Path] = (),
) -> dict[str, Bunch]:
    """Corpora by their names, checked against each other."""
    columns = speaker, labels, label, audio_home, path_column
    return by_name(load_paths(data, corpus, *columns, others))


def load_paths(
    data: Sequence[Path],
    corpus: str,
    speaker: str | None = None,
    labels: str | None = None,
    label: str | None = None,
    audio_home: Path | None = None,
    path_column: str | None = None,
    others: Sequence[Path] = (),
) -> dict[Path, Bunch]:
    """The recordings in each folder or table; options may also be for ``others``."""
    check_differ(data)
    if audio_home is not None and all(path.is_dir() for path in [*data, *others]):
        raise ParameterError("--audio-home must be left out without tables; only they have paths")
    if len(data) > 1 and corpus != "auto":
        raise ParameterError(f"--corpus must be auto with several corpora, got {corpus!r}")
    kinds = [_kind(path, label) if corpus == "auto" else corpus for path in data]
    all_kinds = [*kinds, *(_kind(path, label) for path in others)]
    if label is not None and not any(kind in _LABEL_PARAMS for kind in all_kinds):
        raise ParameterError(
            f"--label must be left out for {', '.join(kinds)}, whose file names contain the label; "
            "only --corpus folder and manifest need it"
        )
    if path_column is not None and "manifest" not in all_kinds:
        raise ParameterError("--path must be left out without tables; only they have columns")
    if speaker is not None and not any(kind in _SPEAKER_PARAMS for kind in all_kinds):
        raise ParameterError(
            f"--speaker must be left out for {', '.join(kinds)}, whose file names contain the "
            "speaker; only --corpus folder and manifest need it"
        )
    loaded = {}
    for path, kind in zip(data, kinds, strict=True):
        params: dict[str, Any] = {}
        if speaker is not None and kind in _SPEAKER_PARAMS:
            params[_SPEAKER_PARAMS[kind]] = speaker
        if label is not None and kind in _LABEL_PARAMS:
            params[_LABEL_PARAMS[kind]] = label
        if audio_home is not None and kind == "manifest":
            params["audio_home"] = audio_home
        if path_column is not None and kind == "manifest":
            params["path_column"] = path_column
        loaded[path] = load_corpus(path, corpus=kind, **params)
        if kind == "manifest" and audio_home is None:
            _check_some_exist(path, loaded[path])
        if kind in ("manifest", "several"):
            typer.echo(loaded[path].DESCR.splitlines()[0], err=True)
    if labels is not None:
        loaded = _with_labels(loaded, [emotion_name(name) for name in labels.split(",") if name])
    return loaded


def _check_some_exist(table: Path, speech: Bunch) -> None:
    paths = speech.frame["path"]
    if not any(map(os.path.exists, paths)):
        raise DataError(
            f"{table}: none of its recordings exist, such as {paths.iloc[0]}; --audio-home says in "
            "which folder they are"
        )


def by_name(loaded: Mapping[Path, Bunch]) -> dict[str, Bunch]:
    """Each corpus by its name, checked; that of a folder or table of one corpus is its own."""
    corpora: dict[str, Bunch] = {}
    owner: dict[str, Path] = {}
    for path, speech in loaded.items():
        names = speech.frame["corpus"].dropna().unique().tolist()
        for name in names:
            if owner.setdefault(name, path) != path:
                raise DataError(
                    f"{path}: has corpus {name!r}, as {owner[name]} has; give the folder or the "
                    "column corpus another name"
                )
        if len(names) < 2:
            corpora[path.resolve().stem] = speech
        else:
            corpora |= {name: take_corpus(speech, name) for name in names}
    _check_labels({path.resolve().stem: speech for path, speech in loaded.items()})
    return corpora


def take_corpus(speech: Bunch, name: str) -> Bunch:
    """One of several corpora."""
    return make_corpus(speech.frame[speech.frame["corpus"] == name], speech.DESCR)


def load_other(
    path: Path,
    speaker: str | None,
    labels: str | None,
    label: str | None = None,
    audio_home: Path | None = None,
    path_column: str | None = None,
) -> dict[str, Bunch]:
    """A corpus of ``--across``, by the name of its folder or table."""
    kind = _kind(path, label)
    speaker = speaker if kind in _SPEAKER_PARAMS else None
    label = label if kind in _LABEL_PARAMS else None
    audio_home, path_column = (audio_home, path_column) if kind == "manifest" else (None, None)
    corpora = load_each([path], "auto", speaker, labels, label, audio_home, path_column)
    merge(corpora)
    return corpora


def _kind(path: Path, label: str | None) -> str:
    """The loader of a folder or table; ``--label`` is for a folder that is no known corpus."""
    try:
        return recognise(path)
    except DataError:
        if label is None or not path.is_dir():
            raise
        return "folder"


def merge(corpora: Mapping[str, Bunch]) -> Bunch:
    """Corpora as one; the numbers of recordings with each label are printed."""
    speech = merge_corpora(*corpora.values()) if len(corpora) > 1 else next(iter(corpora.values()))
    if len(corpora) > 1:
        for name, corpus in corpora.items():
            typer.echo(f"{name}: {describe(corpus)}")
    typer.echo(describe(speech))
    return speech


def check_each_has_labels(speech: Bunch) -> None:
    """Raise DataError for one of several corpora that has a single label."""
    n_labels = speech.frame.groupby("corpus")["emotion"].nunique()
    for name in n_labels.index[n_labels == 1].tolist() if len(n_labels) > 1 else []:
        label = speech.frame["emotion"][speech.frame["corpus"] == name].iloc[0]
        raise DataError(
            f"{name}: has only the label {label!r}, which would be lost, since each corpus is "
            "standardised by itself; put its recordings into a table with others, all of one "
            "corpus"
        )


def problem_lines(data: Sequence[Path], loaded: Mapping[Path, Bunch]) -> list[str]:
    """Doubtful labels, and why `skser train` refuses corpora; ``loaded`` if they have been."""
    lines = []
    try:
        speech = merge_corpora(*by_name(loaded or load_paths(data, "auto")).values())
        lines = label_hints(speech.target.tolist())
        check_each_has_labels(speech)
        check_labels(speech.target, len(speech.paths))
    except DataError as error:
        lines.append(f"not usable by skser train: {error}")
    return lines


def without_test_part(speech: Bunch) -> tuple[Bunch, str]:
    """The recordings that the own split of their corpus does not test, and how many others."""
    tested, line = held_out(speech.frame)
    if not line:
        return speech, ""
    return make_corpus(speech.frame[~tested].reset_index(drop=True), speech.DESCR), line


def training_part(speech: Bunch) -> Bunch:
    """The recordings that the own split of their corpus does not test; a line says how many."""
    part, line = without_test_part(speech)
    if line:
        typer.echo(f"{line}; --with-test trains on them too")
    return part


def tested_part(speech: Bunch) -> Bunch:
    """The recordings that the own split of their corpus tests, or all; a line says how many."""
    tested, line = held_out(speech.frame)
    if not line:
        return speech
    typer.echo(
        f"{tested.sum()} of {len(tested)} recordings are scored: the part that train leaves out"
    )
    return make_corpus(speech.frame[tested].reset_index(drop=True), speech.DESCR)


def trained_on(model: Path, speech: Bunch) -> list[str]:
    """Names of corpora that a model file was trained on too."""
    info = None if is_joblib(model) else load_info(model)
    own = speech.frame["corpus"].dropna().unique().tolist()
    return [name for name in own if info is not None and name in info.corpora]


def label_lines(corpora: Mapping[str, Bunch]) -> list[str]:
    """Labels that all corpora have, and the others with the corpora that have them."""
    labels = sorted({label for corpus in corpora.values() for label in corpus.target.tolist()})
    having = {
        label: [name for name, corpus in corpora.items() if label in corpus.target]
        for label in labels
    }
    common = [label for label in labels if len(having[label]) == len(corpora)]
    rest = [f"{label} ({', '.join(having[label])})" for label in labels if label not in common]
    return [
        f"labels in all: {', '.join(common) or 'none'}",
        f"labels in some: {', '.join(rest) or 'none'}",
    ]


def describe(speech: Bunch) -> str:
    """The numbers of recordings with each label."""
    counts = speech.frame["emotion"].value_counts().sort_index()
    listed = ", ".join(f"{label} {n}" for label, n in counts.items())
    return f"{len(speech.paths)} recordings: {listed}"


def check_differ(data: Sequence[Path]) -> None:
    """Raise ParameterError for two corpora of one name, or one given twice."""
    paths, names = [path.resolve() for path in data], [path.resolve().stem for path in data]
    for path, name in zip(paths, names, strict=True):
        if paths.count(path) > 1:
            raise ParameterError(f"corpora must be different, got {path} twice")
        if names.count(name) > 1:
            raise ParameterError(f"corpora must have different names, got {name} twice")


def _with_labels(corpora: Mapping[Path, Bunch], labels: list[str]) -> dict[Path, Bunch]:
    """The recordings with some labels."""
    known = {label for corpus in corpora.values() for label in corpus.target.tolist()}
    if unknown := [label for label in labels if label not in known]:
        raise DataError(
            f"--labels must be of those of the corpora ({', '.join(sorted(known))}), got "
            f"{unknown[0]!r}"
        )
    kept = {}
    for name, corpus in corpora.items():
        own = [label for label in labels if label in corpus.target]
        if not own:
            raise DataError(
                f"{name}: has none of the labels {', '.join(labels)}, but "
                f"{', '.join(sorted(set(corpus.target.tolist())))}"
            )
        kept[name] = merge_corpora(corpus, labels=own)
    return kept


def _check_labels(corpora: Mapping[str, Bunch]) -> None:
    """Raise DataError for a corpus without a label in common with the others."""
    labels = {name: set(corpus.target.tolist()) for name, corpus in corpora.items()}
    for name, own in labels.items():
        others = set().union(*(of for other, of in labels.items() if other != name))
        if others and not own & others:
            raise DataError(
                f"{name}: has no label in common with the other corpora "
                f"({', '.join(sorted(others))}), got {', '.join(sorted(own))}"
            )
