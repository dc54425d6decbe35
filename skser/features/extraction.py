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


class Extracted(NamedTuple):
    """Features of one of the clips."""

    number: int  # among all clips
    features: np.ndarray
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
    keys = None if cache is None else entry_keys(clips, recipe)
    features: list[Any] = [None] * n_clips
    if cache is not None and keys is not None:
        features = [cache.load(key) for key in keys]
    missing = [i for i, found in enumerate(features) if found is None]
    n_found = n_clips - len(missing)
    if cache is not None and keys is not None:
        extracted = _extract_into(cache, keys, clips, missing, recipe, n_jobs)
    else:
        extracted = _extract_in_parallel(clips, missing, recipe, n_jobs)
    complaints = []
    bar = progress(
        total=n_clips, initial=n_found, desc="features", unit="clip", disable=not verbose
    )
    with bar, closing(extracted):
        for index, found, complaint, is_new in extracted:
            features[index] = found
            n_found += not is_new
            if complaint is not None:
                complaints.append(complaint)
            bar.update()
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


def _extract_into(
    cache: FeatureCache,
    keys: list[str],
    clips: Clips,
    missing: list[int],
    recipe: FeatureRecipe,
    n_jobs: int | None,
) -> Generator[Extracted]:
    """Extract clips and keep them, but for those that another process has in hand.

    These are awaited at the end, and extracted here if the other one gave up.
    """
    claimed: set[str] = set()
    others: list[int] = []

    def claim(indices: list[int]) -> Iterator[int]:
        for index in indices:
            if not cache.claim(keys[index]):
                others.append(index)
                continue
            claimed.add(keys[index])
            # Another process may have kept it since it was looked for.
            if cache.load(keys[index]) is None:
                yield index
            else:
                release(index)
                others.append(index)

    def release(index: int) -> None:
        cache.release(keys[index])
        claimed.discard(keys[index])

    if missing:
        cache.check_writable()
    try:
        while missing:
            with closing(_extract_in_parallel(clips, claim(missing), recipe, n_jobs)) as extracted:
                for index, features, complaint, _ in extracted:
                    # Saved here and not in workers, which may be killed in the middle of a file.
                    # Silence is not kept, so that a later run complains again.
                    if complaint is None:
                        cache.save(keys[index], features)
                        claimed.discard(keys[index])
                    else:
                        release(index)
                    yield Extracted(index, features, complaint)
            missing = []
            for index in others:
                _wait_while(partial(cache.is_claimed, keys[index]))
                found = cache.load(keys[index])
                if found is None:
                    missing.append(index)
                else:
                    yield Extracted(index, found, is_new=False)
            others.clear()
    finally:
        for key in claimed:
            cache.release(key)


def _wait_while(condition: Callable[[], bool]) -> None:
    # On a cluster, what is waited for may need the worker that this runs on.
    with get_active_backend()[0].retrieval_context():
        while condition():
            time.sleep(_PATIENCE)


def _extract_in_parallel(
    clips: Clips, indices: Iterable[int], recipe: FeatureRecipe, n_jobs: int | None
) -> Generator[Extracted]:
    """Extract some of the clips, a chunk at a time for each process; sources travel, not audio."""
    remaining = iter(indices)
    # Indices are drawn when a process is about to be free, and not all at once.
    chunks = iter(lambda: list(islice(remaining, _CLIPS_AT_ONCE)), [])
    with one_blas_thread:
        results = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_extract_chunk)(clips[chunk], chunk, recipe) for chunk in chunks
        )
        try:
            for result in results:
                yield from result
        finally:
            # Workers would go on for as long as a traceback holds the generator.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib's, that results are not used
                results.close()


def _extract_chunk(clips: Clips, indices: list[int], recipe: FeatureRecipe) -> list[Extracted]:
    """Extract a few clips, which have these numbers among all."""
    with one_blas_thread:
        return [_extract_clip(clips, i, index, recipe) for i, index in enumerate(indices)]


def _extract_clip(clips: Clips, position: int, index: int, recipe: FeatureRecipe) -> Extracted:
    with naming(_name(clips.sources[position], index)):
        views, error = clips.read_views(position)
        features = recipe.of_views(views, clips.sr)
        return Extracted(index, features, None if error is None else str(error))


def _name(source: Any, index: int) -> str:
    """Name of a clip in messages."""
    if isinstance(source, Recording):
        source = source.path if source.content is None else source.content
    is_recording = isinstance(source, (str, os.PathLike, bytes))
    return describe(source) if is_recording else f"clip {index}"


def _stack(features: list[Any]) -> np.ndarray:
    """Put the features of the clips into one array, (n_clips, n_views, ...).

    What has been copied is let go at once, so that features are never held twice.
    """
    shape = np.max([found.shape for found in features], axis=0)
    stacked = np.empty((len(features), *shape), np.float32)
    for i, row in enumerate(stacked):
        found, features[i] = features[i], None
        row[:, : found.shape[1]] = found
        row[:, found.shape[1] :] = np.nan
    return stacked
