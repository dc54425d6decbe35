"""Download corpora that may be downloaded by anyone, once, and load them."""

from __future__ import annotations

import os
from typing import Any

from .._validation import check_value
from ..exceptions import ParameterError
from ._sources import SOURCES, fetch_folder
from .crema_d import load_crema_d
from .emodb import load_emodb
from .ravdess import CHANNEL, load_ravdess


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

    Speech is an archive of 208 MB, song one of 226 MB, and only what is asked for is downloaded.
    They come from Zenodo, record 1188976, and are compared with the checksums there. Citation and
    licence, which allows no commercial use, are shown on stderr before the download. A download
    that is cut goes on there when the function is called again. Archives are removed when they are
    extracted; a second call needs no network.

    Parameters
    ----------
    data_home : str, path or None, default=None
        Folder for downloaded corpora; this one goes to ``ravdess`` in it. None is the environment
        variable ``SKSER_DATA``, or ``~/skser_data`` without it.
    channel : {"speech", "song", "both"}, default="speech"
        What to load.
    url : str or None, default=None
        Another address of the archive. None is that on Zenodo.
    checksum : str or None, default=None
        Checksum of another archive at ``url``, such as ``"sha256:..."``, also with md5, sha1 or
        sha512. None is the published one.
    download_if_missing : bool, default=True
        With False, raise an error if the corpus has to be downloaded.
    verbose : int, default=1
        Above 0, show a progress bar on a terminal.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        What :func:`load_ravdess` returns.

    Raises
    ------
    CorpusNotFoundError
        The corpus is not there and ``download_if_missing=False``.
    DownloadError
        The server cannot be reached, or the connection is cut.
    DataError
        What has come has another checksum, or is no archive of RAVDESS that is safe to extract.
    ParameterError
        A parameter has a value that is not allowed.

    See Also
    --------
    load_ravdess : Load what is on disk already.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import fetch_ravdess
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     Path(data_home, "ravdess", "speech").mkdir(parents=True)
    ...     Path(data_home, "ravdess", "speech", "03-01-06-01-02-01-12.wav").touch()
    ...     speech = fetch_ravdess(data_home)  # is there, so nothing is downloaded
    >>> speech.target, speech.groups
    (array(['fear'], dtype='<U4'), array(['ravdess-12'], dtype='<U10'))
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

    An archive of 40 MB comes from Zenodo, record 7447302 (version 1.3.0, with tables beside the
    recordings), and is compared with the checksum there. Citation and licence are shown on stderr
    before the download. A download that is cut goes on there when the function is called again. The
    archive is removed when it is extracted; a second call needs no network.

    Parameters
    ----------
    data_home : str, path or None, default=None
        Folder for downloaded corpora; this one goes to ``emodb`` in it. None is the environment
        variable ``SKSER_DATA``, or ``~/skser_data`` without it.
    url : str or None, default=None
        Another address of the archive. None is that on Zenodo.
    checksum : str or None, default=None
        Checksum of another archive at ``url``, such as ``"sha256:..."``, also with md5, sha1 or
        sha512. None is the published one.
    download_if_missing : bool, default=True
        With False, raise an error if the corpus has to be downloaded.
    verbose : int, default=1
        Above 0, show a progress bar on a terminal.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        What :func:`load_emodb` returns.

    Raises
    ------
    CorpusNotFoundError
        The corpus is not there and ``download_if_missing=False``.
    DownloadError
        The server cannot be reached, or the connection is cut.
    DataError
        What has come has another checksum, or is no archive of EmoDB that is safe to extract.
    ParameterError
        A parameter has a value that is not allowed.

    See Also
    --------
    load_emodb : Load what is on disk already.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import fetch_emodb
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     Path(data_home, "emodb").mkdir()
    ...     Path(data_home, "emodb", "03a01Fa.wav").touch()
    ...     speech = fetch_emodb(data_home)  # is there, so nothing is downloaded
    >>> speech.target, speech.groups
    (array(['happy'], dtype='<U5'), array(['emodb-03'], dtype='<U8'))
    """
    source = SOURCES["emodb"]
    home = fetch_folder(source, data_home, url, checksum, download_if_missing, verbose)
    return load_emodb(home, return_X_y=return_X_y)


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

    An archive of 470 MB comes from Hugging Face (myleslinder/crema-d), a copy, as the repository of
    CREMA-D is often over the limit of what it may send. No checksum is published for the archive:
    its SHA-256 is shown, and each recording is compared with the table of checksums that
    TensorFlow Datasets has published for the original, but for a few that the table lacks. Citation
    and licence are shown on stderr before the download. A download that is cut goes on there when
    the function is called again. The archive is removed when it is extracted; a second call needs
    no network.

    Parameters
    ----------
    data_home : str, path or None, default=None
        Folder for downloaded corpora; this one goes to ``crema_d`` in it. None is the environment
        variable ``SKSER_DATA``, or ``~/skser_data`` without it.
    url : str or None, default=None
        Another address of the archive. None is that on Hugging Face.
    checksum : str or None, default=None
        Checksum of the archive, such as ``"sha256:..."``, also with md5, sha1 or sha512. With one,
        the recordings are not compared with the table.
    download_if_missing : bool, default=True
        With False, raise an error if the corpus has to be downloaded.
    verbose : int, default=1
        Above 0, show a progress bar on a terminal.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        What :func:`load_crema_d` returns.

    Raises
    ------
    CorpusNotFoundError
        The corpus is not there and ``download_if_missing=False``.
    DownloadError
        The server cannot be reached, or the connection is cut.
    DataError
        What has come, or a recording in it, has another checksum, or it is no archive of CREMA-D
        that is safe to extract.
    ParameterError
        A parameter has a value that is not allowed.

    See Also
    --------
    load_crema_d : Load what is on disk already.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import fetch_crema_d
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     Path(data_home, "crema_d").mkdir()
    ...     Path(data_home, "crema_d", "1001_DFA_ANG_XX.wav").touch()
    ...     speech = fetch_crema_d(data_home)  # is there, so nothing is downloaded
    >>> speech.target, speech.groups
    (array(['angry'], dtype='<U5'), array(['crema_d-1001'], dtype='<U12'))
    """
    source = SOURCES["crema_d"]
    home = fetch_folder(source, data_home, url, checksum, download_if_missing, verbose)
    return load_crema_d(home, return_X_y=return_X_y)
