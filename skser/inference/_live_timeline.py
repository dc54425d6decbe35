"""LiveTimeline: emotion over the time of a recording, while it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline

from ..audio._streaming import Buffer, FrameLevels
from ..calibration import TemperatureScaledClassifier
from ..exceptions import DataError, naming
from ._rows import (
    NOISE_FLOOR,
    Grid,
    PredictedRows,
    SpeechLevels,
    TimelineRow,
    batches,
    check_timing,
)
from ._window_predictor import WindowPredictor

__all__ = ["LiveTimeline"]

_ENDLESS = 2**62  # samples, of a recording whose end is not known


class LiveTimeline:
    """Predict emotions over the time of a recording while it is made.

    The rows are those of :func:`skser.predict_timeline`. One comes as soon as the audio that it
    depends on is there. If louder speech follows, rows before it may become silent; they come
    again, and the last row of each index is the one that counts.

    Parameters
    ----------
    pipeline : Pipeline or TemperatureScaledClassifier
        Fitted; its first step is an :class:`skser.AudioLoader`, its last has ``predict_proba``.
    window : float, default=3.0
        Length in seconds of the audio that predicts a row; at most the loader's ``duration``.
    hop : float, default=1.0
        Length of a row in seconds.
    smoothing : float or None, default=3.0
        Width in seconds of the Hann window that averages probabilities over neighbouring rows.
    top_db : float or None, default=40.0
        Frames this far below the loudest level so far are silent. None marks nothing as silent.

    Attributes
    ----------
    sr : int
        Sampling rate in Hz of the samples to push.
    classes : list
        The emotions, in the order of the probabilities.
    n_samples : int
        Number of samples so far.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed, the pipeline does not begin with an AudioLoader
        or has no ``predict_proba``, or the window is longer than the loader's ``duration``.
    DataError
        An emotion has the name of a column of a timeline.

    See Also
    --------
    skser.predict_timeline : The same for a recording that is complete.

    Notes
    -----
    A row is known half a window after its middle, and smoothing waits for the rows it averages
    over: with the defaults 2 s after the end of a row, without smoothing 1 s. With a Whisper model,
    which encodes the stretches that windows share once, up to 3.75 s later. Memory does not grow
    with the audio, but for about 500 bytes a second.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.inference import LiveTimeline
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> pipeline = pipeline.fit(speech.waveforms, speech.target)
    >>> live = LiveTimeline(pipeline, window=1.0, smoothing=None)
    >>> for block in np.split(np.concatenate(speech.waveforms)[: 3 * live.sr], 3):
    ...     for row in live.push(block):
    ...         print(row.start, row.end, row.emotion)
    0.0 1.0 angry
    1.0 2.0 angry
    2.0 3.0 angry
    >>> live.finish()
    []
    """

    def __init__(
        self,
        pipeline: Pipeline | TemperatureScaledClassifier,
        *,
        window: float = 3.0,
        hop: float = 1.0,
        smoothing: float | None = 3.0,
        top_db: float | None = 40.0,
    ) -> None:
        check_timing(window, hop, smoothing, top_db)
        self._predictor = WindowPredictor(pipeline, window, overlap=hop < window)
        self.sr: int = self._predictor.loader.sr
        self.classes = self._predictor.classes
        self._grid = Grid(self.sr, window, hop)
        self._frames, self._levels = FrameLevels(self.sr), SpeechLevels(self.sr, top_db)
        self._audio = Buffer()
        self._rows = PredictedRows(self._grid, self.classes, smoothing)
        self._sent: list[TimelineRow] = []
        self._threshold = np.nan
        self._is_finished = False

    @property
    def n_samples(self) -> int:
        return len(self._audio)

    def push(self, waveform: np.ndarray) -> list[TimelineRow]:
        """Add samples, and return the rows that are now known or have changed.

        Parameters
        ----------
        waveform : ndarray of shape (n_samples,)
            The next samples at `sr`, in mono.

        Returns
        -------
        rows : list of TimelineRow
            By index; a row has the fields ``index``, ``start``, ``end``, ``emotion``, ``silence``,
            ``probabilities`` and ``revised``.

        Raises
        ------
        DataError
            ``waveform`` is not one-dimensional or not finite, or the recording is finished.
        """
        if self._is_finished:
            raise DataError("waveform must come before finish()")
        samples = np.asarray(waveform)
        if samples.ndim != 1 or samples.dtype.kind != "f" or not np.isfinite(samples).all():
            raise DataError(
                "waveform must be one-dimensional, of finite floats, got "
                f"{samples.dtype} of shape {samples.shape}"
            )
        samples = samples.astype(np.float32, copy=False)
        # If the recording ends, the window of its last row lies around a middle that is earlier, or
        # is shifted to end with the recording.
        start = self._grid.edges(len(self._rows), len(self._rows) + 1, _ENDLESS)[0]
        window, n_samples = self._grid.window, len(self._audio) + len(samples)
        keep_from = min(start - window // 2, n_samples - window) - self._predictor.lookback
        self._audio.push(samples, keep_from=keep_from)
        self._levels.extend(self._frames.push(samples))
        return self._advance()

    def finish(self) -> list[TimelineRow]:
        """End the recording, and return the remaining rows.

        Returns
        -------
        rows : list of TimelineRow
            By index; empty for a recording without samples.
        """
        if self._is_finished or not len(self._audio):
            return []
        self._is_finished = True
        self._levels.extend(self._frames.finish())
        return self._advance()

    def _advance(self) -> list[TimelineRow]:
        n_before = len(self._rows)
        if not len(self._levels):
            return []
        first_changed = min(self._decide_silence_again(), n_before)
        self._predict(self._n_known())
        rows = self._rows
        n_ready = len(rows) if self._is_finished else rows.n_smoothed
        first = max(0, first_changed - rows.reach)
        news = []
        for row in rows.rows(first, n_ready, len(self._audio)):
            if row.index == len(self._sent):
                self._sent.append(row)
            elif not _are_equal(row, self._sent[row.index]):
                row = self._sent[row.index] = replace(row, revised=True)
            else:
                continue
            news.append(row)
        return news

    def _n_known(self) -> int:
        """Number of rows whose audio is there."""
        n_samples, first = len(self._audio), len(self._rows)
        if self._is_finished:
            return self._grid.n_rows(n_samples)
        stop = self._grid.n_whole_rows(n_samples)
        if stop <= first:
            return first
        needs = self._predictor.needs(self._grid.windows(first, stop, _ENDLESS))
        frames = self._levels.last_frames(self._grid.silence_spans(first, stop, _ENDLESS))
        is_known = (needs <= n_samples) & (frames < len(self._levels))
        return first + int(np.append(is_known, False).argmin())

    def _decide_silence_again(self) -> int:
        """Decide again which rows are silent, and return the first that changed."""
        n_rows, threshold = len(self._rows), self._levels.threshold
        if threshold == self._threshold or not n_rows:
            self._threshold = threshold
            return n_rows
        self._threshold = threshold
        spans = self._grid.silence_spans(0, n_rows, _ENDLESS)
        is_silent = self._levels.are_silent(spans, threshold)
        changed = np.flatnonzero(is_silent != self._rows.is_silent)
        self._rows.is_silent = is_silent
        return int(changed[0]) if len(changed) else n_rows

    def _predict(self, stop: int) -> None:
        """Predict the rows up to ``stop``."""
        first = len(self._rows)
        if stop <= first:
            return
        n_samples = len(self._audio) if self._is_finished else _ENDLESS
        spans = self._grid.windows(first, stop, n_samples)
        silence_spans = self._grid.silence_spans(first, stop, n_samples)
        is_silent = self._levels.are_silent(silence_spans, self._threshold)
        may_be_speech = ~is_silent
        if self._levels.may_fall and not self._is_finished:
            may_be_speech = ~self._levels.are_silent(silence_spans, NOISE_FLOOR)
        probabilities = np.full((stop - first, len(self.classes)), np.nan)
        for rows in batches(np.flatnonzero(may_be_speech)):
            with naming(f"audio, from {spans[rows[0], 0] / self.sr:.1f} s"):
                probabilities[rows] = self._predictor(spans[rows], len(self._audio), self._cut)
        self._rows.extend(probabilities, is_silent)

    def _cut(self, spans: Iterable[tuple[int, int]]) -> Iterator[np.ndarray]:
        return (self._audio.cut(start, stop) for start, stop in spans)


def _are_equal(row: TimelineRow, other: TimelineRow) -> bool:
    if row.probabilities is None or other.probabilities is None:
        return row.silence == other.silence
    return np.allclose(row.probabilities, other.probabilities, rtol=0, atol=1e-9)
