"""Extraction: the features of clips, in parallel, cached, and in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter

import numpy as np

from ..._utils._progress import progress
from ...audio import Clips
from ...audio._recordings import Recording
from ...exceptions import AudioWarning, DataError
from .._on_disk import Entries, FeaturesOnDisk
from ._cache import FeatureCache, entry_keys
from ._parallel import Part, Work, clip_name, extract_in_parallel
from ._plan import Plan

_SECONDS_RESERVED = 30  # for each clip, if clips differ in length


def extract(
    clips: Clips,
    plan: Plan,
    *,
    n_jobs: int | None = None,
    cache: FeatureCache | None = None,
    on_disk: bool = False,
    verbose: int = 0,
) -> tuple[np.ndarray | FeaturesOnDisk, int]:
    """Features of all clips (n_clips, n_views, ...), and the number of clips read from the cache.

    Sequences are padded with NaN. With ``on_disk``, features stay in the cache. ``verbose=1`` shows
    a progress bar and prints the number of clips read.
    """
    n_clips = len(clips)
    if n_clips == 0:
        raise DataError("X must hold at least one clip, got none")
    parts = [Part(clips, slice(None))] if cache is None else _cached_parts(clips)
    entries = None if cache is None else _Entries(cache, parts, plan)
    stack: FeatureStack | _StackOnDisk
    if on_disk:
        assert entries is not None
        stack = _StackOnDisk(parts, entries, plan)
    else:
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
                        stack.keep(work.number, work.parts, arrays)
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
    is_array = isinstance(stacked, np.ndarray)
    return (stacked[:, :, 0] if is_array and not plan.samples_per_frame else stacked), n_hits


class _Entries:
    """Cache entries of clips, one for each part of a clip."""

    def __init__(self, cache: FeatureCache, parts: list[Part], plan: Plan) -> None:
        self.cache = cache
        self.keys = [entry_keys(part.clips, plan) for part in parts]
        self._begun: set[str] = set()  # keys of what was to be extracted

    def load(self, work: Work) -> dict[int, np.ndarray]:
        """Features of the parts that are in the cache."""
        loaded = {part: self.cache.load(self.keys[part][work.number]) for part in work.parts}
        return {part: features for part, features in loaded.items() if features is not None}

    def save(self, work: Work, arrays: list[np.ndarray]) -> None:
        """Save features of the parts."""
        for part, features in zip(work.parts, arrays, strict=True):
            self.cache.save(self.keys[part][work.number], features)

    def shuffled_missing(self, works: list[Work]) -> Iterator[Work]:
        """Works in random order, without parts that another process has saved by their turn.

        Processes that share a folder have different orders, so they rarely extract the same clip.
        Of equal clips the first call yields one, as the next work is read before one is saved.
        """
        is_first = not self._begun
        for i in np.random.default_rng().permutation(len(works)):
            number, parts = works[i]
            loaded = self.load(works[i])
            missing = tuple(part for part in parts if part not in loaded)
            keys = {self.keys[part][number] for part in missing}
            if missing and not (is_first and keys <= self._begun):
                self._begun |= keys
                yield Work(number, missing)


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


def expected_size(clips: Clips, plan: Plan) -> int:
    """Size of the features in bytes, by the headers of the recordings; less if silence is cut."""
    n_frames = 1
    if plan.samples_per_frame is not None:
        longest = max((_n_samples(source, clips) for source in clips.sources), default=0)
        n_frames = 1 + int(longest) // plan.samples_per_frame
    return 4 * len(clips) * clips.n_views * n_frames * plan.n_features


def _n_samples(source: object, clips: Clips) -> float:
    """Samples of a clip at most, as far as its source tells."""
    if clips.n_samples is not None:
        return clips.n_samples
    if isinstance(source, Recording):
        n_samples = source.duration * clips.sr
    else:
        n_samples = getattr(getattr(source, "samples", source), "shape", (0,))[0]
        n_samples *= clips.sr / getattr(source, "sr", clips.sr)
    return min(n_samples, clips.max_samples or n_samples)


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

    def keep(self, clip: int, parts: Sequence[int], arrays: list[np.ndarray]) -> None:
        """Do nothing for features that are not in the cache, which are in the array."""

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


class _StackOnDisk:
    """Lengths of features that stay in the cache, collected like a `FeatureStack`."""

    def __init__(self, parts: list[Part], entries: _Entries, plan: Plan) -> None:
        self._parts, self._cache, self._plan = parts, entries.cache, plan
        n_clips, n_views = len(parts[0].clips), parts[-1].clips.n_views
        self._entries = [
            Entries(range(n_views)[part.views], keys, np.zeros(n_clips, np.int32))
            for part, keys in zip(parts, entries.keys, strict=True)
        ]

    def put(self, clip: int, first_view: int, features: np.ndarray) -> None:
        """Remember the length of some views of a clip."""
        entry = next(e for e in self._entries if e.views.start == first_view)
        if len(features) != len(entry.views):
            n_views, promised = first_view + len(features), entry.views.stop
            raise DataError(f"clip {clip} has {n_views} views, its stages promise {promised}")
        entry.n_frames[clip] = features.shape[1] if features.ndim == 3 else 1

    def keep(self, clip: int, parts: Sequence[int], arrays: list[np.ndarray]) -> None:
        """Keep features that are not in the cache in memory."""
        for part, features in zip(parts, arrays, strict=True):
            self._entries[part].in_memory[clip] = features

    def finish(self) -> FeaturesOnDisk:
        """All features, to be read."""
        clips = self._parts[0].clips
        is_sequence = self._plan.samples_per_frame is not None
        longest = max(int(entry.n_frames.max()) for entry in self._entries)
        return FeaturesOnDisk(
            self._cache,
            self._entries,
            [clip_name(source, i) for i, source in enumerate(clips.sources)],
            self._plan.n_features,
            longest if is_sequence else None,
            has_views=True,
            clips=np.arange(len(clips)),
        )
