"""Find unusable recordings before an experiment does."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd

from .._utils._param_validation import NONE, VERBOSE, check_value, number
from .._utils._progress import progress
from .._utils._segment import Segment
from .._utils._types import PathLike
from ..audio._decoding import decode_audio
from ..audio._forms import as_recordings
from ..audio._info import describe
from ..audio._recordings import inspect_recording
from ..audio._silence import SILENT, is_silent
from ..audio._streaming import slices
from ..exceptions import AudioError, DataError, MissingDependencyError


def check_audio(
    paths: Sequence[PathLike | Segment], *, max_duration: float | None = 600.0, verbose: int = 0
) -> pd.DataFrame:
    """Find unusable recordings.

    Every file is decoded from beginning to end, which also detects damage inside a file, and
    silence; :class:`~skser.AudioLoader` checks only headers in advance.

    Parameters
    ----------
    paths : sequence of str, path or Segment
        The recordings; of a :class:`~skser.Segment`, only that part is decoded.
    max_duration : float or None, default=600.0
        Longest usable recording in seconds; longer ones are not decoded. None allows any length.
    verbose : int, default=0
        Above 0, show a progress bar.

    Returns
    -------
    table : DataFrame
        One row for each path, in order, with the columns ``path``; ``problem``, None for a usable
        recording; ``sr`` in Hz, ``n_channels``, ``duration`` in seconds and ``format``, missing if
        the header cannot be read.

    Raises
    ------
    DataError
        ``paths`` is not a sequence of paths.
    ParameterError
        ``max_duration`` or ``verbose`` has an invalid value.

    See Also
    --------
    skser.inspect_audio : Read the header of one recording.

    Notes
    -----
    A recording is silent or constant if the root mean square of every 20 ms, about their mean, is
    at most one step of 16 bits (-90 dB of full scale), except for 40 ms at either end.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile
    >>> from skser.datasets import check_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = [Path(folder, name) for name in ("good.wav", "silent.wav", "empty.wav")]
    ...     soundfile.write(paths[0], np.sin(np.arange(8000)), 16000)
    ...     soundfile.write(paths[1], np.zeros(8000), 16000)
    ...     paths[2].touch()
    ...     table = check_audio(paths)
    >>> table["problem"].tolist()
    [None, 'is silent or constant', 'is empty (0 bytes)']
    >>> usable = table["path"][table["problem"].isna()]
    >>> len(usable)
    1
    """
    check_value("max_duration", max_duration, number(0, open_low=True), NONE)
    check_value("verbose", verbose, VERBOSE)
    recordings = as_recordings(paths, "paths")
    for i, recording in enumerate(recordings):
        if not isinstance(recording, (str, Segment)):
            raise DataError(f"paths must be paths, got {type(recording).__name__} as path {i}")
    with progress(recordings, desc="checking", unit="file", disable=not verbose) as bar:
        rows = [_check(recording, max_duration) for recording in bar]
    columns = ["path", "problem", "sr", "n_channels", "duration", "format"]
    table = pd.DataFrame(rows, columns=columns, dtype=object)  # paths may not be valid text
    return table.astype({"sr": "Int64", "n_channels": "Int64", "duration": float})


def _check(recording: str | Segment, max_duration: float | None) -> dict[str, object]:
    """A row of the table."""
    path = recording if isinstance(recording, str) else os.fspath(recording.path)
    row: dict[str, object] = {"path": str(recording), "problem": None, "format": None}
    try:
        info = inspect_recording(path).info  # decoded once, where only decoding tells the length
        row.update(sr=info.sr, n_channels=info.n_channels, format=info.format)
        if isinstance(recording, str):
            row["duration"] = info.duration
        part = inspect_recording(recording, max_duration=max_duration)
        row["duration"] = part.duration
        offset, duration = part.within(0.0, None)
        waveform, sr = decode_audio(path, info, None, offset=offset, duration=duration)
        if is_silent(slices(waveform), sr):
            row["problem"] = SILENT
    except (AudioError, MissingDependencyError) as error:
        problem = str(error).removeprefix(f"{recording}: ")
        row["problem"] = problem.removeprefix(f"{describe(path)}: ")
    return row
