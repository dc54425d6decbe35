"""predict_timeline: emotion over the time of a long recording, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from .._utils._param_validation import VERBOSE, check_value
from .._utils._progress import progress
from .._utils._segment import Segment
from .._utils._types import Recording
from ..audio import AudioLoader, inspect_audio
from ..audio._decoding import decode_audio
from ..audio._info import describe
from ..audio._recordings import as_recording, inspect_recording, warn_of_rate
from ..audio._sampled import Waveform, rate_and_array
from ..audio._streaming import Excerpts, frame_levels, slices, stream_audio
from ..calibration import TemperatureScaledClassifier
from ..exceptions import DataError, naming
from ._rows import Grid, PredictedRows, SpeechLevels, TimelineRow, batches, check_timing
from ._timeline_formats import COLUMNS
from ._window_predictor import WindowPredictor

__all__ = ["predict_timeline"]


def predict_timeline(
    pipeline: Pipeline | TemperatureScaledClassifier,
    audio: Recording,
    *,
    window: float = 3.0,
    hop: float = 1.0,
    smoothing: float | None = 3.0,
    top_db: float | None = 40.0,
    verbose: int = 0,
) -> pd.DataFrame:
    """Predict emotions over the time of a recording, which may be hours long.

    The recording is decoded twice, block by block: for its levels, and for windows that the
    pipeline processes like the recordings it was fitted on.

    Parameters
    ----------
    pipeline : Pipeline or TemperatureScaledClassifier
        Fitted; its first step is an :class:`skser.AudioLoader`, its last has ``predict_proba``.
    audio : recording or waveform
        A path, bytes, file-like object, ``(waveform, sr)``, row of a Hugging Face dataset, or
        waveform at the loader's ``sr``.
    window : float, default=3.0
        Length in seconds of the audio that predicts a row; at most the loader's ``duration``.
    hop : float, default=1.0
        Length of a row in seconds.
    smoothing : float or None, default=3.0
        Width in seconds of the Hann window that averages probabilities over neighbouring rows, but
        not across silence. None, 0, or up to two hops leave them unchanged.
    top_db : float or None, default=40.0
        Frames this far below the loudest level, or below -70 dB of full scale, are silent. None
        marks nothing as silent.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    timeline : DataFrame
        Rows without gaps: ``start`` and ``end`` in seconds; ``emotion``, the most probable, None in
        silence; ``silence``, a bool; and a column with the probability of each emotion, NaN in
        silence.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed, the pipeline does not begin with an AudioLoader
        or has no ``predict_proba``, or the window is longer than the loader's ``duration``.
    DataError
        ``audio`` is not a recording, or an emotion has the name of another column.
    AudioError
        The recording is unusable, or damaged somewhere.

    See Also
    --------
    skser.inference.segments : Merge neighbouring rows of the same emotion.
    skser.plotting.TimelineDisplay : Draw a timeline.

    Notes
    -----
    A window is centred on its row, or shifted to lie within the recording. Overlapping windows
    share the frames of a Whisper model in a :class:`skser.SpeechEmbedding`, which encodes each
    stretch of the length of a window once, with a quarter more on either side. A row is silent if
    less than a fifth of it is speech;
    rows shorter than 1 s count as 1 s, rows longer than the window as the window. Frames of 20 ms
    exceed the loudest level for a second in all, or for 5 % of a recording of less than 20 s. The
    loader's ``offset`` and ``max_duration`` do not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skser import AudioLoader, FeatureUnionExtractor, predict_timeline
    >>> noise = np.random.default_rng(0).normal(size=(4, 16000))
    >>> loud, faint, silence = 0.2 * noise, 0.02 * noise, np.zeros(32000)
    >>> pipeline = make_pipeline(
    ...     AudioLoader(), FeatureUnionExtractor(["rms"]), LogisticRegression(C=1e6)
    ... ).fit([*loud, *faint], ["angry"] * 4 + ["calm"] * 4)
    >>> recording = np.concatenate([*faint, silence, *loud])
    >>> timeline = predict_timeline(pipeline, recording, window=1.0, hop=2.0)
    >>> timeline[["start", "end", "emotion", "silence"]]
       start   end emotion  silence
    0    0.0   2.0    calm    False
    1    2.0   4.0    calm    False
    2    4.0   6.0    None     True
    3    6.0   8.0   angry    False
    4    8.0  10.0   angry    False
    """
    check_timing(window, hop, smoothing, top_db)
    check_value("verbose", verbose, VERBOSE)
    n_rows, rows = stream_rows(
        pipeline, audio, window=window, hop=hop, smoothing=smoothing, top_db=top_db
    )
    warn_of_rate(_fitted_loader(pipeline), [audio], stacklevel=2)
    bar = progress(rows, total=n_rows, desc="timeline", unit="row", disable=not verbose)
    return as_table(list(bar), pipeline.classes_.tolist())


def stream_rows(
    pipeline: Pipeline | TemperatureScaledClassifier,
    audio: Recording,
    *,
    window: float,
    hop: float,
    smoothing: float | None,
    top_db: float | None,
) -> tuple[int, Iterator[TimelineRow]]:
    """The number of rows of `predict_timeline`, and the rows, predicted as they are asked for."""
    predictor = WindowPredictor(pipeline, window, overlap=hop < window)
    sr = predictor.loader.sr
    name, stream = _open(audio, sr)
    levels = SpeechLevels(sr, top_db)
    frames, n_samples = frame_levels(stream(), sr)
    levels.extend(frames)
    grid = Grid(sr, window, hop)
    n_rows = grid.n_rows(n_samples)
    spans = grid.windows(0, n_rows, n_samples)
    is_silent = levels.are_silent(grid.silence_spans(0, n_rows, n_samples), levels.threshold)

    def rows() -> Iterator[TimelineRow]:
        cut = Excerpts(stream(), name).cut
        predicted = PredictedRows(grid, predictor.classes, smoothing)
        n_sent = 0
        for voiced in [*batches(np.flatnonzero(~is_silent)), np.empty(0, int)]:
            first, stop = len(predicted), int(voiced[-1]) + 1 if len(voiced) else n_rows
            probabilities = np.full((stop - first, len(predictor.classes)), np.nan)
            if len(voiced):
                with naming(f"{name}, from {spans[voiced[0], 0] / sr:.1f} s"):
                    probabilities[voiced - first] = predictor(spans[voiced], n_samples, cut)
            predicted.extend(probabilities, is_silent[first:stop])
            n_ready = n_rows if stop == n_rows else predicted.n_smoothed
            yield from predicted.rows(n_sent, n_ready, n_samples)
            n_sent = max(n_sent, n_ready)

    return n_rows, rows()


def as_table(rows: list[TimelineRow], classes: list[object]) -> pd.DataFrame:
    """A timeline, as `predict_timeline` returns it."""
    times = {name: [getattr(row, name) for row in rows] for name in ("start", "end")}
    emotions = pd.Series([row.emotion for row in rows], dtype=object)
    silence = np.array([row.silence for row in rows], bool)
    table = pd.DataFrame({**times, "emotion": emotions, "silence": silence})[list(COLUMNS)]
    unknown = np.full(len(classes), np.nan)
    probabilities = [unknown if row.probabilities is None else row.probabilities for row in rows]
    return pd.concat([table, pd.DataFrame(np.stack(probabilities), columns=classes)], axis=1)


def _fitted_loader(pipeline: Pipeline | TemperatureScaledClassifier) -> AudioLoader:
    return cast(Pipeline, getattr(pipeline, "estimator_", pipeline)).steps[0][1]


def _open(audio: Recording, sr: int) -> tuple[str, Callable[[], Iterator[np.ndarray]]]:
    """Name of a recording, and a function that returns its blocks at ``sr``."""
    if isinstance(audio, (list, tuple)) and rate_and_array(audio) is None:
        raise DataError(f"audio must be a single recording, got {audio!r:.80}")
    with naming("audio"):
        source = as_recording(audio, 0)
    if isinstance(source, Waveform):
        source = source.at(sr)
    if isinstance(source, np.ndarray):
        return "waveform", partial(slices, source)
    if isinstance(source, Segment):
        part = inspect_recording(source)
        offset, duration = part.within(0.0, None)
        waveform, _ = decode_audio(part.source, part.info, sr, offset=offset, duration=duration)
        return str(source), partial(slices, waveform)
    return describe(source), partial(stream_audio, source, inspect_audio(source), sr)
