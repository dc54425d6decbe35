"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from .._decoders import describe
from .._progress import progress
from .._recordings import Recording
from ..clips import Clips
from ..exceptions import AudioWarning, DataError, naming
from ._blas import one_blas_thread
from .cache import FeatureCache, entry_keys
from .recipe import FeatureRecipe

_CLIPS_AT_ONCE = 16
_PATIENCE = 0.05  # seconds between looks at what another process is at work on


class Part(NamedTuple):
    """Some views of every clip, which are kept in an entry of their own."""

    clips: Clips  # clips that have these views
    views: slice


class Work(NamedTuple):
    """What is to be extracted of a clip."""

    number: int  # of the clip, among all
    parts: tuple[int, ...]


class Extracted(NamedTuple):
    """Features of one of the clips, of each of the parts that were asked for."""

    work: Work
    features: list[np.ndarray]
    complaint: str | None = None  # what was wrong with a recording that became silence
    is_new: bool = True  # False if another process kept it in the meantime


def extract(
    clips: Clips,
    recipe: FeatureRecipe,
    *,
    n_jobs: int | None = None,
    cache: FeatureCache | None = None,
    verbose: int = 0,
) -> tuple[np.ndarray, int]:
    """Features of all clips, (n_clips, n_views, ...), and how many were found in the cache.

    Sequences are padded with NaN.
    """
    n_clips = len(clips)
    if n_clips == 0:
        raise DataError("X must hold at least one clip, got none")
    if cache is None:
        parts, entries = [Part(clips, slice(None))], None
        features: list[list[Any]] = [[None] for _ in range(n_clips)]
    else:
        parts = _parts(clips)
        entries = Entries(cache, [entry_keys(part.clips, recipe) for part in parts])
        features = [entries.load(number) for number in range(n_clips)]
    missing = [
        Work(number, tuple(part for part, kept in enumerate(found) if kept is None))
        for number, found in enumerate(features)
    ]
    missing = [work for work in missing if work.parts]
    extracted = _extract_in_parallel(parts, missing, recipe, n_jobs)
    if entries is not None:
        extracted = _extract_into(entries, parts, missing, recipe, n_jobs)
    complaints = []
    is_new = np.zeros(n_clips, bool)
    bar = progress(
        total=n_clips,
        initial=n_clips - len(missing),
        desc="features",
        unit="clip",
        disable=not verbose,
    )
    with bar, closing(extracted):
        for work, found, complaint, was_extracted in extracted:
            of_clip = features[work.number]
            for part, kept in zip(work.parts, found, strict=True):
                of_clip[part] = kept
            is_new[work.number] |= was_extracted
            if complaint is not None:
                complaints.append(complaint)
            bar.update(all(part is not None for part in of_clip))
    n_found = n_clips - int(is_new.sum())
    if verbose and cache is not None:
        print(f"features: {n_found} of {n_clips} clips from the cache")
    if complaints:
        lines = "\n".join(f"  {complaint}" for complaint in complaints)
        warnings.warn(
            f"silence in place of {len(complaints)} recordings that could not be decoded:\n{lines}",
            AudioWarning,
            stacklevel=3,
        )
    return _stack(features), n_found


def _parts(clips: Clips) -> list[Part]:
    """The clean view, which prediction needs without the others, and the others; or all."""
    if clips.clean is None:
        return [Part(clips, slice(None))]
    return [Part(clips.clean, slice(0, 1)), Part(clips, slice(1, None))]


class Entries:
    """The entries of clips in a cache, and which of them this process has claimed.

    Parameters
    ----------
    cache : FeatureCache
        The cache.
    keys : list of list of str
        Key of every clip, for each part.
    """

    def __init__(self, cache: FeatureCache, keys: list[list[str]]) -> None:
        self.cache = cache
        self.keys = keys
        self.claimed: set[str] = set()

    def load(self, number: int) -> list[np.ndarray | None]:
        """Features of each part of a clip, None where there are none."""
        return [self.cache.load(keys[number]) for keys in self.keys]

    def claim(self, work: Work) -> bool:
        """Whether nobody else has any of it in hand, in which case it is claimed."""
        for key in self._keys(work):
            if not self.cache.claim(key):
                self.release(work)
                return False
            self.claimed.add(key)
        return True

    def is_claimed(self, work: Work) -> bool:
        """Whether somebody has it in hand."""
        return any(self.cache.is_claimed(key) for key in self._keys(work))

    def save(self, work: Work, features: list[np.ndarray]) -> None:
        """Keep features, which ends the claim."""
        for key, kept in zip(self._keys(work), features, strict=True):
            self.cache.save(key, kept)
            self.claimed.discard(key)

    def release(self, work: Work) -> None:
        """Give up the claims to it."""
        for key in self.claimed.intersection(self._keys(work)):
            self.cache.release(key)
            self.claimed.discard(key)

    def release_all(self) -> None:
        """Give up all claims."""
        for key in self.claimed:
            self.cache.release(key)

    def _keys(self, work: Work) -> list[str]:
        return [self.keys[part][work.number] for part in work.parts]


