"""predict_timeline: emotion over the time of a long recording, in bounded memory."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ._audio_info import describe
from ._nested import check_class_names, check_gives_probabilities
from ._progress import progress
from ._recordings import as_recording
from ._streaming import FRAME_SECONDS, excerpts, frame_levels, slices, stream_audio
from ._temperature import at_temperature
from ._timeline_table import COLUMNS, segments, stretches, to_srt, to_textgrid
from ._validation import NONE, VERBOSE, check_value, number
from .audio import inspect_audio
from .calibration import TemperatureScaledClassifier
from .clips import Clips
from .exceptions import DataError, ParameterError, naming
from .loader import AudioLoader

__all__ = ["predict_timeline", "segments", "to_srt", "to_textgrid"]

Stream: TypeAlias = Callable[[], Iterator[np.ndarray]]

_N_AT_ONCE = 16  # windows that the pipeline is given
_FAINTEST = -70.0  # dB of full scale; below is the noise of a recorder
_SPEECH_SHARE = 0.2  # of a row, or of the second around its middle, below which it is silent
_SHORTEST_JUDGED = 1.0  # s; pauses between words are shorter
# Loudest is what is exceeded for a second in all, so that a slamming door silences nobody.
_LOUDEST_SECONDS, _LOUDEST_SHARE = 1.0, 0.05


def predict_timeline(
    pipeline: Any,
    audio: Any,
    *,
    window: float = 3.0,
    hop: float = 1.0,
    smoothing: float | None = 3.0,
    top_db: float | None = 40.0,
    verbose: int = 0,
) -> pd.DataFrame:
    """Emotions over the time of a recording, which may be hours long.

    The recording is decoded twice, block by block: for its levels, and for windows that go to the
    pipeline as recordings of their own, so that they are trimmed, padded and normalised as those it
    was fitted on. Memory does not grow with the recording, except for the rows and 4 bytes for
    every 20 ms.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted; its first step is an :class:`skser.AudioLoader`, its last has ``predict_proba``.
    audio : str, path, bytes, file-like object or ndarray of shape (n_samples,)
        One recording: a file, the content of one, or a waveform at the loader's ``sr``.
    window : float, default=3.0
        How much is heard for each row, in seconds; not more than the loader's ``duration``.
    hop : float, default=1.0
        Length of a row in seconds.
    smoothing : float or None, default=3.0
        Width of the Hann window in seconds by which probabilities are averaged over neighbouring
        rows, but not across silence. None, 0, or up to two hops average nothing.
    top_db : float or None, default=40.0
        What is so many dB below the loudest is silence, as is what is below -70 dB of full scale.
        None marks nothing as silent.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    timeline : DataFrame
        Rows that follow each other without gaps. ``start`` and ``end`` in seconds; ``emotion``, the
        most probable, None in silence; ``silence``, True or False; and the probability of each
        emotion in a column of its name, NaN in silence.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed, the pipeline does not begin with an AudioLoader
        or has no ``predict_proba``, or the window is longer than the loader's ``duration``.
    DataError
        ``audio`` is not one recording, or an emotion is named like another column.
    AudioError
        The recording cannot be used, at its beginning or on the way.

    See Also
    --------
    skser.timeline.segments : Rows of one emotion as one.
    skser.plotting.TimelineDisplay : A picture of it.

    Notes
    -----
    Row *i* is from ``i * hop`` to ``(i + 1) * hop``, the last one to the end of the recording. What
    is heard for it is the ``window`` around its middle, shifted where it would reach beyond the
    recording; a recording that is shorter than the window is heard whole.

    Levels are those of frames of 20 ms. The loudest is the level that is exceeded for a second in
    all, or for 5 % of a recording of less than 20 s. A row is silent if less than a fifth of it is
    speech; of a row shorter than 1 s, the second around its middle counts; of one longer than the
    window, the window.

    The loader's ``offset`` and ``max_duration`` are for whole recordings; windows are free of them.

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
    check_value("verbose", verbose, VERBOSE)
    loader = _loader_of(pipeline, window)
    name, stream = _open(audio, loader.sr)

    levels, n_samples = frame_levels(stream(), loader.sr)
    edges = _row_edges(n_samples, hop * loader.sr)
    spans = _spans_around(edges, round(window * loader.sr), n_samples)
    judged = round(min(max(hop, _SHORTEST_JUDGED), window) * loader.sr)
    is_silent = _are_silent(_spans_around(edges, judged, n_samples), levels, loader.sr, top_db)

    heard = np.flatnonzero(~is_silent)
    probabilities = np.full((len(spans), len(pipeline.classes_)), np.nan)
    windows = excerpts(stream(), spans[heard].tolist(), name) if len(heard) else iter(())
    with progress(total=len(heard), desc="timeline", unit="window", disable=not verbose) as bar:
        for first in range(0, len(heard), _N_AT_ONCE):
            rows = heard[first : first + _N_AT_ONCE]
            with naming(f"{name}, from {spans[rows[0], 0] / loader.sr:.1f} s"):
                # Without a name for the clips, they are gone before the next are made.
                probabilities[rows] = _probabilities(
                    pipeline, loader.transform(list(islice(windows, len(rows))))
                )
            bar.update(len(rows))
    _smooth(probabilities, is_silent, 0.0 if smoothing is None else smoothing / hop)

    classes = pipeline.classes_.tolist()
    emotions = [
        None if silent else classes[best]
        for silent, best in zip(is_silent, np.nan_to_num(probabilities).argmax(axis=1), strict=True)
    ]
    times = np.append(np.arange(len(spans)) * hop, n_samples / loader.sr).round(6)
    columns = (times[:-1], times[1:], pd.Series(emotions, dtype=object), is_silent)
    return pd.concat(
        [
            pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))),
            pd.DataFrame(probabilities, columns=classes),
        ],
        axis=1,
    )


