"""Download freely available corpora once, and load them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .._utils._files import folder_written_whole
from .._utils._param_validation import BOOLEAN, NONE, VERBOSE, check_value
from .._utils._types import PathLike
from ..exceptions import CorpusNotFoundError, DataError, ParameterError
from ._archives import safe_extract
from ._asian import SUBESCO
from ._corpus import listing, log
from ._docstrings import complete_docstring
from ._download import CHECKSUM, URL, download, file_hash, file_name
from ._names import NamedCorpus, load_names
from .crema_d import CREMA_D, load_crema_d
from .emodb import EMODB, load_emodb
from .ravdess import CHANNEL, RAVDESS, load_ravdess


class Source(NamedTuple):
    """The published archive of a corpus.

    ``recordings`` is the address and checksum of a table with the checksum of each recording, for
    an archive without a published checksum.
    """

    corpus: NamedCorpus
    folder: str
    url: str
    checksum: str | None
    max_bytes: int
    recordings: tuple[str, str] | None = None


# Checksums as published: by Zenodo with records 1188976 and 7447302, and in the registry of
# TensorFlow Datasets (url_checksums/crema_d.txt), whose table has every recording of CREMA-D. The
# archive of CREMA-D is a copy, as the original repository often exceeds its download limit. That of
# SUBESCO (Zenodo, record 4526477) is pinned in a public project that verifies it (attune, on
# GitHub), with the MD5 13d702cf944bf54d70d66bffc036ed7a and 7000 recordings of 2.8 GB.
SOURCES = {
    "speech": Source(
        RAVDESS,
        "ravdess/speech",
        "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        "md5:bc696df654c87fed845eb13823edef8a",
        max_bytes=2_000_000_000,
    ),
    "song": Source(
        RAVDESS,
        "ravdess/song",
        "https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip",
        "md5:5411230427d67a21e18aa4d466e6d1b9",
        max_bytes=2_000_000_000,
    ),
    "emodb": Source(
        EMODB,
        "emodb",
        "https://zenodo.org/records/7447302/files/emodb.zip",
        "md5:9d21362dbc5676ef3ab4745d83ced0db",
        max_bytes=500_000_000,
    ),
    "crema_d": Source(
        CREMA_D,
        "crema_d",
        "https://huggingface.co/datasets/myleslinder/crema-d/resolve/main/data/crema_d.tar.gz",
        None,
        max_bytes=2_000_000_000,
        recordings=(
            "https://storage.googleapis.com/tfds-data/manual_checksums/crema_d.txt",
            "sha256:66b5d959dcee997321baf9080c80022a6937279419446db3a9d4827d839b0abb",
        ),
    ),
    "subesco": Source(
        SUBESCO,
        "subesco",
        "https://zenodo.org/records/4526477/files/SUBESCO.zip",
        "sha256:7505111bc864193d1906c05f83ca50d950250c65b62ae9b1740dee44f5cdb113",
        max_bytes=4_000_000_000,
    ),
}


@complete_docstring(RAVDESS, SOURCES["speech"].folder)
def fetch_ravdess(
    data_home: PathLike | None = None,
    *,
    channel: Literal["speech", "song", "both"] = "speech",
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load RAVDESS, after downloading it the first time.

    The archives come from Zenodo, record 1188976: 208 MB of speech, 226 MB of song. Their
    checksums are verified. The licence allows no commercial use.
    """
    check_value("channel", channel, CHANNEL)
    if channel == "both" and not (url is None and checksum is None):
        raise ParameterError(
            "url and checksum are of one archive, so channel must be 'speech' or 'song', got 'both'"
        )
    names = ("speech", "song") if channel == "both" else (channel,)
    for name in names:
        home = _fetch(SOURCES[name], data_home, url, checksum, download_if_missing, verbose)
    home = home.parent if channel == "both" else home
    return load_ravdess(home, channel=channel, return_X_y=return_X_y)


