"""Load a corpus by its name, or recognise it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .._utils._param_validation import check_value, one_of
from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError
from ._asian import ASIAN
from ._corpus import listing, make_corpus
from ._dialogues import IEMOCAP, MELD, MSP_IMPROV
from ._european import EUROPEAN
from ._layout import emotion_levels, levels_of, top_level, unclear
from ._mixture import tell_apart
from ._names import NamedCorpus, count_named, load_names, load_own, searched_text
from ._tables import WORKBOOKS
from .crema_d import CREMA_D, load_crema_d
from .emodb import EMODB, load_emodb
from .emovo import EMOVO, load_emovo
from .folder import load_folder
from .manifest import MANIFEST_SUFFIXES, load_manifest
from .merge import merge_corpora
from .ravdess import RAVDESS, load_ravdess, load_ravdess_files
from .savee import SAVEE, load_savee
from .tess import TESS, load_tess

# Corpora that are a table only, without a function of their own.
TABLES = (*EUROPEAN, *ASIAN, IEMOCAP, MELD, MSP_IMPROV)


def load_several(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load the corpora in a folder, merged: in a folder each, or told apart by their names."""
    home = Path(data_home).expanduser()
    if parts := corpora_in(home):
        corpora = [LOADERS[name](folder) for folder, name in parts.items()]
    else:
        mixture = tell_apart(find_audio(home), NAMED)
        if mixture.problem or len(mixture.files) < 2:
            reason = f": {mixture.problem}" if mixture.files and mixture.problem else ""
            raise DataError(
                f"{home}: no folders of known corpora in it, nor recordings named as in several"
                f"{reason}"
            )
        corpora = [_load_files(home, name, files) for name, files in mixture.files.items()]
    corpus = merge_corpora(*corpora)
    counts = corpus.frame["corpus"].value_counts(sort=False)
    found = ", ".join(f"{name} {n}" for name, n in counts.items())
    descr = f"{home}: recordings of several corpora, {found}.\n{corpus.DESCR}"
    return make_corpus(corpus.frame, descr, return_X_y)


def _load_files(home: Path, name: str, files: Sequence[Path]) -> Any:
    """Load the recordings of a corpus beside which there are others."""
    if name == RAVDESS.name:
        return load_ravdess_files(home, files=files)
    return load_names(next(corpus for corpus in NAMED if corpus.name == name), home, files=files)


LOADERS: dict[str, Callable[..., Any]] = {
    **{table.name: partial(load_names, table) for table in TABLES},
    "crema_d": load_crema_d,
    "emodb": load_emodb,
    "emovo": load_emovo,
    "folder": load_folder,
    "manifest": load_manifest,
    "ravdess": load_ravdess,
    "savee": load_savee,
    "several": load_several,
    "tess": load_tess,
}

NAMED = (CREMA_D, EMODB, EMOVO, RAVDESS, SAVEE, TESS, *TABLES)

MIN_SHARE = 0.9  # of the recordings must be named as in a corpus


def load_corpus(data_home: PathLike, corpus: str | NamedCorpus = "auto", **parameters: Any) -> Any:
    """Load a corpus by its name, or recognise it.

    With "auto", a table, as for :func:`load_manifest`, is a manifest. A folder is a known corpus if
    at least 90 % of its recordings are named like that corpus', several corpora if each folder
    inside it is recognised, not all as a folder per class, or if each recording is named as in one
    of several corpora, else a folder per class if folders are named after emotions (see
    :func:`load_folder`). Folders of emotions above recordings of several corpora are the classes.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the recordings, or a manifest.
    corpus : str or NamedCorpus, default="auto"
        "folder", "manifest", "several", "auto", or the name of a corpus: "aesdd", "baved", "cafe",
        "crema_d", "emodb", "emouerj", "emovo", "enterface", "esd", "iemocap", "meld", "mesd",
        "msp_improv", "nemo", "ravdess", "savee", "shemo", "subesco", "tess", "turev_db" or "urdu".
        A corpus of your own is a :class:`NamedCorpus`. With ``label``, a folder that "auto" does
        not have to recognise is a "folder".
    **parameters
        Passed to the loader, such as ``return_X_y``, ``channel`` for RAVDESS, or ``label`` and
        ``speaker`` for a folder per class.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        As from the loader of that corpus.

    Raises
    ------
    CorpusNotFoundError
        The folder or file does not exist.
    DataError
        The corpus is not recognised, or its loader raises the error.
    ParameterError
        ``corpus`` is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_corpus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "dis-f1-b1.wav").touch()
    ...     speech = load_corpus(folder)
    >>> speech.groups
    array(['emovo-f1'], dtype='<U8')
    """
    if isinstance(corpus, NamedCorpus):
        return load_own(corpus, data_home, **parameters)
    check_value("corpus", corpus, one_of("auto", *sorted(LOADERS)))
    if corpus == "auto":
        is_folder = "label" in parameters and Path(data_home).expanduser().is_dir()
        corpus = "folder" if is_folder else recognise(data_home)
    return LOADERS[corpus](data_home, **parameters)


