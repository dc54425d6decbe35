"""Which recordings are silent, found out while a pipeline decodes them.

`skser predict` uses it, so it imports neither scikit-learn nor pandas.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from .._utils._files import absolute_path
from .._utils._segment import Segment
from ..audio._clip_reader import ClipReader, Excerpt, watching
from ..audio._recordings import Recording
from ..audio._silence import is_silent, is_silent_recording
from ..audio._streaming import slices

if TYPE_CHECKING:
    from ..audio import AudioLoader


class SilenceWatch:
    """Silence of the recordings of a batch, of which a loader may take a part only.

    What is decoded inside `watching` is not decoded again.
    """

    def __init__(self, loader: AudioLoader | None = None) -> None:
        self._limits: dict[str, Any] = {}
        if loader is not None:
            names = ("sr", "offset", "duration")
            self._limits = dict(zip(names, ClipReader.of(loader).excerpt, strict=True))
            self._limits["max_duration"] = loader.max_duration
            self._limits["channel"] = ClipReader.of(loader).channel
        self._known: dict[tuple[str | bytes, float, float | None], bool] = {}

    def watching(self) -> AbstractContextManager[None]:
        """Watch what this thread decodes inside."""
        return watching(self._add)

    def is_silent(self, file: Any) -> bool:
        """Whether a recording is silent; AudioError if it is unusable."""
        known = None
        if isinstance(file, Segment):
            known = self._known.get((absolute_path(file.path), file.start, file.end))
        elif isinstance(file, bytes):
            known = self._known.get((file, 0.0, None))
        elif isinstance(file, (str, os.PathLike)):
            known = self._known.get((absolute_path(file), 0.0, None))
        return is_silent_recording(file, **self._limits) if known is None else known

    def _add(self, recording: Recording, waveform: np.ndarray, excerpt: Excerpt) -> None:
        key = (recording.source, recording.start, recording.end)
        # Pipelines in a vote may take different parts.
        self._known[key] = self._known.get(key, True) and is_silent(slices(waveform), excerpt[0])
