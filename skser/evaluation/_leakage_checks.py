"""Leakage checks: speakers, and equal recordings, in both the train and the test part of a fold."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

from .._utils._files import file_signature
from .._utils._segment import Segment
from ..audio._recordings import AnyRecording
from ..audio._sampled import Waveform
from ..exceptions import LeakageWarning
from ._corpus import Corpus, clip_name, whole_file
from ._splits import Splits

_Whole = str | bytes | np.ndarray | Waveform


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
    contents = number_contents(corpus.items)
    if len(shared := shared_values(contents, splits)):
        pair = np.flatnonzero(contents == shared[0])[:2]
        clips = corpus.items
        are_segments = any(isinstance(clips[i], Segment) for i in pair)
        how = "in segments" if are_segments else "under two names"
        what = f"recordings are both trained on and tested {how}, {len(shared)} of them"
        if corpus.has_features:
            what = f"equal rows are both trained on and tested, {len(shared)} pairs or more"
        warnings.warn(
            f"{what}, such as {' and '.join(clip_name(clips, i) for i in pair)}",
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


def number_contents(clips: Iterable[AnyRecording]) -> np.ndarray:
    """A number for each clip, equal for files that are the same byte for byte, and segments."""
    files = [whole_file(clip) for clip in clips]
    same_size = defaultdict(list)  # only files of one size have to be read
    for i, file in enumerate(files):
        same_size[_size(file)].append(i)
    numbers = np.arange(len(files))
    for indices in same_size.values():
        names = {files[i] if isinstance(files[i], str) else i for i in indices}
        first: dict[object, int] = {}
        for i in indices if len(indices) > 1 else ():
            content = _digest(files[i]) if len(names) > 1 else None
            numbers[i] = first.setdefault(content, i)
    return numbers


def digests_of(clips: np.ndarray) -> list[str]:
    """A hash of the content of each clip; that of the whole file for a segment."""
    return [_digest(whole_file(clip)).hex() for clip in clips]


def _size(clip: _Whole) -> int:
    if not isinstance(clip, str):
        return len(clip) if isinstance(clip, bytes) else clip.nbytes
    path = Path(clip)
    return path.stat().st_size if path.is_file() else -1  # the loader raises an error for it


def _digest(clip: _Whole) -> bytes:
    if isinstance(clip, str):
        return _digest_file(*file_signature(clip)) if Path(clip).is_file() else _hash(clip.encode())
    if isinstance(clip, np.ndarray) and clip.dtype == object:  # a row of a DataFrame
        return _hash(repr(clip.tolist()).encode())
    return _hash(bytes(clip))


@lru_cache(maxsize=2**12)  # a file with many segments is read once
def _digest_file(path: str, size: int, mtime_ns: int) -> bytes:
    return _hash(Path(path).read_bytes())


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
