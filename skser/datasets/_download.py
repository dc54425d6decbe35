"""Downloads that resume after an interruption."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from .._utils._param_validation import Allowed
from .._utils._progress import progress
from .._version import __version__
from ..exceptions import DataError, DownloadError

if TYPE_CHECKING:
    from requests import Response

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
    """Download a file to a folder, unless it is there already with the same checksum.

    An interrupted download stays in a ``.part`` file, which the next call completes. File names
    contain a hash of the address, so that the parts of two servers do not mix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{hashlib.sha256(url.encode()).hexdigest()[:12]}-{file_name(url)}"
    algorithm, _, expected = (checksum or "").lower().partition(":")
    if path.exists() and (checksum is None or file_hash(path, algorithm) == expected):
        return path
    part = path.with_name(f"{path.name}.part")
    _receive(url, part, verbose)
    if checksum is not None and (actual := file_hash(part, algorithm)) != expected:
        part.unlink()
        raise DataError(
            f"{url}: the download has the checksum {algorithm}:{actual}, expected"
            f" {algorithm}:{expected}; it has been removed"
        )
    os.replace(part, path)
    return path


def file_name(url: str) -> str:
    """The last part of the path in a URL, as a valid file name."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.-]", "_", name)[-100:]


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """Checksum of a file, in hexadecimal digits."""
    import pooch

    return str(pooch.file_hash(path, alg=algorithm))


def _receive(url: str, part: Path, verbose: int) -> None:
    """Append the bytes that ``part`` lacks, or all if the server cannot send a range."""
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
        disable=None if verbose else True,
    )
    with response, open(part, "ab" if n_bytes else "wb") as file, bar:
        try:
            # Undecoded: some servers send a tar.gz as a tar with the encoding gzip.
            for block in response.raw.stream(_CHUNK, decode_content=False):
                file.write(block)
                n_bytes += len(block)
                bar.update(len(block))
        except HTTPError as error:
            cause = error
    if cause is not None or (total is not None and n_bytes < total):
        of = "" if total is None else f" of {total}"
        ranges = response.status_code == 206 or response.headers.get("Accept-Ranges") == "bytes"
        again = "to resume" if ranges else "to start over, as the server cannot resume"
        raise DownloadError(
            f"{url}: the connection was cut after {n_bytes}{of} bytes; call again {again}"
        ) from cause


def _open(url: str, n_bytes: int) -> tuple[Response, int]:
    """The response, and where it begins in the file: at ``n_bytes`` if possible, else at 0."""
    import requests

    try:
        response = _request(url, n_bytes)
        content_range = response.headers.get("Content-Range", "")
        if response.status_code != 206 or not content_range.startswith(f"bytes {n_bytes}-"):
            if n_bytes and response.status_code in (206, 416):  # another range, or none
                response.close()
                response = _request(url, 0)
            n_bytes = 0
    except requests.RequestException as error:
        raise DownloadError(f"{url}: cannot be downloaded ({error})") from error
    if not response.ok:
        response.close()
        raise DownloadError(
            f"{url}: cannot be downloaded ({response.status_code} {response.reason})"
        )
    return response, n_bytes


def _request(url: str, n_bytes: int) -> Response:
    import requests

    headers = {"User-Agent": f"skser/{__version__}", "Accept-Encoding": "identity"}
    if n_bytes:
        headers["Range"] = f"bytes={n_bytes}-"
    return requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
