"""Where corpora are, and how one gets from there to a folder, whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from .._utils._files import folder_written_whole
from .._utils._param_validation import BOOLEAN, NONE, VERBOSE, check_value
from ..exceptions import CorpusNotFoundError, DataError
from ._archives import safe_extract
from ._corpus import listing
from ._download import CHECKSUM, URL, download, file_name
from ._names import NamedCorpus
from .crema_d import CREMA_D
from .emodb import EMODB
from .ravdess import RAVDESS


class Source(NamedTuple):
    """Where an archive is, and how it is told that what comes is what was published.

    ``recordings`` is the address and checksum of a table with the checksum of each recording, for
    an archive that has none itself.
    """

    corpus: NamedCorpus
    folder: str
    url: str
    checksum: str | None
    max_bytes: int
    recordings: tuple[str, str] | None = None


# Checksums as published: by Zenodo with records 1188976 and 7447302, and in the registry of
# TensorFlow Datasets (url_checksums/crema_d.txt), whose table has every recording of CREMA-D. The
# archive of CREMA-D is a copy: its own repository is often over the limit of what it may send.
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
}


def tell(text: str) -> None:
    """Show a text on stderr."""
    print(text, file=sys.stderr, flush=True)


def fetch_folder(
    source: Source,
    data_home: str | os.PathLike[str] | None,
    url: str | None,
    checksum: str | None,
    download_if_missing: bool,
    verbose: int,
) -> Path:
    """The folder of a corpus, downloaded if it is not there."""
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
    tell(f"Downloading {url} to {folder}\n\n{source.corpus.descr}")
    published = {} if checksum else _published(source, folder.parent)
    archive = download(url, folder.parent, checksum, verbose=verbose)
    if checksum is None:
        tell(f"{file_name(url)}: no checksum is published, it has sha256:{_sha256(archive)}")
    try:
        with folder_written_whole(folder) as temporary:
            safe_extract(archive, temporary, max_bytes=source.max_bytes)
            _check_content(temporary, source.corpus, published, url)
    except DataError:
        archive.unlink()  # it will be no better the next time
        raise
    archive.unlink()
    return folder


def _published(source: Source, folder: Path) -> dict[str, str]:
    """The SHA-256 of recordings by their names, where that is published."""
    if source.recordings is None:
        return {}
    table = download(source.recordings[0], folder, source.recordings[1])
    # Each row is the address of a recording, its size and its SHA-256.
    rows = [row.split() for row in table.read_text().splitlines()]
    table.unlink()
    return {row[0].rpartition("/")[2]: row[2] for row in rows if row and row[0].endswith(".wav")}


def _check_content(folder: Path, corpus: NamedCorpus, published: dict[str, str], url: str) -> None:
    """Raise DataError unless the recordings are those of a corpus, as far as can be told."""
    files = {file.name: file for file in folder.rglob("*") if corpus.match(file)}
    if not files:
        raise DataError(f"{url}: nothing in it is named as in {corpus.name} ({corpus.example})")
    odd = [
        name
        for name, checksum in published.items()
        if name not in files or _sha256(files[name]) != checksum
    ]
    if odd:
        raise DataError(
            f"{url}: {len(odd)} of {len(published)} recordings are missing or not as published:"
            f" {listing(odd)}"
        )


def _sha256(path: Path) -> str:
    import pooch

    return str(pooch.file_hash(path, alg="sha256"))
