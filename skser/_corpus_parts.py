"""A corpus taken apart into what is scored, and divided into folds; what is wrong is said here."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch

from ._checks import check_labels, check_none_missing, check_speakers
from ._nested import steps_of
from .exceptions import DataError, SkserWarning
from .loader import AudioLoader
from .model_selection import SpeakerTextKFold, TextKFold, speaker_folds

# Train and test indices of each fold.
Parts = Sequence[tuple[np.ndarray, np.ndarray]]


def as_corpus(X: Any, y: Any = None, groups: Any = None) -> Bunch:
    """A corpus of recordings, labels and speakers, as scikit-learn passes them; a Bunch as it is."""
    if isinstance(X, Bunch):
        for name, value in (("y", y), ("groups", groups)):
            if value is not None:
                raise DataError(f"{name} must not be given beside a Bunch, which has its own")
        return X
    is_waveforms = all(isinstance(recording, np.ndarray) for recording in X)
    return Bunch(**{"waveforms" if is_waveforms else "paths": X}, target=y, groups=groups)


def take_apart(
    corpus: Bunch, pipeline: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, pd.DataFrame]:
    """Clips, labels, speakers and table of a corpus, checked; waveforms, to suit a pipeline."""
    if "target" not in corpus or not ("paths" in corpus or "waveforms" in corpus):
        raise DataError(
            f"corpus must have paths (or waveforms) and target, got {', '.join(sorted(corpus))}"
        )
    if "paths" in corpus:
        clips = np.asarray(corpus["paths"], dtype=object)
        names = [str(path) for path in clips]
    else:
        _check_rate(corpus, pipeline)
        clips = np.empty(len(corpus["waveforms"]), dtype=object)
        clips[:] = [np.asarray(waveform) for waveform in corpus["waveforms"]]
        names = [f"waveform {i}" for i in range(len(clips))]
    target = check_labels(corpus["target"], len(clips))
    known = corpus.get("frame")
    frame = pd.DataFrame(index=range(len(clips))) if known is None else known.reset_index(drop=True)
    if len(frame) != len(clips):
        raise DataError(f"frame must have a row for each clip: {len(clips)} clips, {len(frame)}")
    if "path" in frame and frame["path"].astype(str).tolist() != names:
        raise DataError("frame must have the clips of the corpus in its order, by its column path")
    frame = frame.assign(path=names)
    groups = corpus.get("groups")
    if groups is None and "speaker" in frame and frame["speaker"].notna().all():
        groups = frame["speaker"]
    if groups is None:
        return clips, target, None, frame.drop(columns="speaker", errors="ignore")
    groups = _speakers(groups, len(clips))
    return clips, target, groups, frame.assign(speaker=groups)


def splitter_of(cv: Any, target: np.ndarray, groups: np.ndarray | None) -> Any:
    """The splitter that is meant by a ``cv``; for None, one that leaves out speakers."""
    if cv is None:
        return speaker_folds(groups)
    try:
        return check_cv(cv, target, classifier=True)
    except ValueError as error:
        raise DataError(f"cv cannot divide these clips: {error}") from error


def divide(cv: Any, frame: pd.DataFrame, target: np.ndarray, groups: Any) -> Parts:
    """Train and test part of each fold of a splitter; DataError if they give no honest scores."""
    if isinstance(cv, (TextKFold, SpeakerTextKFold)):
        columns = ["sentence"] if isinstance(cv, TextKFold) else ["speaker", "sentence"]
        if not set(columns) <= set(frame):
            raise DataError(
                f"corpus.frame must have columns {' and '.join(columns)} for new sentences, got "
                f"{', '.join(map(str, frame.columns))}"
            )
        check_none_missing(frame["sentence"].to_numpy(object), "sentence", "names")
        groups = frame[columns].squeeze(axis=1)
    try:
        with warnings.catch_warnings():
            # What leaks is warned of in our own words.
            warnings.filterwarnings("ignore", "The groups parameter is ignored")
            split = cv.split(target, target, groups)
            parts = [(_indices(train), _indices(test)) for train, test in split]
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"cv cannot divide these clips: {error}") from error
    times = np.zeros(len(target), int)
    for number, (train, test) in enumerate(parts):
        np.add.at(times, test, 1)
        shared = np.intersect1d(train, test)
        if len(shared):
            raise DataError(
                f"cv must not train on what it tests, but fold {number} does both with "
                f"{frame['path'][shared[0]]}"
            )
        missing = np.setdiff1d(target[test], target[train])
        if len(missing):
            raise DataError(
                f"cv must leave each class in training, but fold {number} tests "
                f"{missing.tolist()[0]!r} and trains on none"
            )
    if (times != 1).any():
        i = int((times != 1).argmax())
        raise DataError(
            f"cv must test each clip once, but {frame['path'][i]} is tested {times[i]} times"
        )
    return parts


def _indices(part: Any) -> np.ndarray:
    part = np.asarray(part)
    return np.flatnonzero(part) if part.dtype == bool else part


def _speakers(groups: Any, n_clips: int) -> np.ndarray:
    groups = check_speakers(groups, n_clips)
    if groups.dtype == object:  # of texts or of numbers, or of both
        groups = np.array(groups.tolist())
    if len(np.unique(groups)) == len(groups):
        warnings.warn(
            f"groups has {len(groups)} speakers with one clip each: are they names of clips?",
            SkserWarning,
            stacklevel=4,
        )
    return groups


def _check_rate(corpus: Bunch, pipeline: Any) -> None:
    """Raise DataError if waveforms are of another sampling rate than a pipeline takes them for."""
    for step in steps_of(pipeline):
        if isinstance(step, AudioLoader) and corpus.get("sr", step.sr) != step.sr:
            raise DataError(
                f"corpus must have waveforms of sr={step.sr}, as the pipeline's, got "
                f"{corpus['sr']}; paths are resampled"
            )
