"""Download corpora that may be downloaded by anyone, once, and load them."""

from __future__ import annotations

import os
from typing import Any

from .._utils._param_validation import check_value
from ..exceptions import ParameterError
from ._docstrings import fetcher_docstring
from ._sources import SOURCES, fetch_folder
from .crema_d import CREMA_D, load_crema_d
from .emodb import EMODB, load_emodb
from .ravdess import CHANNEL, RAVDESS, load_ravdess


@fetcher_docstring(RAVDESS, SOURCES["speech"].folder)
def fetch_ravdess(
    data_home: str | os.PathLike[str] | None = None,
    *,
    channel: str = "speech",
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load RAVDESS, after downloading it the first time.

    The archives come from Zenodo, record 1188976: 208 MB of speech, 226 MB of song. They are
    compared with the checksums there. The licence allows no commercial use.
    """
    check_value("channel", channel, CHANNEL)
    if channel == "both" and not (url is None and checksum is None):
        raise ParameterError(
            "url and checksum are of one archive, so channel must be 'speech' or 'song', got 'both'"
        )
    names = ("speech", "song") if channel == "both" else (channel,)
    for name in names:
        home = fetch_folder(SOURCES[name], data_home, url, checksum, download_if_missing, verbose)
    home = home.parent if channel == "both" else home
    return load_ravdess(home, channel=channel, return_X_y=return_X_y)


@fetcher_docstring(EMODB, SOURCES["emodb"].folder)
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = None,
    *,
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load EmoDB, after downloading it the first time.

    The archive of 40 MB comes from Zenodo, record 7447302 (version 1.3.0, with tables beside the
    recordings), and is compared with the checksum there.
    """
    source = SOURCES["emodb"]
    home = fetch_folder(source, data_home, url, checksum, download_if_missing, verbose)
    return load_emodb(home, return_X_y=return_X_y)


@fetcher_docstring(
    CREMA_D,
    SOURCES["crema_d"].folder,
    " With one,\n    recordings are not compared with the table.",
)
def fetch_crema_d(
    data_home: str | os.PathLike[str] | None = None,
    *,
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load CREMA-D, after downloading it the first time.

    The archive of 470 MB is a copy on Hugging Face (myleslinder/crema-d), as the original
    repository often exceeds its download limit. No checksum is published for the archive: its
    SHA-256 is printed, and each recording is compared with the table of checksums that TensorFlow
    Datasets publishes for the original, but for a few that the table lacks.
    """
    source = SOURCES["crema_d"]
    home = fetch_folder(source, data_home, url, checksum, download_if_missing, verbose)
    return load_crema_d(home, return_X_y=return_X_y)
