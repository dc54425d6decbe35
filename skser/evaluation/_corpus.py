"""Corpus: the recordings, labels and speakers of an evaluation, checked."""

from __future__ import annotations

import os
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from .._utils._labels import check_labels, check_speakers
from .._utils._segment import Segment
from .._utils._types import Recordings
from ..audio._forms import as_recordings
from ..audio._recordings import AnyRecording
from ..audio._sampled import Waveform, check_rate
from ..exceptions import DataError, SkserWarning


class Corpus(NamedTuple):
    """Recordings with their labels and speakers."""

    clips: np.ndarray  # of object: paths, bytes or waveforms
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
    def metadata(self) -> dict[str, np.ndarray]:
        """Known metadata for the steps of a pipeline: ``groups``, speakers; ``domains``."""
        metadata = {"groups": self.groups, "domains": self.domains}
        return {name: values for name, values in metadata.items() if values is not None}

    def take(self, clips: np.ndarray) -> Corpus:
        """The clips at some indices."""
        groups = None if self.groups is None else self.groups[clips]
        frame = self.frame.iloc[clips].reset_index(drop=True)
        return Corpus(self.clips[clips], self.target[clips], groups, frame)


def as_corpus(
    X: Bunch | Recordings, y: ArrayLike | None = None, groups: ArrayLike | None = None
) -> Bunch:
    """A Bunch of recordings, labels and speakers; ``X`` itself if it is a Bunch."""
    if isinstance(X, Bunch):
        for name, value in (("y", y), ("groups", groups)):
            if value is not None:
                raise DataError(f"{name} must not be given beside a Bunch, which has its own")
        return X
    recordings = as_recordings(X)
    is_waveforms = all(isinstance(recording, (np.ndarray, Waveform)) for recording in recordings)
    return Bunch(**{"waveforms" if is_waveforms else "paths": recordings}, target=y, groups=groups)


def read_corpus(
    X: Bunch | Recordings, y: ArrayLike | None = None, groups: ArrayLike | None = None
) -> Corpus:
    """A Bunch, or recordings, labels and speakers, checked against each other."""
    bunch = as_corpus(X, y, groups)
    kind = "paths" if "paths" in bunch else "waveforms"
    if "target" not in bunch or kind not in bunch:
        raise DataError(
            f"corpus must have paths (or waveforms) and target, got {', '.join(sorted(bunch))}"
        )
    recordings = as_recordings(bunch[kind], "corpus")
    if kind == "waveforms" and "sr" in bunch:
        sr = check_rate(bunch["sr"], "corpus")
        recordings = [Waveform(r, sr) if isinstance(r, np.ndarray) else r for r in recordings]
    clips = np.empty(len(recordings), dtype=object)
    clips[:] = recordings
    names = [clip_name(clips, i) for i in range(len(clips))]
    target = check_labels(bunch["target"], len(clips))
    table = bunch.get("frame")
    frame = pd.DataFrame(index=range(len(clips))) if table is None else table.reset_index(drop=True)
    if len(frame) != len(clips):
        raise DataError(f"frame must have a row for each clip: {len(clips)} clips, {len(frame)}")
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
    if isinstance(clips[i], (str, Segment)):
        return str(clips[i])
    return f"{'recording' if isinstance(clips[i], bytes) else 'waveform'} {i}"
