"""predict_timeline: emotion over the time of a long recording, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Literal, cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from .._utils._param_validation import NONE, VERBOSE, check_value, integer, number, one_of
from .._utils._progress import progress
from .._utils._temperature import at_temperature
from .._utils._types import Recording
from ..audio import AudioLoader
from ..audio._forms import warn_of_rate
from ..audio._streaming import FRAME_SECONDS, excerpts, frame_levels
from ..calibration import TemperatureScaledClassifier
from ..exceptions import ParameterError, naming
from ..recipes._steps import check_class_names, check_gives_probabilities
from ._shared_frames import Cut, pooled_windows, split_at_embedding
from ._timeline_audio import LongRecording, Stream
from ._timeline_formats import CHANNEL, COLUMNS, runs

__all__ = ["predict_timeline"]

_BATCH_SIZE = 16  # windows
_NOISE_FLOOR = -70.0  # dB of full scale; recorder noise is below
_MIN_SPEECH_SHARE = 0.2  # of a row, or of the second around its middle
_MIN_SILENCE_SPAN = 1.0  # s; longer than pauses between words
# Frames of a second in all exceed the loudest level, so a slamming door does not silence speech.
_LOUDEST_SECONDS, _LOUDEST_SHARE = 1.0, 0.05


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
    check_value("window", window, number(0.1))
    check_value("hop", hop, number(0.01))
    check_value("smoothing", smoothing, number(0), NONE)
    check_value("top_db", top_db, number(0, open_low=True), NONE)
    check_value("channel", channel, one_of("mean", "each"), integer(0), NONE)
    check_value("verbose", verbose, VERBOSE)
    loader = _loader_of(pipeline, window)
    recording = LongRecording.of(audio, loader.sr)
    fitted_loader = cast(Pipeline, getattr(pipeline, "estimator_", pipeline)).steps[0][1]
    warn_of_rate(fitted_loader, [audio], stacklevel=2)

    predict = partial(
        _predict_stream,
        pipeline,
        loader,
        window=window,
        hop=hop,
        smoothing=smoothing or 0.0,
        top_db=top_db,
        verbose=verbose,
    )
    if channel != "each":
        stream = recording.open(fitted_loader.channel if channel is None else channel)
        return predict(stream, recording.name, desc="timeline")
    check_class_names(pipeline, (CHANNEL,))
    tables = []
    for party in range(recording.n_channels):
        name = f"channel {party}"
        table = predict(recording.open(party), f"{recording.name}, {name}", desc=name)
        table.insert(0, CHANNEL, party)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _predict_stream(
    pipeline: Pipeline | TemperatureScaledClassifier,
    loader: AudioLoader,
    stream: Stream,
    name: str,
    *,
    desc: str,
    window: float,
    hop: float,
    smoothing: float,
    top_db: float | None,
    verbose: int,
) -> pd.DataFrame:
    """The timeline of a channel."""
    levels, n_samples = frame_levels(stream(), loader.sr)
    edges = _row_edges(n_samples, hop * loader.sr)
    spans = _spans_around(edges, round(window * loader.sr), n_samples)
    span = round(min(max(hop, _MIN_SILENCE_SPAN), window) * loader.sr)
    is_silent = _are_silent(_spans_around(edges, span, n_samples), levels, loader.sr, top_db)

    voiced = np.flatnonzero(~is_silent)
    probabilities = np.full((len(spans), len(pipeline.classes_)), np.nan)
    predict = _batch_predictor(
        pipeline,
        loader,
        spans[voiced],
        n_samples,
        lambda parts: excerpts(stream(), parts, name),
        overlap=hop < window,
    )
    with progress(total=len(voiced), desc=desc, unit="window", disable=not verbose) as bar:
        for first in range(0, len(voiced), _BATCH_SIZE):
            rows = voiced[first : first + _BATCH_SIZE]
            with naming(f"{name}, from {spans[rows[0], 0] / loader.sr:.1f} s"):
                probabilities[rows] = predict(len(rows))
            bar.update(len(rows))
    _smooth(probabilities, is_silent, smoothing / hop)

    classes = pipeline.classes_.tolist()
    best = np.array(classes, object)[np.nan_to_num(probabilities).argmax(axis=1)]
    emotions = pd.Series(np.where(is_silent, None, best), dtype=object)
    times = np.append(np.arange(len(spans)) * hop, n_samples / loader.sr).round(6)
    columns = (times[:-1], times[1:], emotions, is_silent)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return pd.concat([table, pd.DataFrame(probabilities, columns=classes)], axis=1)


def _loader_of(pipeline: Pipeline | TemperatureScaledClassifier, window: float) -> AudioLoader:
    """Check the pipeline, and return its loader for windows, of one channel and without limits."""
    steps = getattr(pipeline, "estimator_", pipeline)  # of a TemperatureScaledClassifier
    first = steps.steps[0][1] if isinstance(steps, Pipeline) else None
    if not isinstance(first, AudioLoader):
        name = type(pipeline if first is None else first).__name__
        raise ParameterError(f"pipeline must begin with an AudioLoader, got {name}")
    check_gives_probabilities(pipeline)
    if first.duration is not None and window > first.duration:
        raise ParameterError(
            f"window must be at most the duration of the loader, {first.duration:g}, got {window:g}"
        )
    check_class_names(pipeline, COLUMNS)
    whole = {"offset": 0.0, "max_duration": None, "on_error": "raise", "channel": "mean"}
    return AudioLoader(**{**first.get_params(), **whole})


def _batch_predictor(
    pipeline: Pipeline | TemperatureScaledClassifier,
    loader: AudioLoader,
    spans: np.ndarray,
    n_samples: int,
    cut: Cut,
    *,
    overlap: bool,
) -> Callable[[int], np.ndarray]:
    """A function that returns the probabilities of the next windows."""
    if isinstance(pipeline, TemperatureScaledClassifier):
        predict = _batch_predictor(
            pipeline.estimator_, loader, spans, n_samples, cut, overlap=overlap
        )
        return lambda n: at_temperature(predict(n), pipeline.temperature_)
    split = split_at_embedding(pipeline) if overlap and len(spans) else None
    if split is not None:
        embedding, classifier = split
        features = pooled_windows(embedding, spans, n_samples, cut)
        return lambda n: classifier.predict_proba(np.stack(list(islice(features, n))))
    windows, steps = cut(spans.tolist()), pipeline[1:]
    return lambda n: steps.predict_proba(loader.transform(list(islice(windows, n))))


def _row_edges(n_samples: int, hop: float) -> np.ndarray:
    """Starts of the rows, and the end of the last one, in samples."""
    n_rows = max(1, math.ceil(n_samples / hop - 1e-6))  # 0.1 s is inexact in binary
    return np.append((np.arange(n_rows) * hop).round(), n_samples).astype(int)


def _spans_around(edges: np.ndarray, length: int, n_samples: int) -> np.ndarray:
    """Start and stop of ``length`` samples around the middle of each row, within the recording."""
    length = min(length, n_samples)
    middles = (edges[:-1] + edges[1:]) // 2
    starts = (middles - length // 2).clip(0, n_samples - length)
    return np.stack([starts, starts + length], axis=1)


def _are_silent(spans: np.ndarray, levels: np.ndarray, sr: int, top_db: float | None) -> np.ndarray:
    """Whether a span has too little speech."""
    if top_db is None:
        return np.zeros(len(spans), bool)
    n_louder = min(_LOUDEST_SECONDS / FRAME_SECONDS, math.ceil(_LOUDEST_SHARE * len(levels)))
    loudest = np.partition(levels, -int(n_louder))[-int(n_louder)]
    is_speech = levels >= max(loudest - top_db, _NOISE_FLOOR)
    n_speech = np.zeros(len(levels) + 1, np.int32)
    np.cumsum(is_speech, out=n_speech[1:])
    frames = np.stack([spans[:, 0], spans[:, 1] - 1], axis=1) // round(FRAME_SECONDS * sr)
    n_frames = frames[:, 1] - frames[:, 0] + 1
    return n_speech[frames[:, 1] + 1] - n_speech[frames[:, 0]] < _MIN_SPEECH_SHARE * n_frames


def _smooth(probabilities: np.ndarray, is_silent: np.ndarray, width: float) -> None:
    """Average over the rows in a Hann window, in place and not across silence."""
    from scipy.ndimage import convolve1d

    reach = min(math.ceil(width / 2) - 1, len(probabilities))
    if reach < 1:
        return
    weights = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(-reach, reach + 1) / width)
    for start, stop in runs(is_silent):
        if not is_silent[start]:
            rows = probabilities[start:stop]
            total = convolve1d(np.ones(len(rows)), weights, mode="constant")
            rows[:] = convolve1d(rows, weights, axis=0, mode="constant") / total[:, np.newaxis]
