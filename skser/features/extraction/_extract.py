"""Extraction: the features of clips, in parallel, cached, and in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter

import numpy as np

from ..._utils._progress import progress
from ...audio import Clips
from ...exceptions import AudioWarning, DataError
from ._cache import FeatureCache, entry_keys
from ._parallel import Part, Work, extract_in_parallel
from ._plan import Plan

_SECONDS_RESERVED = 30  # for each clip, if clips differ in length


def extract(
    clips: Clips,
    plan: Plan,
    *,
    n_jobs: int | None = None,
    cache: FeatureCache | None = None,
    verbose: int = 0,
) -> tuple[np.ndarray, int]:
    """Features of all clips (n_clips, n_views, ...), and the number of clips read from the cache.

    Sequences are padded with NaN. ``verbose=1`` shows a progress bar and prints that number.
    """
    n_clips = len(clips)
    if n_clips == 0:
        raise DataError("X must hold at least one clip, got none")
    parts = [Part(clips, slice(None))] if cache is None else _cached_parts(clips)
    entries = None if cache is None else _Entries(cache, parts, plan)
    stack = FeatureStack(n_clips, clips.n_views, _max_frames(clips, plan), plan.n_features)
    is_missing = np.ones((n_clips, len(parts)), bool)
    is_new = np.zeros(n_clips, bool)
    decoding_errors = {}

    def put(number: int, features_of_parts: Iterable[tuple[int, np.ndarray]]) -> None:
        for part, features in features_of_parts:
            stack.put(number, parts[part].views.start or 0, features)
            is_missing[number, part] = False

    def missing_works() -> list[Work]:
        """Works that remain after reading the cache."""
        if entries is not None:
            for work in _works(is_missing):
                put(work.number, entries.load(work).items())
        return list(_works(is_missing))

    missing = missing_works()
    if missing and cache is not None:
        cache.check_writable()
    with progress(
        total=n_clips,
        initial=n_clips - len(missing),
        desc="features",
        unit="clip",
        disable=not verbose,
    ) as bar:
        while missing:
            todo = missing if entries is None else entries.shuffled_missing(missing)
            with closing(extract_in_parallel(parts, todo, plan, n_jobs)) as results:
                for work, arrays, decoding_error in results:
                    put(work.number, zip(work.parts, arrays, strict=True))
                    is_new[work.number] = True
                    if decoding_error is not None:
                        # Silence is not cached, so that a later run warns again.
                        decoding_errors[work.number] = decoding_error
                    elif entries is not None:
                        entries.save(work, arrays)
                    bar.update()
            missing = missing_works()
    n_hits = n_clips - int(is_new.sum())
    if verbose and cache is not None:
        print(f"features: {n_hits} of {n_clips} clips from the cache")
    if decoding_errors:
        lines = "\n".join(f"  {decoding_errors[number]}" for number in sorted(decoding_errors))
        warnings.warn(
            f"silence in place of {len(decoding_errors)} recordings that could not be decoded:\n"
            f"{lines}",
            AudioWarning,
            stacklevel=3,
        )
    stacked = stack.finish()
    return (stacked if plan.samples_per_frame else stacked[:, :, 0]), n_hits


class _Entries:
    """Cache entries of clips, one for each part of a clip."""

    def __init__(self, cache: FeatureCache, parts: list[Part], plan: Plan) -> None:
        self._cache = cache
        self._keys = [entry_keys(part.clips, plan) for part in parts]

    def load(self, work: Work) -> dict[int, np.ndarray]:
        """Features of the parts that are in the cache."""
        loaded = {part: self._cache.load(self._keys[part][work.number]) for part in work.parts}
        return {part: features for part, features in loaded.items() if features is not None}

    def save(self, work: Work, arrays: list[np.ndarray]) -> None:
        """Save features of the parts."""
        for part, features in zip(work.parts, arrays, strict=True):
            self._cache.save(self._keys[part][work.number], features)

    def shuffled_missing(self, works: list[Work]) -> Iterator[Work]:
        """Works in random order, without parts that another process has saved by their turn.

        Processes that share a folder have different orders, so they rarely extract the same clip.
        """
        for i in np.random.default_rng().permutation(len(works)):
            number, parts = works[i]
            loaded = self.load(works[i])
            if len(loaded) < len(parts):
                yield Work(number, tuple(part for part in parts if part not in loaded))


def _works(is_missing: np.ndarray) -> Iterator[Work]:
    """Missing parts of each clip, from a mask (n_clips, n_parts)."""
    # One at a time: a list of many tuples sets the garbage collector off, which takes longer.
    numbers, parts = (indices.tolist() for indices in np.nonzero(is_missing))
    for number, missing in groupby(zip(numbers, parts, strict=True), itemgetter(0)):
        yield Work(number, tuple(part for _, part in missing))


def _max_frames(clips: Clips, plan: Plan) -> int:
    if plan.samples_per_frame is None or clips.max_samples is None:
        return 1
    # Reserved memory is not used yet, but systems limit how much may be reserved.
    return 1 + min(clips.max_samples, _SECONDS_RESERVED * clips.sr) // plan.samples_per_frame


def _cached_parts(clips: Clips) -> list[Part]:
    """The clean view, which prediction needs alone, and the augmented views; or all views."""
    if clips.clean is None:
        return [Part(clips, slice(None))]
    return [Part(clips.clean, slice(0, 1)), Part(clips, slice(1, None))]


class FeatureStack:
    """Array that collects features in place; sequences longer than ``n_frames`` cost a copy."""

    def __init__(self, n_clips: int, n_views: int, n_frames: int, n_features: int) -> None:
        # Systems allocate memory when it is written to.
        self._array = np.empty((n_clips, n_views, n_frames, n_features), np.float32)
        self._lengths = np.zeros((n_clips, n_views), int)

    def put(self, clip: int, first_view: int, features: np.ndarray) -> None:
        """Store features of some views of a clip, (n_views, ..., n_features)."""
        n_clips, n_views, capacity, n_features = self._array.shape
        sequences = features.reshape(len(features), -1, n_features)
        views = slice(first_view, first_view + len(sequences))
        if views.stop > n_views:
            raise DataError(f"clip {clip} has {views.stop} views, its stages promise {n_views}")
        n_frames = sequences.shape[1]
        if n_frames > capacity:
            n_reserved = max(n_frames, 3 * capacity // 2)
            larger = np.empty((n_clips, n_views, n_reserved, n_features), np.float32)
            larger[:, :, :capacity] = self._array
            self._array = larger
        self._array[clip, views, :n_frames] = sequences
        self._lengths[clip, views] = n_frames

    def finish(self) -> np.ndarray:
        """All features, (n_clips, n_views, n_frames, n_features), padded with NaN."""
        n_clips, n_views, capacity, n_features = self._array.shape
        longest = self._lengths.max()
        if self._lengths.min() == capacity:
            return self._array
        flat = self._array.reshape(-1, n_features)
        for i, length in enumerate(self._lengths.ravel()):
            # Sequences move to the front only, so they overwrite no later one.
            flat[i * longest : i * longest + length] = flat[i * capacity : i * capacity + length]
            flat[i * longest + length : (i + 1) * longest] = np.nan
        return flat[: n_clips * n_views * longest].reshape(n_clips, n_views, longest, n_features)