def recognise(data_home: PathLike) -> str:
    """The name of the loader that fits a folder or file."""
    home = Path(data_home).expanduser()
    if home.is_file():
        if home.suffix.lower() in (*MANIFEST_SUFFIXES, *WORKBOOKS):  # its error says what to do
            return "manifest"
        raise DataError(f"{home}: is neither a folder nor a table ({', '.join(MANIFEST_SUFFIXES)})")
    files = find_audio(home)
    texts = [searched_text(file) for file in files]
    n_named = {corpus.name: count_named(corpus, texts) for corpus in NAMED}
    best = max(n_named, key=lambda name: n_named[name])
    fitting = [name for name, n in n_named.items() if n == len(files)]
    if len(fitting) > 1:
        raise DataError(
            f"{home}: not recognised: all recordings ({listing([f.name for f in files], 2)}) are "
            f"named as in {' and in '.join(fitting)}; pass corpus (--corpus)"
        )
    if fitting:
        return best
    levels = levels_of(home, files)
    found = emotion_levels(levels)
    is_best = n_named[best] >= MIN_SHARE * len(files)
    if found and found[0] == top_level(levels) and not is_best:
        return "folder"
    if corpora_in(home):
        return "several"
    mixture = tell_apart(files, NAMED)
    if len(mixture.files) > 1 and not mixture.problem:
        return "several"
    if is_best:
        return best
    if found:
        return "folder"
    counts = ", ".join(f"{name} {n}" for name, n in n_named.items() if n) or "none"
    reason = f"not recognised: {counts} of {len(files)} recordings are named as in a known corpus"
    parts = _parts(home)
    if any(parts.values()) and (other := [folder for folder, name in parts.items() if not name]):
        known = [f"{folder.name[:20]} is {name}" for folder, name in parts.items() if name]
        reason = f"not recognised: {listing(known, 4)}, but not {other[0].name[:40]}"
    elif len(counts.split(",")) > 1:
        reason += f"; {mixture.problem}"
    reason += ", and no folders are named after emotions; list all in a CSV file, or pass label "
    reason += "(--label)"
    raise unclear(home, files, reason)


def corpora_in(home: Path) -> dict[Path, str]:
    """The folders of several corpora inside a folder, with the names of their loaders.

    Empty if not all are recognised, or none is a known corpus.
    """
    parts = _parts(home)
    names = {folder: name for folder, name in parts.items() if name is not None}
    is_several = len(names) == len(parts) > 1 and set(names.values()) != {"folder"}
    return names if is_several else {}


def _parts(home: Path) -> dict[Path, str | None]:
    """The folders (and recordings) inside a folder, with the names of their loaders or None."""
    inside = sorted({home / file.relative_to(home).parts[0] for file in find_audio(home)})
    if len(inside) == 1 and inside[0].is_dir():
        return _parts(inside[0])
    parts: dict[Path, str | None] = {}
    for path in inside:
        name = _recognised(path)
        inner: Mapping[Path, str | None] = corpora_in(path) if name == "several" else {}
        parts |= inner or {path: name}
    return parts


def _recognised(path: Path) -> str | None:
    try:
        return recognise(path)
    except DataError:
        return None
