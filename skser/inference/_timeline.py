"""predict_timeline: emotion over the time of a long recording, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from .._utils._param_validation import NONE, VERBOSE, check_value, integer, one_of
from .._utils._progress import progress
from .._utils._types import Recording
from ..audio import AudioLoader
from ..audio._channels import Channel
from ..audio._forms import warn_of_rate
from ..audio._streaming import Excerpts, frame_levels
from ..calibration import TemperatureScaledClassifier
from ..exceptions import naming
from ..recipes._steps import check_class_names
from ._rows import Grid, PredictedRows, SpeechLevels, TimelineRow, batches, check_timing
from ._timeline_audio import LongRecording
from ._timeline_formats import CHANNEL, COLUMNS
from ._window_predictor import WindowPredictor, window_loader

__all__ = ["predict_timeline"]


def predict_timeline(
    pipeline: Pipeline | TemperatureScaledClassifier,
    audio: Recording,
    *,
    window: float = 3.0,
    hop: float = 1.0,
    smoothing: float | None = 3.0,
    top_db: float | None = 40.0,
    channel: int | Literal["mean", "each"] | None = None,
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
    channel : int, "mean", "each" or None, default=None
        Channel, counted from 0, the mean of the channels, or a timeline for each channel, such as
        the parties of a call. None is the ``channel`` of the loader.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    timeline : DataFrame
        Rows without gaps: ``start`` and ``end`` in seconds; ``emotion``, the most probable, None in
        silence; ``silence``, a bool; and a column with the probability of each emotion, NaN in
        silence. With ``channel="each"``, the timelines of the channels follow each other, and
        ``channel`` is the first column.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed, the pipeline does not begin with an AudioLoader
        or has no ``predict_proba``, or the window is longer than the loader's ``duration``.
    DataError
        ``audio`` is not a recording, or an emotion has the name of another column.
    AudioError
        The recording is unusable, damaged somewhere, or has no such channel.

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
    check_value("channel", channel, one_of("mean", "each"), integer(0), NONE)
    check_value("verbose", verbose, VERBOSE)
    timing: dict[str, Any] = {
        "window": window,
        "hop": hop,
        "smoothing": smoothing,
        "top_db": top_db,
    }
    recording = LongRecording.of(audio, window_loader(pipeline, window).sr)
    warn_of_rate(fitted_loader(pipeline), [audio], stacklevel=2)

    def timeline(recording: LongRecording, channel: Channel | None, name: str) -> pd.DataFrame:
        n_rows, rows = stream_rows(pipeline, recording, channel, **timing)
        bar = progress(rows, total=n_rows, desc=name, unit="row", disable=not verbose)
        return as_table(list(bar), pipeline.classes_.tolist())

    if channel != "each":
        return timeline(recording, channel, "timeline")
    check_class_names(pipeline, (CHANNEL,))
    tables = []
    for party in range(recording.n_channels):
        name = f"channel {party}"
        table = timeline(recording._replace(name=f"{recording.name}, {name}"), party, name)
        table.insert(0, CHANNEL, party)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def stream_rows(
    pipeline: Pipeline | TemperatureScaledClassifier,
    recording: LongRecording,
    channel: Channel | None = None,
    *,
    window: float,
    hop: float,
    smoothing: float | None,
    top_db: float | None,
) -> tuple[int, Iterator[TimelineRow]]:
    """The number of rows of a channel, and the rows, predicted as they are asked for."""
    predictor = WindowPredictor(pipeline, window, overlap=hop < window)
    sr = predictor.loader.sr
    stream = recording.open(fitted_loader(pipeline).channel if channel is None else channel)
    levels = SpeechLevels(sr, top_db)
    frames, n_samples = frame_levels(stream(), sr)
    levels.extend(frames)
    grid = Grid(sr, window, hop)
    n_rows = grid.n_rows(n_samples)
    spans = grid.windows(0, n_rows, n_samples)
    is_silent = levels.are_silent(grid.silence_spans(0, n_rows, n_samples), levels.threshold)

    def rows() -> Iterator[TimelineRow]:
        cut = Excerpts(stream(), recording.name).cut
        predicted = PredictedRows(grid, predictor.classes, smoothing)
        n_sent = 0
        for voiced in [*batches(np.flatnonzero(~is_silent)), np.empty(0, int)]:
            first, stop = len(predicted), int(voiced[-1]) + 1 if len(voiced) else n_rows
            probabilities = np.full((stop - first, len(predictor.classes)), np.nan)
            if len(voiced):
                with naming(f"{recording.name}, from {spans[voiced[0], 0] / sr:.1f} s"):
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


def fitted_loader(pipeline: Pipeline | TemperatureScaledClassifier) -> AudioLoader:
    """The loader of a pipeline that `window_loader` has checked."""
    return cast(Pipeline, getattr(pipeline, "estimator_", pipeline)).steps[0][1]