@complete_docstring(EMODB, SOURCES["emodb"].folder)
def fetch_emodb(
    data_home: PathLike | None = None,
    *,
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load EmoDB, after downloading it the first time.

    The archive of 40 MB comes from Zenodo, record 7447302 (version 1.3.0, with tables beside the
    recordings). Its checksum is verified.
    """
    home = _fetch(SOURCES["emodb"], data_home, url, checksum, download_if_missing, verbose)
    return load_emodb(home, return_X_y=return_X_y)


@complete_docstring(
    CREMA_D,
    SOURCES["crema_d"].folder,
    " With one,\n    recordings are not compared with the table.",
)
def fetch_crema_d(
    data_home: PathLike | None = None,
    *,
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load CREMA-D, after downloading it the first time.

    The archive of 470 MB is a copy on Hugging Face (myleslinder/crema-d), as the original
    repository often exceeds its download limit. No checksum of the archive is published: its
    SHA-256 is printed, and each recording is compared with the table of checksums that TensorFlow
    Datasets publishes for the original, except for a few that the table lacks.
    """
    home = _fetch(SOURCES["crema_d"], data_home, url, checksum, download_if_missing, verbose)
    return load_crema_d(home, return_X_y=return_X_y)


@complete_docstring(SUBESCO, SOURCES["subesco"].folder, loader="load_corpus")
def fetch_subesco(
    data_home: PathLike | None = None,
    *,
    url: str | None = None,
    checksum: str | None = None,
    download_if_missing: bool = True,
    verbose: int = 1,
    return_X_y: bool = False,
) -> Any:
    """Load SUBESCO, after downloading it the first time.

    The archive of 1.7 GB comes from Zenodo, record 4526477. Its checksum is verified.
    """
    home = _fetch(SOURCES["subesco"], data_home, url, checksum, download_if_missing, verbose)
    return load_names(SUBESCO, home, return_X_y)


def _fetch(
    source: Source,
    data_home: PathLike | None,
    url: str | None,
    checksum: str | None,
    download_if_missing: bool,
    verbose: int,
) -> Path:
    """The folder of a corpus, downloaded if missing: complete, or not there at all."""
    check_value("url", url, URL, NONE)
    check_value("checksum", checksum, CHECKSUM, NONE)
    check_value("download_if_missing", download_if_missing, BOOLEAN)
    check_value("verbose", verbose, VERBOSE)
    home = Path(data_home or os.environ.get("SKSER_DATA") or "~/skser_data").expanduser()
    folder = home / source.folder
    if folder.is_dir():
        return folder
    if not download_if_missing:
        raise CorpusNotFoundError(f"{folder}: no such folder, and download_if_missing=False")
    url, checksum = url or source.url, checksum or source.checksum
    log(f"Downloading {url} to {folder}\n\n{source.corpus.descr}")
    published = {}
    if checksum is None and source.recordings is not None:
        published = _published_checksums(*source.recordings, folder.parent)
    archive = download(url, folder.parent, checksum, verbose=verbose)
    if checksum is None:
        log(f"{file_name(url)}: no checksum is published, it has sha256:{file_hash(archive)}")
    try:
        with folder_written_whole(folder) as temporary:
            safe_extract(archive, temporary, max_bytes=source.max_bytes)
            _check_content(temporary, source.corpus, published, url)
    except DataError:
        archive.unlink()  # a second attempt would fail alike
        raise
    archive.unlink()
    return folder


def _published_checksums(url: str, checksum: str, folder: Path) -> dict[str, str]:
    """The published SHA-256 of each recording by file name."""
    table = download(url, folder, checksum)
    # Each row is the address of a recording, its size and its SHA-256.
    rows = [row.split() for row in table.read_text().splitlines()]
    table.unlink()
    return {row[0].rpartition("/")[2]: row[2] for row in rows if row and row[0].endswith(".wav")}


def _check_content(folder: Path, corpus: NamedCorpus, published: dict[str, str], url: str) -> None:
    """Raise DataError unless the recordings are of the corpus and have the published checksums."""
    files = {file.name: file for file in folder.rglob("*") if corpus.match(file)}
    if not files:
        raise DataError(f"{url}: nothing in it is named as in {corpus.name} ({corpus.example})")
    wrong = [
        name
        for name, checksum in published.items()
        if name not in files or file_hash(files[name]) != checksum
    ]
    if wrong:
        raise DataError(
            f"{url}: {len(wrong)} of {len(published)} recordings are missing or not as published:"
            f" {listing(wrong)}"
        )
