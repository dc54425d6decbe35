"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import warnings
from contextlib import closing

import numpy as np

from .._progress import progress
from ..clips import Clips
from ..exceptions import AudioWarning, DataError
from ._cached_extraction import Entries, extract_into
from ._parallel import Part, Work, extract_in_parallel
from ._stacking import FeatureStack
from .cache import FeatureCache
from .cache_keys import entry_keys
from .recipe import FeatureRecipe

_SECONDS_SET_ASIDE = 30  # for each clip, if clips differ in length


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
    parts, entries = [Part(clips, slice(None))], None
    if cache is not None:
        parts = _parts(clips)
        entries = Entries(cache, [entry_keys(part.clips, recipe) for part in parts])
    stack = FeatureStack(n_clips, clips.n_views, _most_frames(clips, recipe), recipe.n_features)
    is_there = np.zeros((n_clips, len(parts)), bool)

    def put(number: int, part: int, features: np.ndarray) -> None:
        stack.put(number, parts[part].views.start or 0, features)
        is_there[number, part] = True

    if entries is not None:
        everything = tuple(range(len(parts)))
        for number in range(n_clips):
            for part, kept in enumerate(entries.load(Work(number, everything))):
                if kept is not None:
                    put(number, part, kept)
    missing = [
        Work(int(number), tuple(np.flatnonzero(~is_there[number]).tolist()))
        for number in np.flatnonzero(~is_there.all(axis=1))
    ]
    if entries is None:
        extracted = extract_in_parallel(parts, missing, recipe, n_jobs)
    else:
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
            for part, features in zip(work.parts, found, strict=True):
                put(work.number, part, features)
            is_new[work.number] |= was_extracted
            if complaint is not None:
                complaints.append(complaint)
            bar.update(int(is_there[work.number].all()))
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
    stacked = stack.finish()
    return (stacked if recipe.statistics is None else stacked[:, :, 0]), n_found


def _most_frames(clips: Clips, recipe: FeatureRecipe) -> int:
    if recipe.statistics is not None or clips.max_samples is None:
        return 1
    # What is set aside is not used yet, but no system promises any amount.
    return 1 + min(clips.max_samples, _SECONDS_SET_ASIDE * clips.sr) // recipe.hop_length


def _parts(clips: Clips) -> list[Part]:
    """The clean view, which prediction needs without the others, and the others; or all."""
    if clips.clean is None:
        return [Part(clips, slice(None))]
    return [Part(clips.clean, slice(0, 1)), Part(clips, slice(1, None))]