def _loader_of(pipeline: Any, window: float) -> AudioLoader:
    """The loader for windows, which are no whole recordings; checks the pipeline."""
    steps = getattr(pipeline, "estimator_", pipeline)  # of one that is scaled
    first = steps.steps[0][1] if isinstance(steps, Pipeline) else None
    if not isinstance(first, AudioLoader):
        what = type(pipeline).__name__ if first is None else f"a {type(first).__name__} there"
        raise ParameterError(
            f"pipeline must be a Pipeline whose first step is an AudioLoader, got {what}"
        )
    check_gives_probabilities(pipeline)
    if first.duration is not None and window > first.duration:
        raise ParameterError(
            f"window must be at most {first.duration:g}, the duration that the AudioLoader crops "
            f"clips to, got {window:g}"
        )
    check_class_names(pipeline, COLUMNS)
    params = {**first.get_params(), "offset": 0.0, "max_duration": None, "on_error": "raise"}
    return AudioLoader(**params)


def _probabilities(pipeline: Any, clips: Clips) -> np.ndarray:
    """What a pipeline says of clips that its loader has made."""
    if isinstance(pipeline, TemperatureScaledClassifier):
        return at_temperature(_probabilities(pipeline.estimator_, clips), pipeline.temperature_)
    return pipeline[1:].predict_proba(clips)


def _open(audio: Any, sr: int) -> tuple[str, Stream]:
    """Name of a recording, and what gives its blocks at ``sr`` as often as it is called."""
    is_waveform = isinstance(audio, np.ndarray) and audio.ndim == 1 and audio.dtype.kind in "fiub"
    is_content = isinstance(audio, (bytes, bytearray, memoryview)) or hasattr(audio, "read")
    if not is_waveform and not is_content and not isinstance(audio, (str, os.PathLike)):
        raise DataError(
            "audio must be one recording: a path, bytes, a file-like object or a 1-D waveform, got "
            f"{type(audio).__name__} {audio!r:.80}"
        )
    with naming("audio"):
        source = as_recording(audio, 0)
    if isinstance(source, np.ndarray):
        return "waveform", partial(slices, source)
    return describe(source), partial(stream_audio, source, inspect_audio(source), sr)


def _row_edges(n_samples: int, hop: float) -> np.ndarray:
    """Where rows begin, and the end of the last one, in samples."""
    n_rows = max(1, math.ceil(n_samples / hop - 1e-6))  # a hop of 0.1 s is no binary number
    return np.append((np.arange(n_rows) * hop).round(), n_samples).astype(int)


def _spans_around(edges: np.ndarray, length: int, n_samples: int) -> np.ndarray:
    """Start and stop of so many samples around the middle of each row, within the recording."""
    length = min(length, n_samples)
    middles = (edges[:-1] + edges[1:]) // 2
    starts = (middles - length // 2).clip(0, n_samples - length)
    return np.stack([starts, starts + length], axis=1)


def _are_silent(spans: np.ndarray, levels: np.ndarray, sr: int, top_db: float | None) -> np.ndarray:
    """Whether too little of each span is speech."""
    if top_db is None:
        return np.zeros(len(spans), bool)
    n_louder = min(_LOUDEST_SECONDS / FRAME_SECONDS, math.ceil(_LOUDEST_SHARE * len(levels)))
    loudest = np.partition(levels, -int(n_louder))[-int(n_louder)]
    is_speech = levels >= max(loudest - top_db, _FAINTEST)
    n_speech = np.zeros(len(levels) + 1, np.int32)
    np.cumsum(is_speech, out=n_speech[1:])
    frames = np.stack([spans[:, 0], spans[:, 1] - 1], axis=1) // round(FRAME_SECONDS * sr)
    n_frames = frames[:, 1] - frames[:, 0] + 1
    return n_speech[frames[:, 1] + 1] - n_speech[frames[:, 0]] < _SPEECH_SHARE * n_frames


def _smooth(probabilities: np.ndarray, is_silent: np.ndarray, width: float) -> None:
    """Average over the rows of a Hann window, in place, within stretches without silence."""
    from scipy.ndimage import convolve1d

    reach = min(math.ceil(width / 2) - 1, len(probabilities))
    if reach < 1:
        return
    weights = 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(-reach, reach + 1) / width)
    for start, stop in stretches(is_silent):
        if not is_silent[start]:
            rows = probabilities[start:stop]
            total = convolve1d(np.ones(len(rows)), weights, mode="constant")
            rows[:] = convolve1d(rows, weights, axis=0, mode="constant") / total[:, np.newaxis]
