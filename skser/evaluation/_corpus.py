"""Corpus: the recordings or features, labels and speakers of an evaluation, checked."""

from __future__ import annotations

import os
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, _safe_indexing

from .._utils._labels import check_labels, check_speakers
from .._utils._segment import Segment
from .._utils._types import Recordings
from ..audio._forms import as_recordings
from ..audio._recordings import AnyRecording
from ..audio._sampled import Waveform, as_array, check_rate
from ..exceptions import DataError, SkserWarning
from ..recipes._steps import first_of_recordings


class Corpus(NamedTuple):
    """Recordings, or their features, with labels and speakers."""

    clips: Any  # ndarray of object: paths, bytes or waveforms; or of features, or a DataFrame
    target: np.ndarray
    groups: np.ndarray | None  # speakers
    frame: pd.DataFrame  # "path", the name of each clip; "speaker", "corpus" and others as loaded

    @property
    def domains(self) -> np.ndarray | None:
        """The corpus of each clip, if all are known."""
        if "corpus" not in self.frame or self.frame["corpus"].isna().any():
            return None
        return self.frame["corpus"].to_numpy(dtype=str)

    @property
    def has_features(self) -> bool:
        """Whether the clips are rows of features."""
        return self.clips.ndim > 1

    @property
    def items(self) -> np.ndarray:
        """The clips as an array, also those in a DataFrame."""
        return np.asarray(self.clips)

    @property
    def metadata(self) -> dict[str, np.ndarray]:
        """Known metadata for the steps of a pipeline: ``groups``, speakers; ``domains``."""
        metadata = {"groups": self.groups, "domains": self.domains}
        return {name: values for name, values in metadata.items() if values is not None}

    def take(self, clips: np.ndarray) -> Corpus:
        """The clips at some indices."""
        groups = None if self.groups is None else self.groups[clips]
        frame = self.frame.iloc[clips].reset_index(drop=True)
        return Corpus(_safe_indexing(self.clips, clips), self.target[clips], groups, frame)


def as_corpus(
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    pipeline: BaseEstimator,
) -> Bunch:
    """A Bunch of clips, labels and speakers; ``X`` itself if it is a Bunch.

    A matrix has waveforms in its rows, unless it is for a ``pipeline`` without a step of skser for
    recordings: then it has ``data``, features.
    """
    if isinstance(X, Bunch):
        for name, value in (("y", y), ("groups", groups)):
            if value is not None:
                raise DataError(f"{name} must not be given beside a Bunch, which has its own")
        return X
    if first_of_recordings(pipeline) is None and is_matrix(X):
        return Bunch(data=X, target=y, groups=groups)
    recordings = as_recordings(X)
    is_waveforms = all(isinstance(recording, (np.ndarray, Waveform)) for recording in recordings)
    return Bunch(**{"waveforms" if is_waveforms else "paths": recordings}, target=y, groups=groups)


def read_corpus(
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    pipeline: BaseEstimator,
) -> Corpus:
    """A Bunch, or clips, labels and speakers, checked against each other.

    The ``data`` of a Bunch, features, are for a ``pipeline`` without a step for recordings.
    """
    bunch = as_corpus(X, y, groups, pipeline=pipeline)
    kinds = [kind for kind in ("paths", "waveforms") if kind in bunch]
    if "data" in bunch:
        step = first_of_recordings(pipeline)
        if step is None:
            kinds = ["data"]
        elif not kinds:
            raise DataError(
                f"corpus must have paths (or waveforms) for {type(step).__name__}, a step for "
                "recordings, got data, which are features: leave the step out"
            )
    if "target" not in bunch or not kinds:
        raise DataError(
            f"corpus must have paths (or waveforms) and target, got {', '.join(sorted(bunch))}"
        )
    if kinds == ["data"]:
        clips, names = _features(bunch["data"]), None
    else:
        clips = _recordings(bunch, kinds[0])
        names = [clip_name(clips, i) for i in range(len(clips))]
    target = check_labels(bunch["target"], len(clips))
    table = bunch.get("frame")
    frame = pd.DataFrame(index=range(len(clips))) if table is None else table.reset_index(drop=True)
    if len(frame) != len(clips):
        raise DataError(f"frame must have a row for each clip: {len(clips)} clips, {len(frame)}")
    if names is None:  # of rows, those of their recordings if they are known
        if "path" not in frame:
            frame = frame.assign(path=[f"row {i}" for i in range(len(clips))])
    else:
        files = [c.path if isinstance(c, Segment) else n for c, n in zip(clips, names, strict=True)]
        if "path" in frame and frame["path"].astype(str).tolist() != files:
            raise DataError("frame must have the clips of the corpus in its order, in column path")
        frame = frame.assign(path=names)
    speakers = bunch.get("groups")
    if speakers is None and "speaker" in frame and frame["speaker"].notna().all():
        speakers = frame["speaker"]
    if speakers is None:
        return Corpus(clips, target, None, frame.drop(columns="speaker", errors="ignore"))
    speakers = check_speakers(speakers, len(clips))
    if speakers.dtype == object:  # of strings, of numbers, or of both
        speakers = np.array(speakers.tolist())
    if len(np.unique(speakers)) == len(clips):
        warnings.warn(
            f"groups has {len(clips)} speakers with one clip each: are they names of clips?",
            SkserWarning,
            stacklevel=3,
        )
    return Corpus(clips, target, speakers, frame.assign(speaker=speakers))


def _recordings(bunch: Bunch, kind: str) -> np.ndarray:
    """The paths or waveforms of a Bunch, checked."""
    recordings = as_recordings(bunch[kind], "corpus")
    if kind == "waveforms" and "sr" in bunch:
        sr = check_rate(bunch["sr"], "corpus")
        recordings = [Waveform(r, sr) if isinstance(r, np.ndarray) else r for r in recordings]
    clips = np.empty(len(recordings), dtype=object)
    clips[:] = recordings
    return clips


def is_matrix(X: object) -> bool:
    """Whether it is an array of numbers, one row or sequence for each clip, or such a DataFrame."""
    if isinstance(X, pd.DataFrame):
        return any(pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes)
    return getattr(X, "ndim", 0) in (2, 3) and as_array(X).dtype.kind in "fiub"


def _features(data: Any) -> np.ndarray | pd.DataFrame:
    """Features as an array, or as the DataFrame that they are."""
    if not is_matrix(data) or not len(data):
        shape = f" of shape {data.shape}" if hasattr(data, "shape") else ""
        raise DataError(
            "data must be features in an array of numbers of shape (n_clips, n_features) or "
            f"(n_clips, n_frames, n_features), or a DataFrame, got a {type(data).__name__}{shape}"
        )
    return data if isinstance(data, pd.DataFrame) else as_array(data)


def known_speakers(corpus: Corpus) -> np.ndarray:
    """Speakers of a corpus; DataError if it has none."""
    if corpus.groups is None:
        raise DataError("corpus must have groups, the speakers, got None")
    return corpus.groups


def whole_file(clip: AnyRecording) -> str | bytes | np.ndarray | Waveform:
    """The file of a segment; other clips unchanged."""
    return os.fspath(clip.path) if isinstance(clip, Segment) else clip


def clip_name(clips: np.ndarray, i: int) -> str:
    """The path of a clip, or its number if it has none."""
    if clips.ndim > 1:
        return f"row {i}"
    if isinstance(clips[i], (str, Segment)):
        return str(clips[i])
    return f"{'recording' if isinstance(clips[i], bytes) else 'waveform'} {i}"
