"""check_audio: what is wrong with which file, before an experiment runs into it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .._utils._param_validation import NONE, VERBOSE, check_value, number
from .._utils._progress import progress
from ..audio import inspect_audio
from ..audio._decoding import decode_audio
from ..audio._info import describe
from ..audio._recordings import as_recordings, check_length
from ..exceptions import AudioError, DataError, MissingDependencyError


def check_audio(
    paths: Any, *, max_duration: float | None = 600.0, verbose: int = 0
) -> pd.DataFrame:
    """List what is wrong with which recording.

    Every file is decoded from beginning to end, so damage within a file is found as well, which
    :class:`~skser.AudioLoader` meets only when it comes to it.

    Parameters
    ----------
    paths : sequence of str or path
        The recordings.
    max_duration : float or None, default=600.0
        Longer recordings are a problem, in seconds, and are not decoded. None allows any.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    table : DataFrame
        One row for each path, in order, with the columns ``path``; ``problem``, what is wrong
        with the file, missing if nothing is; ``sr`` in Hz, ``n_channels``, ``duration`` in seconds
        and ``format``, missing if the header cannot be read.

    Raises
    ------
    DataError
        ``paths`` is no sequence of paths.
    ParameterError
        ``max_duration`` or ``verbose`` has a value that is not allowed.

    See Also
    --------
    skser.inspect_audio : What the header of one recording says.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile
    >>> from skser.datasets import check_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = [Path(folder, name) for name in ("good.wav", "empty.wav")]
    ...     soundfile.write(paths[0], np.zeros(8000), 16000)
    ...     paths[1].touch()
    ...     table = check_audio(paths)
    >>> table["problem"].tolist()
    [None, 'is empty (0 bytes)']
    >>> usable = table["path"][table["problem"].isna()]
    >>> len(usable)
    1
    """
    check_value("max_duration", max_duration, number(0, open_low=True), NONE)
    check_value("verbose", verbose, VERBOSE)
    recordings = as_recordings(paths, "paths")
    for i, recording in enumerate(recordings):
        if not isinstance(recording, str):
            raise DataError(f"paths must be paths, got {type(recording).__name__} as path {i}")
    with progress(recordings, desc="checking", unit="file", disable=not verbose) as bar:
        rows = [_check(path, max_duration) for path in bar]
    return pd.DataFrame(
        {
            "path": pd.Series(recordings, dtype=object),  # names may be no text
            "problem": pd.Series([row.get("problem") for row in rows], dtype=object),
            "sr": pd.array([row.get("sr") for row in rows], dtype="Int64"),
            "n_channels": pd.array([row.get("n_channels") for row in rows], dtype="Int64"),
            "duration": pd.Series([row.get("duration") for row in rows], dtype=float),
            "format": pd.Series([row.get("format") for row in rows], dtype=object),
        }
    )


def _check(path: str, max_duration: float | None) -> dict[str, Any]:
    """A row of the table, without what is not known."""
    row: dict[str, Any] = {}
    try:
        info = inspect_audio(path)
        row.update(
            sr=info.sr, n_channels=info.n_channels, duration=info.duration, format=info.format
        )
        check_length(path, info.n_samples, info.sr, max_duration=max_duration)
        decode_audio(path, info, None, offset=0.0, duration=None)
    except (AudioError, MissingDependencyError) as error:
        row["problem"] = str(error).removeprefix(f"{describe(path)}: ")
    return row
