"""What is on both sides of a split: speakers, and recordings that are the same byte for byte."""

from __future__ import annotations

import hashlib
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from ._corpus_parts import Parts
from .exceptions import LeakageWarning


def on_both_sides(names: np.ndarray, parts: Parts) -> np.ndarray:
    """The names of clips that are both trained on and tested in a fold."""
    return np.unique(np.concatenate([np.intersect1d(names[a], names[b]) for a, b in parts]))


def warn_of_leakage(clips: np.ndarray, groups: np.ndarray | None, parts: Parts) -> None:
    """Warn of speakers, and of recordings that are the same byte for byte, on both sides."""
    if groups is not None:
        shared = on_both_sides(groups, parts)
        if len(shared):
            warnings.warn(
                f"{len(shared)} of {len(np.unique(groups))} speakers are both trained on and "
                f"tested, such as {shared.tolist()[0]!r}: the scores say little about new speakers",
                LeakageWarning,
                stacklevel=3,
            )
    contents = contents_of(clips)
    shared = on_both_sides(contents, parts)
    if len(shared):
        first, second = np.flatnonzero(contents == shared[0])[:2]
        warnings.warn(
            "recordings are both trained on and tested under two names, "
            f"{len(shared)} of them, such as {_name(clips, first)} and {_name(clips, second)}",
            LeakageWarning,
            stacklevel=3,
        )


def warn_of_tuning(pipeline: Any, clips: np.ndarray) -> None:
    """Warn of clips that the parameters of a pipeline were chosen on."""
    tuned_on: frozenset[str] = getattr(pipeline, "tuned_on_", frozenset())
    n_known = sum(digest in tuned_on for digest in digests_of(clips)) if tuned_on else 0
    if n_known:
        warnings.warn(
            f"the parameters of the pipeline were chosen on {n_known} of these {len(clips)} clips, "
            "so the scores flatter: skser.tuning.nested_evaluate says what tuning is worth",
            LeakageWarning,
            stacklevel=3,
        )


def contents_of(clips: np.ndarray) -> np.ndarray:
    """A number for each clip, equal for those that are the same byte for byte."""
    alike = defaultdict(list)  # only files of one size have to be read
    for i, clip in enumerate(clips):
        alike[_size(clip)].append(i)
    numbers = np.arange(len(clips))
    for indices in alike.values():
        if len(indices) > 1:
            first: dict[bytes, int] = {}
            for i in indices:
                numbers[i] = first.setdefault(_digest(clips[i]), i)
    return numbers


def digests_of(clips: np.ndarray) -> list[str]:
    """The content of each clip, as a short text."""
    return [_digest(clip).hex() for clip in clips]


def _size(clip: Any) -> int:
    if isinstance(clip, np.ndarray):
        return clip.nbytes
    path = Path(clip)
    return path.stat().st_size if path.is_file() else -1  # the loader says what is wrong with it


def _digest(clip: Any) -> bytes:
    if isinstance(clip, np.ndarray):
        content = clip.tobytes()
    else:
        content = Path(clip).read_bytes() if Path(clip).is_file() else str(clip).encode()
    return hashlib.blake2b(content, digest_size=16).digest()


def _name(clips: np.ndarray, i: int) -> str:
    return f"waveform {i}" if isinstance(clips[i], np.ndarray) else str(clips[i])