def _extract_into(
    entries: Entries,
    parts: list[Part],
    missing: list[Work],
    recipe: FeatureRecipe,
    n_jobs: int | None,
) -> Generator[Extracted]:
    """Extract clips and keep them, but for those that another process has in hand.

    These are awaited at the end, and extracted here if the other one gave up.
    """
    others: list[Work] = []

    def claim(works: list[Work]) -> Iterator[Work]:
        for work in works:
            if not entries.claim(work):
                others.append(work)
            # Another process may have kept it since it was looked for.
            elif all(entries.load(work.number)[part] is None for part in work.parts):
                yield work
            else:
                entries.release(work)
                others.append(work)

    if missing:
        entries.cache.check_writable()
    try:
        while missing:
            with closing(_extract_in_parallel(parts, claim(missing), recipe, n_jobs)) as extracted:
                for result in extracted:
                    # Saved here and not in workers, which may be killed in the middle of a file.
                    # Silence is not kept, so that a later run complains again.
                    if result.complaint is None:
                        entries.save(result.work, result.features)
                    else:
                        entries.release(result.work)
                    yield result
            missing = []
            for work in others:
                _wait_while(partial(entries.is_claimed, work))
                found = entries.load(work.number)
                kept = tuple(part for part in work.parts if found[part] is not None)
                if kept:
                    features = [found[part] for part in kept]
                    yield Extracted(Work(work.number, kept), features, is_new=False)
                if len(kept) < len(work.parts):
                    rest = tuple(part for part in work.parts if part not in kept)
                    missing.append(Work(work.number, rest))
            others.clear()
    finally:
        entries.release_all()


def _wait_while(condition: Callable[[], bool]) -> None:
    # On a cluster, what is waited for may need the worker that this runs on.
    with get_active_backend()[0].retrieval_context():
        while condition():
            time.sleep(_PATIENCE)


def _extract_in_parallel(
    parts: list[Part], works: Iterable[Work], recipe: FeatureRecipe, n_jobs: int | None
) -> Generator[Extracted]:
    """Extract some of the clips, a chunk at a time for each process; sources travel, not audio."""
    remaining = iter(works)
    # Work is drawn when a process is about to be free, and not all at once.
    chunks = iter(lambda: list(islice(remaining, _CLIPS_AT_ONCE)), [])
    with one_blas_thread:
        results = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_extract_chunk)(_parts_of_some(parts, chunk), chunk, recipe) for chunk in chunks
        )
        try:
            for result in results:
                yield from result
        finally:
            # Workers would go on for as long as a traceback holds the generator.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib's, that results are not used
                results.close()


def _parts_of_some(parts: list[Part], works: list[Work]) -> list[Part]:
    numbers = [work.number for work in works]
    return [Part(part.clips[numbers], part.views) for part in parts]


def _extract_chunk(parts: list[Part], works: list[Work], recipe: FeatureRecipe) -> list[Extracted]:
    """Extract a few clips, those of ``parts`` one by one."""
    with one_blas_thread:
        return [_extract_clip(parts, i, work, recipe) for i, work in enumerate(works)]


def _extract_clip(parts: list[Part], position: int, work: Work, recipe: FeatureRecipe) -> Extracted:
    clips = parts[work.parts[-1]].clips  # the last of the parts has the views of all before it
    with naming(_name(clips.sources[position], work.number)):
        views, error = clips.read_views(position)
        features = [recipe.of_views(views[parts[part].views], clips.sr) for part in work.parts]
        return Extracted(work, features, None if error is None else str(error))


def _name(source: Any, index: int) -> str:
    """Name of a clip in messages."""
    if isinstance(source, Recording):
        source = source.path if source.content is None else source.content
    is_recording = isinstance(source, (str, os.PathLike, bytes))
    return describe(source) if is_recording else f"clip {index}"


def _stack(features: list[Any]) -> np.ndarray:
    """Put the features of the clips' parts into one array, (n_clips, n_views, ...).

    What has been copied is let go at once, so that features are never held twice.
    """
    n_views = sum(len(part) for part in features[0])
    shape = np.max([part.shape[1:] for parts in features for part in parts], axis=0)
    stacked = np.empty((len(features), n_views, *shape), np.float32)
    for i, row in enumerate(stacked):
        parts, features[i] = features[i], None
        view = 0
        for part in parts:
            rows = row[view : view + len(part)]
            rows[:, : part.shape[1]] = part
            rows[:, part.shape[1] :] = np.nan
            view += len(part)
    return stacked
