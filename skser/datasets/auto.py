"""Load a corpus by its name, or recognise it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._utils._param_validation import check_value, one_of
from .._utils._types import PathLike
from ..audio._folders import find_audio
from ..exceptions import DataError
from ._corpus import EMOTIONS, emotion_name, listing
from .crema_d import CREMA_D, load_crema_d
from .emodb import EMODB, load_emodb
from .emovo import EMOVO, load_emovo
from .folder import class_folders, load_folder
from .manifest import MANIFEST_SUFFIXES, load_manifest
from .ravdess import RAVDESS, load_ravdess
from .savee import SAVEE, load_savee
from .tess import TESS, load_tess

LOADERS: dict[str, Callable[..., Any]] = {
    "crema_d": load_crema_d,
    "emodb": load_emodb,
    "emovo": load_emovo,
    "folder": load_folder,
    "manifest": load_manifest,
    "ravdess": load_ravdess,
    "savee": load_savee,
    "tess": load_tess,
}

NAMED = (CREMA_D, EMODB, EMOVO, RAVDESS, SAVEE, TESS)

MIN_SHARE = 0.9  # of the recordings must be named as in a corpus


def load_corpus(data_home: PathLike, corpus: str = "auto", **parameters: Any) -> Any:
    """Load a corpus by its name, or recognise it.

    With "auto", a table, as for :func:`load_manifest`, is a manifest. A folder is a known corpus if
    at least 90 % of its recordings are named like that corpus', else a folder per class if at least
    one of the class folders is named after an emotion.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the recordings, or a manifest.
    corpus : str, default="auto"
        "crema_d", "emodb", "emovo", "folder", "manifest", "ravdess", "savee", "tess" or "auto".
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
    check_value("corpus", corpus, one_of("auto", *LOADERS))
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
    n_named = {c.name: sum(c.match(file) is not None for file in files) for c in NAMED}
    best = max(n_named, key=lambda name: n_named[name])
    if n_named[best] >= MIN_SHARE * len(files):
        return best
    folders = sorted({name for name in class_folders(home, files) if name is not None})
    if any(emotion_name(name) in EMOTIONS for name in folders):
        return "folder"
    counts = ", ".join(f"{name} {n}" for name, n in n_named.items())
    classes = f"{listing(map(repr, folders))}, none of them an emotion" if folders else "none"
    raise DataError(
        f"{home}: not recognised. Tried the file names of known corpora ({counts} of {len(files)}"
        f" recordings) and a folder per class (folders: {classes}). If the folders are the classes,"
        " use corpus='folder'; else list the recordings in a CSV file and pass its path"
    )
