"""Parallel extraction by joblib, in chunks of clips; workers get sources, not audio."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from functools import lru_cache, partial
from itertools import islice
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.utils.parallel import delayed
from threadpoolctl import ThreadpoolController

from ..._utils._malloc import keeping_freed_memory
from ..._utils._parallel import is_serial, run_parallel
from ...audio import Clips
from ...audio._clips import read_views
from ...audio._info import describe
from ...audio._recordings import Recording
from ...exceptions import SkserError, naming
from ._plan import Plan

_CLIPS_PER_CHUNK = 16
_SAMPLES_AT_ONCE = 2**24


class Part(NamedTuple):
    """Some views of every clip, which share a cache entry."""

    clips: Clips  # with these views
    views: slice


class Work(NamedTuple):
    """Parts of a clip to extract."""

    number: int  # of the clip among all
    parts: tuple[int, ...]


class Extracted(NamedTuple):
    """Features of each part of a `Work`."""

    work: Work
    features: list[np.ndarray]
    decoding_error: str | None  # of a recording replaced by silence


class _ReadClip(NamedTuple):
    """A clip in memory, with the views of each part of a `Work`."""

    work: Work
    name: str
    arrays: list[np.ndarray]
    decoding_error: str | None


def extract_in_parallel(
    parts: list[Part], works: Iterable[Work], plan: Plan, n_jobs: int | None
) -> Generator[Extracted]:
    """Extract clips in order, or in chunks by several processes, consuming ``works`` lazily."""
    with settings_for_extraction:
        if is_serial(n_jobs):
            read = _read_ahead(lambda work: _read(parts, work.number, work), works)
            with closing(read):
                yield from _extract_all(read, plan, parts[0].clips.sr)
            return
        chunks = _batches(works, max(_CLIPS_PER_CHUNK, plan.clips_at_once))
        # Each array goes to one worker, so to share it by a temporary file would not pay.
        results = run_parallel(
            (delayed(_extract_chunk)(_select(parts, chunk), chunk, plan) for chunk in chunks),
            n_jobs,
            max_nbytes=None,
        )
        try:
            for result in results:
                yield from result
        finally:
            # Otherwise workers run for as long as a traceback refers to the generator.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib warns of unused results
                results.close()


def _batches(works: Iterable[Work], size: int) -> Iterator[list[Work]]:
    remaining = iter(works)
    return iter(lambda: list(islice(remaining, size)), [])


def _select(parts: list[Part], works: list[Work]) -> list[Part]:
    numbers = [work.number for work in works]
    return [Part(part.clips[numbers], part.views) for part in parts]


def _extract_chunk(parts: list[Part], works: list[Work], plan: Plan) -> list[Extracted]:
    """Extract the clips of ``parts``, which are those of the works in their order."""
    with settings_for_extraction:
        read = (_read(parts, position, work) for position, work in enumerate(works))
        return list(_extract_all(read, plan, parts[0].clips.sr))


def _read(parts: list[Part], position: int, work: Work) -> _ReadClip:
    """Read the clip at a position of ``parts``."""
    clips = parts[work.parts[-1]].clips  # the last part has the views of those before it too
    name = clip_name(clips.sources[position], work.number)
    with naming(name):
        views, error = read_views(clips, position)
    arrays = [views[parts[part].views] for part in work.parts]
    return _ReadClip(work, name, arrays, None if error is None else str(error))


def _read_ahead(read: Callable[[Work], _ReadClip], works: Iterable[Work]) -> Generator[_ReadClip]:
    """Clips in their order; a thread reads each while the caller works on the one before.

    Decoders, resampling and kernels release the interpreter's lock, so they run side by side.
    """
    if joblib.cpu_count() == 1:
        yield from map(read, works)
        return
    clip: _ReadClip | None = None
    with ThreadPoolExecutor(1) as thread:
        for work in works:
            if clip is None:  # a single clip needs no thread
                clip = read(work)
                continue
            try:
                following = thread.submit(copy_context().run, read, work).result
            except RuntimeError:  # the main thread has ended, after which none can start
                following = partial(read, work)
            yield clip
            clip = following()
        if clip is not None:
            yield clip


def _extract_all(clips: Iterable[_ReadClip], plan: Plan, sr: int) -> Iterator[Extracted]:
    """Extract the features of clips, several together, but few if they are long."""
    batch: list[_ReadClip] = []
    for clip in clips:
        batch.append(clip)
        n_samples = sum(array.size for read in batch for array in read.arrays)
        if len(batch) == plan.clips_at_once or n_samples > _SAMPLES_AT_ONCE:
            yield from _extract_together(batch, plan, sr)
            batch = []
    if batch:
        yield from _extract_together(batch, plan, sr)


def _extract_together(batch: list[_ReadClip], plan: Plan, sr: int) -> list[Extracted]:
    try:
        with naming(batch[-1].name):
            features = iter(plan.of_clips([a for clip in batch for a in clip.arrays], sr))
    except SkserError:
        if len(batch) == 1:
            raise
        # The clip that fails is named.
        return [each for clip in batch for each in _extract_together([clip], plan, sr)]
    return [
        Extracted(clip.work, list(islice(features, len(clip.arrays))), clip.decoding_error)
        for clip in batch
    ]


def clip_name(source: object, number: int) -> str:
    """Name of a clip in messages."""
    if isinstance(source, Recording):
        source = source.source
    return describe(source) if isinstance(source, (str, os.PathLike, bytes)) else f"clip {number}"


@contextmanager
def _settings_of_process() -> Iterator[None]:
    # Matrix products round differently with the number of threads, which `n_jobs` would change.
    with _controller().limit(limits=1, user_api="blas"), keeping_freed_memory():
        yield


class _ForExtraction:
    """Context of `_settings_of_process`, which the first thread enters and the last one leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._settings = _settings_of_process()
                self._settings.__enter__()
            self._n_inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._settings.__exit__(None, None, None)


# Searching for the libraries takes longer than extracting a clip.
_controller = lru_cache(maxsize=1)(ThreadpoolController)
settings_for_extraction = _ForExtraction()
