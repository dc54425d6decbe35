"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import Any

import numpy as np

from .._progress import progress
from ..clips import Clips
from ..exceptions import AudioWarning, DataError
from ._cached_extraction import Entries, extract_into
from ._parallel import Part, Work, extract_in_parallel
from .cache import FeatureCache
from .cache_keys import entry_keys
from .recipe import FeatureRecipe


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
    extracted = extract_in_parallel(parts, missing, recipe, n_jobs)
    if entries is not None:
        extracted = extract_into(entries, parts, missing, recipe, n_jobs)
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
