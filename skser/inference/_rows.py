"""Rows of a timeline: their windows, which of them are silent, and smoothing over them.

A row answers for ``hop`` seconds of the recording, from a window of audio around its middle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._utils._param_validation import NONE, check_value, number
from ..audio._streaming import FRAME_SECONDS
from ._timeline_formats import runs

_BATCH_SIZE = 16  # windows
NOISE_FLOOR = -70.0  # dB of full scale; recorder noise is below
_MIN_SPEECH_SHARE = 0.2  # of a row, or of the second around its middle
_MIN_SILENCE_SPAN = 1.0  # s; longer than pauses between words
# Frames of a second in all exceed the loudest level, so a slamming door does not silence speech.
_LOUDEST_SECONDS, _LOUDEST_SHARE = 1.0, 0.05
_N_LOUDEST = round(_LOUDEST_SECONDS / FRAME_SECONDS)  # frames


def check_timing(window: float, hop: float, smoothing: float | None, top_db: float | None) -> None:
    """Raise ParameterError for a value that is not allowed."""
    check_value("window", window, number(0.1))
    check_value("hop", hop, number(0.01))
    check_value("smoothing", smoothing, number(0), NONE)
    check_value("top_db", top_db, number(0, open_low=True), NONE)


def batches(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows to predict at once."""
    return (rows[first : first + _BATCH_SIZE] for first in range(0, len(rows), _BATCH_SIZE))


@dataclass(frozen=True)
class TimelineRow:
    """A row of a timeline.

    Parameters
    ----------
    index : int
        Number of the row, from 0.
    start, end : float
        In seconds.
    emotion : object
        The most probable class, None in silence.
    silence : bool
        Whether the row has too little speech.
    probabilities : ndarray of shape (n_classes,) or None
        Of the emotions; None in silence.
    revised : bool, default=False
        Whether the row replaces an earlier one of the same index.
    """

    index: int
    start: float
    end: float
    emotion: Any
    silence: bool
    probabilities: np.ndarray | None
    revised: bool = False


class Grid:
    """Where rows and the spans around them lie, in samples."""

    def __init__(self, sr: int, window: float, hop: float) -> None:
        self.sr, self.hop = sr, hop  # Hz, s
        self.window = round(window * sr)
        self._silence_span = round(min(max(hop, _MIN_SILENCE_SPAN), window) * sr)

    def n_rows(self, n_samples: int) -> int:
        """Number of rows of a recording, the last one possibly shorter."""
        return max(1, math.ceil(n_samples / (self.hop * self.sr) - 1e-6))  # 0.1 s is inexact

    def n_whole_rows(self, n_samples: int) -> int:
        """Number of rows that end within the first samples of a recording."""
        n_rows = self.n_rows(n_samples)
        return n_rows if round(n_rows * self.hop * self.sr) <= n_samples else n_rows - 1

    def edges(self, first: int, stop: int, n_samples: int) -> np.ndarray:
        """Starts of rows, and the end of the last one; a recording ends with its last row."""
        edges = (np.arange(first, stop + 1) * (self.hop * self.sr)).round().astype(int)
        if stop == self.n_rows(n_samples):
            edges[-1] = n_samples
        return edges

    def windows(self, first: int, stop: int, n_samples: int) -> np.ndarray:
        """Start and stop of the audio that predicts each row."""
        return _spans_around(self.edges(first, stop, n_samples), self.window, n_samples)

    def silence_spans(self, first: int, stop: int, n_samples: int) -> np.ndarray:
        """Start and stop of the audio that decides whether a row is silent."""
        return _spans_around(self.edges(first, stop, n_samples), self._silence_span, n_samples)


