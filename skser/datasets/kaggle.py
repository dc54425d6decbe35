"""Corpora from Kaggle, with kagglehub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._utils._param_validation import BOOLEAN, Allowed, check_value
from ..exceptions import DownloadError, MissingDependencyError
from ._corpus import log
from .auto import load_corpus
from .crema_d import CREMA_D
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
    speakers. Another dataset may hold one corpus, or a folder for each, that :func:`load_corpus`
    recognises.

    kagglehub, which the extra ``kaggle`` installs, downloads, checks and extracts the dataset to
    its own cache (``~/.cache/kagglehub``, or the environment variable ``KAGGLEHUB_CACHE``), and
    logs in if the dataset requires it. It looks up the latest version in each call, unless the
    handle names a version.

    Citations and licences are printed to stderr before the first download. RAVDESS, SAVEE and TESS
    allow no commercial use, whatever the page of a copy says.

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
        As from :func:`load_corpus`.

    Raises
    ------
    DataError
        The dataset, or a folder of it, is not recognised.
    DownloadError
        kagglehub could not download the dataset.
    MissingDependencyError
        kagglehub is not installed.
    ParameterError
        A parameter has an invalid value.

    See Also
    --------
    load_corpus : Load a corpus from a folder.

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
            f"{handle}: downloads from Kaggle need kagglehub, which is not installed; "
            "python -m pip install 'skser[kaggle]' does it"
        ) from None
    cache = Path(os.environ.get("KAGGLEHUB_CACHE", "~/.cache/kagglehub")).expanduser()
    if force_download or not (cache / "datasets" / handle).is_dir():
        page = f"https://www.kaggle.com/datasets/{handle}"
        content = [corpus.descr for corpus in _CONTENT.get(handle.partition("/versions/")[0], ())]
        log("\n".join([f"Downloading {page} (see there for its licence)\n", *content]))
    try:
        home = Path(kagglehub.dataset_download(handle, force_download=force_download))
    except Exception as error:  # of requests, Kaggle or the extraction
        reason = " ".join(str(error).split())
        raise DownloadError(f"{handle}: kagglehub could not download it ({reason})") from error
    return load_corpus(home, return_X_y=return_X_y)
