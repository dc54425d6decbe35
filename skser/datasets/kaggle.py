"""Corpora from Kaggle, with kagglehub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._utils._param_validation import BOOLEAN, Allowed, check_value
from ..exceptions import DownloadError, MissingDependencyError
from ._sources import tell
from .auto import LOADERS, recognise
from .crema_d import CREMA_D
from .merge import merge_corpora
from .ravdess import RAVDESS
from .savee import SAVEE
from .tess import TESS

_FOUR = "dmitrybabko/speech-emotion-recognition-en"
_CONTENT = {_FOUR: (CREMA_D, RAVDESS, SAVEE, TESS)}
_HANDLE = Allowed(
    "'owner/dataset' or 'owner/dataset/versions/number'",
    lambda value: isinstance(value, str) and value.count("/") in (1, 3) and all(value.split("/")),
)


def fetch_kaggle_ser(
    handle: str = _FOUR, *, force_download: bool = False, return_X_y: bool = False
) -> Any:
    """Load the corpora of a Kaggle dataset, after downloading it the first time.

    The default dataset holds CREMA-D, RAVDESS (speech), SAVEE and TESS, 12162 recordings of 121
    speakers. Others may be named that have one corpus, or a folder for each, which
    :func:`load_corpus` can tell by its recordings' names.

    kagglehub, which the extra ``kaggle`` installs, downloads, checks and extracts the dataset. It
    has a cache of its own (``~/.cache/kagglehub``, or the environment variable
    ``KAGGLEHUB_CACHE``), and its own ways to log in, for datasets that ask for it. It asks Kaggle
    for the latest version each time, unless the handle has a version in it.

    Citations and licences are shown on stderr before the first download. RAVDESS, SAVEE and TESS
    allow no commercial use, whatever a copy says.

    Parameters
    ----------
    handle : str, default="dmitrybabko/speech-emotion-recognition-en"
        The dataset, as ``"owner/dataset"`` or ``"owner/dataset/versions/1"``.
    force_download : bool, default=False
        Download it again, even if it is in the cache.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        What :func:`merge_corpora` returns.

    Raises
    ------
    DataError
        A folder of the dataset is not recognised.
    DownloadError
        kagglehub could not download the dataset.
    MissingDependencyError
        kagglehub is not installed.
    ParameterError
        A parameter has a value that is not allowed.

    See Also
    --------
    load_corpus : Load what is on disk already.

    Examples
    --------
    >>> from skser.datasets import fetch_kaggle_ser
    >>> speech = fetch_kaggle_ser()  # doctest: +SKIP
    >>> speech.frame["corpus"].value_counts().to_dict()  # doctest: +SKIP
    {'crema_d': 7442, 'tess': 2800, 'ravdess': 1440, 'savee': 480}
    """
    check_value("handle", handle, _HANDLE)
    check_value("force_download", force_download, BOOLEAN)
    check_value("return_X_y", return_X_y, BOOLEAN)
    try:
        import kagglehub
    except ImportError:
        raise MissingDependencyError(
            f"{handle}: Kaggle's datasets are downloaded with kagglehub, which is not installed; "
            "python -m pip install 'skser[kaggle]' does it"
        ) from None
    if force_download or not _is_cached(handle):
        page = f"https://www.kaggle.com/datasets/{handle}"
        content = [corpus.descr for corpus in _CONTENT.get(handle.partition("/versions/")[0], ())]
        tell("\n".join([f"Downloading {page}, where its licence is told\n", *content]))
    try:
        home = Path(kagglehub.dataset_download(handle, force_download=force_download))
    except Exception as error:  # those of requests, of Kaggle and of what it unpacks with
        reason = " ".join(str(error).split())
        raise DownloadError(f"{handle}: kagglehub could not download it ({reason})") from error
    corpus = _load(home)
    return (corpus.paths, corpus.target) if return_X_y else corpus


def _is_cached(handle: str) -> bool:
    cache = Path(os.environ.get("KAGGLEHUB_CACHE", "~/.cache/kagglehub")).expanduser()
    return (cache / "datasets" / handle).is_dir()


def _load(home: Path) -> Any:
    """A dataset that is one corpus, or has a folder for each."""
    folders = sorted(f for f in home.iterdir() if f.is_dir() and not f.name.startswith("."))
    names = {folder: recognise(folder) for folder in folders}
    if len(set(names.values())) < 2:
        return LOADERS[recognise(home)](home)
    return merge_corpora(*(LOADERS[name](folder) for folder, name in names.items()))
