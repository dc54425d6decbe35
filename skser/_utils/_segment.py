"""Segment: a part of a recording."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..exceptions import ParameterError
from ._param_validation import NONE, check_value, number


@dataclass(frozen=True)
class Segment:
    """Part of a recording, for pipelines and all functions that take recordings for them.

    Only the part is decoded. It is a recording of its own: ``offset`` of an
    :class:`~skser.AudioLoader` counts from ``start``. :func:`~skser.read_audio` has ``offset`` and
    ``duration`` instead.

    Parameters
    ----------
    path : str or path
        File of the recording.
    start : float, default=0.0
        Start in the recording, in seconds.
    end : float or None, default=None
        End in the recording, in seconds. None is the end of the recording.

    Raises
    ------
    ParameterError
        ``start`` is negative, or ``end`` is not after ``start``.

    See Also
    --------
    skser.datasets.load_manifest : Load a table of segments.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, soundfile
    >>> from skser import AudioLoader, Segment
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "call.wav")
    ...     soundfile.write(path, np.repeat([0.1, 0.2, 0.3], 16000), 16000)
    ...     parts = [Segment(path, 0.0, 1.0), Segment(path, 1.0, 3.0)]
    ...     clips = AudioLoader(duration=None).transform(parts)
    ...     [clip.shape for clip in clips]
    [(1, 16000), (1, 32000)]
    >>> print(Segment("call.wav", 0.5, 2.0))
    call.wav#t=0.5,2
    """

    path: str | os.PathLike[str]
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        check_value("start", self.start, number(0))
        check_value("end", self.end, number(0, open_low=True), NONE)
        if self.end is not None and self.end <= self.start:
            raise ParameterError(f"end must be after start={self.start:g}, got {self.end:g}")
        object.__setattr__(self, "path", os.fspath(self.path))

    def __str__(self) -> str:
        """Name in messages and tables, as a fragment of a media file is written in addresses."""
        end = "" if self.end is None else f",{self.end:.12g}"
        return f"{self.path}#t={self.start:.12g}{end}"
