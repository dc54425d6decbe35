"""Docstring sections shared by the loaders, and by the fetchers, of named corpora."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar

from ._names import NamedCorpus, decode

_Function = TypeVar("_Function", bound=Callable[..., Any])

_LOADER = """
Parameters
----------
data_home : str or path
    Folder of the recordings, which may be in subfolders.{channel}
return_X_y : bool, default=False
    Return ``(paths, target)`` instead of a Bunch.

Returns
-------
Bunch or tuple of (ndarray, ndarray)
    With attributes

    - paths : ndarray of shape (n_clips,), object. Paths, sorted.
    - target : ndarray of shape (n_clips,), str. Emotions.
    - groups : ndarray of shape (n_clips,), str. Speakers, such as "{speaker}".
{columns}
    - DESCR : str. Description, citation and licence.

Raises
------
CorpusNotFoundError
    The folder does not exist.
DataError
    No recordings, or recordings not named as in {title}.{channel_error}

References
----------
{reference}

Examples
--------
>>> import tempfile
>>> from pathlib import Path
>>> from skser.datasets import load_{name}
>>> with tempfile.TemporaryDirectory() as folder:
...     Path(folder, "{file}").touch()
...     speech = load_{name}(folder)
>>> speech.target.tolist(), speech.groups.tolist()
(['{emotion}'], ['{speaker}'])
"""

_FETCHER = """
The citation and the licence are printed to stderr before the download. Call again to resume an
interrupted download. The archive is removed after extraction; later calls need no network.

Parameters
----------
data_home : str, path or None, default=None
    Folder for downloaded corpora; this one is saved in its subfolder ``{name}``. None takes the
    environment variable ``SKSER_DATA``, or ``~/skser_data`` if that is not set.{channel}
url : str or None, default=None
    Another address of the archive.
checksum : str or None, default=None
    Checksum of the archive, such as ``"sha256:..."``, also with md5, sha1 or sha512.{checksum}
download_if_missing : bool, default=True
    With False, raise an error instead of downloading.
verbose : int, default=1
    Above 0, show a progress bar on a terminal.
return_X_y : bool, default=False
    Return ``(paths, target)`` instead of a Bunch.

Returns
-------
Bunch or tuple of (ndarray, ndarray)
    As from :func:`{loader}`.

Raises
------
CorpusNotFoundError
    The corpus is missing and ``download_if_missing=False``.
DownloadError
    The server cannot be reached, or the connection is cut.
DataError
    The archive, or a recording in it, has another checksum, is unsafe to extract or is not
    {title}.
ParameterError
    A parameter has an invalid value.

See Also
--------
{loader} : Load recordings from a folder.

Examples
--------
>>> import tempfile
>>> from pathlib import Path
>>> from skser.datasets import fetch_{name}
>>> with tempfile.TemporaryDirectory() as data_home:
...     Path(data_home, "{folder}").mkdir(parents=True)
...     Path(data_home, "{folder}", "{file}").touch()
...     speech = fetch_{name}(data_home)  # already there, so nothing is downloaded
>>> speech.target.tolist(), speech.groups.tolist()
(['{emotion}'], ['{speaker}'])
"""

_CHANNEL = """
channel : {"speech", "song", "both"}, default="speech"
    Which recordings to load."""

_CHANNEL_ERROR = """
ParameterError
    ``channel`` has an invalid value."""


def complete_docstring(
    corpus: NamedCorpus, folder: str = "", checksum: str = "", loader: str = ""
) -> Callable[[_Function], _Function]:
    """Append sections to the docstring of a loader or, with the example's folder, a fetcher."""
    file = corpus.example.rpartition(" ")[2]
    match = corpus.match(Path(file))
    assert match is not None
    example = decode(corpus, match.groupdict())
    columns = ", ".join(dict.fromkeys(["path", "emotion", "speaker", "corpus", *example]))
    columns = fill(
        f"- frame : DataFrame. The columns {columns}.",
        width=90,
        initial_indent="    ",
        subsequent_indent="      ",
    )
    has_channel = "channel" in example
    text = (_FETCHER if folder else _LOADER).format(
        name=corpus.name,
        loader=loader or f"load_{corpus.name}",
        title=corpus.descr.partition(":")[0],
        file=file,
        emotion=example["emotion"],
        speaker=example["speaker"],
        columns=columns,
        reference=re.search(r"Citation: (.*)\nSource:", corpus.descr, re.DOTALL)[1],  # type: ignore[index]
        channel=_CHANNEL if has_channel else "",
        channel_error=_CHANNEL_ERROR if has_channel else "",
        folder=folder,
        checksum=checksum,
    )

    def decorate(function: _Function) -> _Function:
        if function.__doc__:  # none with python -OO
            function.__doc__ = f"{cleandoc(function.__doc__)}\n{text}"
        return function

    return decorate