class SpeechLevels:
    """Levels of the frames of a recording, and which spans of it have too little speech."""

    def __init__(self, sr: int, top_db: float | None) -> None:
        self._frame = round(FRAME_SECONDS * sr)
        self._top_db = top_db
        self._levels = np.empty(0, np.float32)
        self._loudest = np.empty(0, np.float32)  # ascending, all that the threshold needs

    def __len__(self) -> int:
        return len(self._levels)

    def extend(self, levels: np.ndarray) -> None:
        """Add the levels of the next frames, in dB."""
        self._levels = np.concatenate([self._levels, levels])
        candidates = np.concatenate([self._loudest, levels])
        if len(candidates) > _N_LOUDEST:
            candidates = np.partition(candidates, -_N_LOUDEST)[-_N_LOUDEST:]
        self._loudest = np.sort(candidates)

    @property
    def threshold(self) -> float:
        """Level in dB above which a frame is speech; it may fall until `may_fall` is False."""
        if self._top_db is None:
            return -math.inf
        n_louder = min(_N_LOUDEST, math.ceil(_LOUDEST_SHARE * len(self._levels)))
        return max(float(self._loudest[-n_louder] - self._top_db), NOISE_FLOOR)

    @property
    def may_fall(self) -> bool:
        """Whether frames to come may lower the threshold."""
        return self._top_db is not None and _LOUDEST_SHARE * len(self._levels) < _N_LOUDEST

    def last_frames(self, spans: np.ndarray) -> np.ndarray:
        """Number of the frame in which each span ends."""
        return (spans[:, 1] - 1) // self._frame

    def are_silent(self, spans: np.ndarray, threshold: float) -> np.ndarray:
        """Whether each span has too little speech."""
        if self._top_db is None or not len(spans):
            return np.zeros(len(spans), bool)
        first, last = spans[:, 0] // self._frame, self.last_frames(spans)
        start = first.min()
        is_speech = self._levels[start : last.max() + 1] >= threshold
        n_speech = np.append(0, np.cumsum(is_speech))
        n_frames = last - first + 1
        return n_speech[last + 1 - start] - n_speech[first - start] < _MIN_SPEECH_SHARE * n_frames


class PredictedRows:
    """Rows in order, with probabilities that are smoothed over neighbours but not across silence.

    Parameters
    ----------
    grid : Grid
        Where rows lie.
    classes : list
        The emotions.
    smoothing : float or None
        Width of the Hann window in seconds.
    """

    def __init__(self, grid: Grid, classes: list[object], smoothing: float | None) -> None:
        self._grid, self._classes = grid, classes
        self._width = 0.0 if smoothing is None else smoothing / grid.hop  # in rows
        self.reach = max(0, math.ceil(self._width / 2) - 1)  # rows on either side
        self._probabilities = np.empty((0, len(classes)))
        self.is_silent = np.empty(0, bool)

    def __len__(self) -> int:
        return len(self.is_silent)

    def extend(self, probabilities: np.ndarray, is_silent: np.ndarray) -> None:
        """Add the next rows; those of silence may have NaN."""
        self._probabilities = np.concatenate([self._probabilities, probabilities])
        self.is_silent = np.append(self.is_silent, is_silent)

    @property
    def n_smoothed(self) -> int:
        """Number of rows whose mean has all its neighbours."""
        silent = np.flatnonzero(self.is_silent[-self.reach or len(self) :])
        n_before = max(0, len(self) - self.reach)
        return n_before + int(silent[-1]) + 1 if len(silent) else n_before

    def rows(self, first: int, stop: int, n_samples: int) -> list[TimelineRow]:
        """Rows from ``first`` to ``stop``, of a recording with that many samples so far."""
        if first >= stop:
            return []
        start = max(0, first - self.reach)
        smoothed = self._smooth(slice(start, stop + self.reach))[first - start : stop - start]
        edges = self._grid.edges(first, stop, n_samples) / self._grid.sr
        edges[:-1] = np.arange(first, stop) * self._grid.hop
        rows = []
        for index, values in enumerate(smoothed, start=first):
            begin, end = edges[index - first : index - first + 2].round(6).tolist()
            silent = bool(self.is_silent[index])
            emotion = None if silent else self._classes[int(values.argmax())]
            known = None if silent else values
            rows.append(TimelineRow(index, begin, end, emotion, silent, known))
        return rows

    def _smooth(self, part: slice) -> np.ndarray:
        from scipy.ndimage import convolve1d

        smoothed, is_silent = self._probabilities[part].copy(), self.is_silent[part]
        reach = min(self.reach, len(smoothed))
        if not reach:
            return smoothed
        weights = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(-reach, reach + 1) / self._width)
        for start, stop in runs(is_silent):
            if not is_silent[start]:
                total = convolve1d(np.ones(stop - start), weights, mode="constant")
                rows = convolve1d(smoothed[start:stop], weights, axis=0, mode="constant")
                smoothed[start:stop] = rows / total[:, np.newaxis]
        return smoothed


def _spans_around(edges: np.ndarray, length: int, n_samples: int) -> np.ndarray:
    """Start and stop of ``length`` samples around the middle of each row, within the recording."""
    length = min(length, n_samples)
    middles = (edges[:-1] + edges[1:]) // 2
    starts = (middles - length // 2).clip(0, n_samples - length)
    return np.stack([starts, starts + length], axis=1)
