"""Leakage checks: speakers, and equal recordings, in both the train and the test part of a fold."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

from ..audio._recordings import AnyRecording
from ..exceptions import LeakageWarning
from ._corpus import Corpus, clip_name
from ._splits import Splits


def shared_values(values: np.ndarray, splits: Splits) -> np.ndarray:
    """Values, such as speakers, in both the train and the test part of a fold."""
    return np.unique(np.concatenate([np.intersect1d(values[a], values[b]) for a, b in splits]))


def warn_of_leakage(corpus: Corpus, splits: Splits, *, stacklevel: int = 3) -> None:
    """Warn of speakers, and of recordings equal byte for byte, in both parts of a fold."""
    if corpus.groups is not None and len(shared := shared_values(corpus.groups, splits)):
        warnings.warn(
            f"{len(shared)} of {len(np.unique(corpus.groups))} speakers are both trained on and "
            f"tested, such as {shared.tolist()[0]!r}: the scores say little about new speakers",
            LeakageWarning,
            stacklevel=stacklevel,
        )
    contents = number_contents(corpus.clips)
    if len(shared := shared_values(contents, splits)):
        pair = np.flatnonzero(contents == shared[0])[:2]
        warnings.warn(
            f"recordings are both trained on and tested under two names, {len(shared)} of them, "
            f"such as {' and '.join(clip_name(corpus.clips, i) for i in pair)}",
            LeakageWarning,
            stacklevel=stacklevel,
        )


def warn_of_tuning(pipeline: BaseEstimator, clips: np.ndarray) -> None:
    """Warn if the parameters of a pipeline were tuned on some of the clips."""
    tuned_on: frozenset[str] = getattr(pipeline, "tuned_on_", frozenset())
    n_shared = sum(digest in tuned_on for digest in digests_of(clips)) if tuned_on else 0
    if n_shared:
        warnings.warn(
            f"the parameters of the pipeline were chosen on {n_shared} of these {len(clips)} "
            "clips, so the scores are optimistic; skser.tuning.nested_evaluate tunes on other "
            "speakers than it tests",
            LeakageWarning,
            stacklevel=3,
        )


def number_contents(clips: np.ndarray) -> np.ndarray:
    """A number for each clip, equal for clips that are the same byte for byte."""
    same_size = defaultdict(list)  # only files of one size have to be read
    for i, clip in enumerate(clips):
        same_size[_size(clip)].append(i)
    numbers = np.arange(len(clips))
    for indices in same_size.values():
        if len(indices) > 1:
            first: dict[bytes, int] = {}
            for i in indices:
                numbers[i] = first.setdefault(_digest(clips[i]), i)
    return numbers


def digests_of(clips: np.ndarray) -> list[str]:
    """A hash of the content of each clip."""
    return [_digest(clip).hex() for clip in clips]


def _size(clip: AnyRecording) -> int:
    if not isinstance(clip, str):
        return len(clip) if isinstance(clip, bytes) else clip.nbytes
    path = Path(clip)
    return path.stat().st_size if path.is_file() else -1  # the loader raises an error for it


def _digest(clip: AnyRecording) -> bytes:
    if isinstance(clip, str):
        clip = Path(clip).read_bytes() if Path(clip).is_file() else clip.encode()
    return hashlib.blake2b(bytes(clip), digest_size=16).digest()
