"""Downloads that go on where they were cut, with pooch."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .._utils._param_validation import Allowed
from .._utils._progress import progress
from .._version import __version__
from ..exceptions import DataError, DownloadError

_CHECKSUM = re.compile(
    "md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.IGNORECASE
)

URL = Allowed(
    "an address that begins with http:// or https://",
    lambda value: isinstance(value, str) and re.match(r"https?://[^/\s]+/\S", value) is not None,
)
CHECKSUM = Allowed(
    "'md5:', 'sha1:', 'sha256:' or 'sha512:' and 32, 40, 64 or 128 hexadecimal digits",
    lambda value: isinstance(value, str) and _CHECKSUM.fullmatch(value) is not None,
)

_CHUNK = 1 << 18
_TIMEOUT = 30.0  # seconds without a byte


def download(url: str, folder: Path, checksum: str | None, *, verbose: int = 0) -> Path:
    """Download a file to a folder, unless it is there already.

    What has come is kept in a file ``.part`` as long as it is not all, and asked for no more if
    the server can send the rest alone.

    Parameters
    ----------
    url : str
        Address of the file, http or https.
    folder : Path
        Where to; made if it is not there.
    checksum : str or None
        As ``"md5:..."``. None checks nothing.
    verbose : int, default=0
        Above 0, show a progress bar on a terminal.

    Returns
    -------
    path : Path
        The file. Its name tells the address too, so that two servers' parts do not mix.

    Raises
    ------
    DownloadError
        The server cannot be reached or refuses, or the connection is cut.
    DataError
        What has come has another checksum; it is removed.
    """
    import pooch

    folder.mkdir(parents=True, exist_ok=True)
    name = f".{hashlib.sha256(url.encode()).hexdigest()[:12]}-{file_name(url)}"
    fetch = partial(
        _fetch, part=folder / f"{name}.part", checksum=checksum, disable=None if verbose else True
    )
    with _without_log():
        return Path(
            pooch.retrieve(url, known_hash=checksum, fname=name, path=folder, downloader=fetch)
        )


def file_name(url: str) -> str:
    """The last part of an address' path, fit to be a file's name."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.-]", "_", name)[-100:]


def _fetch(
    url: str,
    output_file: str,
    pooch: Any,
    *,
    part: Path,
    checksum: str | None,
    disable: bool | None,
) -> None:
    """A downloader for pooch: what has come is in ``part`` until all of it is there."""
    _receive(url, part, disable)
    if checksum is not None:
        _check_file(part, checksum, url)
    os.replace(part, output_file)


def _check_file(path: Path, checksum: str, url: str) -> None:
    """Remove a file and raise DataError if it has another checksum."""
    import pooch

    algorithm, _, wanted = checksum.lower().partition(":")
    found = pooch.file_hash(path, alg=algorithm)
    if found != wanted:
        path.unlink()
        raise DataError(
            f"{url}: what came has the checksum {algorithm}:{found}, expected is"
            f" {algorithm}:{wanted}; it has been removed"
        )


def _receive(url: str, part: Path, disable: bool | None) -> None:
    """Write what the server sends to ``part``, from where that ends."""
    from urllib3.exceptions import HTTPError

    response, n_bytes = _open(url, part.stat().st_size if part.exists() else 0)
    length = response.headers.get("Content-Length")
    total = None if length is None else n_bytes + int(length)
    cause: Exception | None = None
    bar = progress(
        desc=file_name(url),
        total=total,
        initial=n_bytes,
        unit="B",
        unit_scale=True,
        disable=disable,
    )
    with response, open(part, "ab" if n_bytes else "wb") as file, bar:
        try:
            # Bytes as they are sent: some servers call a tar.gz a tar in the encoding gzip.
            for block in response.raw.stream(_CHUNK, decode_content=False):
                file.write(block)
                n_bytes += len(block)
                bar.update(len(block))
        except HTTPError as error:
            cause = error
    if cause is not None or (total is not None and n_bytes < total):
        of = "" if total is None else f" of {total}"
        ranges = response.status_code == 206 or response.headers.get("Accept-Ranges") == "bytes"
        again = "goes on from there" if ranges else "begins anew, as the server sends no parts"
        raise DownloadError(
            f"{url}: the connection was cut after {n_bytes}{of} bytes; calling again {again}"
        ) from cause


def _open(url: str, n_bytes: int) -> tuple[Any, int]:
    """The server's answer and where in the file it begins: at ``n_bytes`` if it can, else at 0."""
    import requests

    try:
        response = _request(url, n_bytes)
        if n_bytes and not _goes_on(response, n_bytes):
            n_bytes = 0
            if response.status_code in (206, 416):  # another part than that asked for, or none
                response.close()
                response = _request(url, n_bytes)
    except requests.RequestException as error:
        raise DownloadError(f"{url}: cannot be downloaded ({error})") from error
    if not response.ok:
        response.close()
        raise DownloadError(
            f"{url}: cannot be downloaded ({response.status_code} {response.reason})"
        )
    return response, n_bytes


def _request(url: str, n_bytes: int) -> Any:
    import requests

    headers = {"User-Agent": f"skser/{__version__}", "Accept-Encoding": "identity"}
    if n_bytes:
        headers["Range"] = f"bytes={n_bytes}-"
    return requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT)


def _goes_on(response: Any, n_bytes: int) -> bool:
    """Whether a server sends the rest of a file, from ``n_bytes`` on, and not all of it again."""
    sent = response.headers.get("Content-Range", "")
    return response.status_code == 206 and sent.startswith(f"bytes {n_bytes}-")


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep pooch from telling on stderr what it is about to do."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
