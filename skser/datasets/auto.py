"""Load a corpus by its name, or recognise it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .._utils._param_validation import check_value, one_of
from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError
from ._asian import ASIAN
from ._corpus import EMOTIONS, emotion_name, listing
from ._dialogues import IEMOCAP, MELD, MSP_IMPROV
from ._european import EUROPEAN
from ._names import NamedCorpus, count_named, load_names, load_own, searched_text
from .crema_d import CREMA_D, load_crema_d
from .emodb import EMODB, load_emodb
from .emovo import EMOVO, load_emovo
from .folder import class_folders, load_folder
from .manifest import MANIFEST_SUFFIXES, load_manifest
from .ravdess import RAVDESS, load_ravdess
from .savee import SAVEE, load_savee
from .tess import TESS, load_tess

# Corpora that are a table only, without a function of their own.
TABLES = (*EUROPEAN, *ASIAN, IEMOCAP, MELD, MSP_IMPROV)

LOADERS: dict[str, Callable[..., Any]] = {
    **{table.name: partial(load_names, table) for table in TABLES},
    "crema_d": load_crema_d,
    "emodb": load_emodb,
    "emovo": load_emovo,
    "folder": load_folder,
    "manifest": load_manifest,
    "ravdess": load_ravdess,
    "savee": load_savee,
    "tess": load_tess,
}

NAMED = (CREMA_D, EMODB, EMOVO, RAVDESS, SAVEE, TESS, *TABLES)

MIN_SHARE = 0.9  # of the recordings must be named as in a corpus


def load_corpus(data_home: PathLike, corpus: str | NamedCorpus = "auto", **parameters: Any) -> Any:
    """Load a corpus by its name, or recognise it.

    With "auto", a CSV, TSV or TXT file is a manifest. A folder is a known corpus if at least 90 %
    of its recordings are named like that corpus', else a folder per class if at least one of the
    class folders is named after an emotion.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the recordings, or a manifest.
    corpus : str or NamedCorpus, default="auto"
        "folder", "manifest", "auto", or the name of a corpus: "aesdd", "baved", "cafe", "crema_d",
        "emodb", "emouerj", "emovo", "enterface", "esd", "iemocap", "meld", "mesd", "msp_improv",
        "nemo", "ravdess", "savee", "shemo", "subesco", "tess", "turev_db" or "urdu". A corpus of
        your own is a :class:`NamedCorpus`.
    **parameters
        Passed to the loader, such as ``return_X_y``, or ``channel`` for RAVDESS.

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
    name = recognise(data_home) if corpus == "auto" else corpus
    return LOADERS[name](data_home, **parameters)


def recognise(data_home: PathLike) -> str:
    """The name of the loader that fits a folder or file."""
    home = Path(data_home).expanduser()
    if home.is_file():
        if home.suffix.lower() in MANIFEST_SUFFIXES:
            return "manifest"
        raise DataError(f"{home}: is neither a folder nor a table ({', '.join(MANIFEST_SUFFIXES)})")
    files = find_audio(home)
    texts = [searched_text(file) for file in files]
    n_named = {corpus.name: count_named(corpus, texts) for corpus in NAMED}
    best = max(n_named, key=lambda name: n_named[name])
    if n_named[best] >= MIN_SHARE * len(files):
        return best
    folders = sorted({name for name in class_folders(home, files) if name is not None})
    if any(emotion_name(name) in EMOTIONS for name in folders):
        return "folder"
    counts = ", ".join(f"{name} {n}" for name, n in n_named.items() if n) or "0"
    classes = f"{listing(map(repr, folders))}, none of them an emotion" if folders else "none"
    raise DataError(
        f"{home}: not recognised. Tried the file names of known corpora ({counts} of {len(files)}"
        f" recordings) and a folder per class (folders: {classes}). If the folders are the classes,"
        " use corpus='folder'; else list the recordings in a CSV file and pass its path"
    )
