"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing

import numpy as np

from ..._utils._progress import progress
from ...audio import Clips
from ...exceptions import AudioWarning, DataError
from ._cache import FeatureCache
from ._cache_keys import entry_keys
from ._parallel import Part, Work, extract_in_parallel
from ._plan import FeatureRecipe
from ._stacking import FeatureStack

_SECONDS_SET_ASIDE = 30  # for each clip, if clips differ in length


def extract(
    clips: Clips,
    recipe: FeatureRecipe,
    *,
    n_jobs: int | None = None,
    cache: FeatureCache | None = None,
    verbose: int = 0,
) -> tuple[np.ndarray, int]:
    """Extract the features of all clips, or read them from the cache.

    Parameters
    ----------
    clips : Clips
        The clips.
    recipe : FeatureRecipe
        What to extract.
    n_jobs : int or None, default=None
        Number of processes.
    cache : FeatureCache or None, default=None
        Where features are looked for and kept.
    verbose : int, default=0
        1 shows a progress bar and says how many clips were in the cache.

    Returns
    -------
    features : ndarray of shape (n_clips, n_views, ...), float32
        Sequences are padded with NaN.
    n_hits : int
        Clips that were in the cache.

    Raises
    ------
    DataError
        There are no clips.
    ParameterError
        Nothing can be written to the folder of the cache.
    """
    n_clips = len(clips)
    if n_clips == 0:
        raise DataError("X must hold at least one clip, got none")
    parts = [Part(clips, slice(None))] if cache is None else _cached_parts(clips)
    entries = None if cache is None else _Entries(cache, parts, recipe)
    stack = FeatureStack(n_clips, clips.n_views, _most_frames(clips, recipe), recipe.n_features)
    is_missing = np.ones((n_clips, len(parts)), bool)
    is_new = np.zeros(n_clips, bool)
    complaints = {}

    def put(number: int, features_of_parts: Iterable[tuple[int, np.ndarray]]) -> None:
        for part, features in features_of_parts:
            stack.put(number, parts[part].views.start or 0, features)
            is_missing[number, part] = False

    def works() -> list[Work]:
        """What is missing, after a look into the cache."""
        if entries is not None:
            for work in _works(is_missing):
                put(work.number, entries.load(work).items())
        return _works(is_missing)

    missing = works()
    if missing and entries is not None:
        entries.cache.check_writable()
    with progress(
        total=n_clips,
        initial=n_clips - len(missing),
        desc="features",
        unit="clip",
        disable=not verbose,
    ) as bar:
        while missing:
            todo = missing if entries is None else entries.not_kept_meanwhile(missing)
            with closing(extract_in_parallel(parts, todo, recipe, n_jobs)) as results:
                for work, arrays, complaint in results:
                    put(work.number, zip(work.parts, arrays, strict=True))
                    is_new[work.number] = True
                    if complaint is not None:
                        # Silence is not kept, so that a later run complains again.
                        complaints[work.number] = complaint
                    elif entries is not None:
                        entries.save(work, arrays)
                    bar.update()
            missing = works()
    n_hits = n_clips - int(is_new.sum())
    if verbose and cache is not None:
        print(f"features: {n_hits} of {n_clips} clips from the cache")
    if complaints:
        lines = "\n".join(f"  {complaints[number]}" for number in sorted(complaints))
        warnings.warn(
            f"silence in place of {len(complaints)} recordings that could not be decoded:\n{lines}",
            AudioWarning,
            stacklevel=3,
        )
    stacked = stack.finish()
    return (stacked if recipe.statistics is None else stacked[:, :, 0]), n_hits


class _Entries:
    """Entries of clips in a cache, one for each part of each clip."""

    def __init__(self, cache: FeatureCache, parts: list[Part], recipe: FeatureRecipe) -> None:
        self.cache = cache
        self._keys = [entry_keys(part.clips, recipe) for part in parts]

    def load(self, work: Work) -> dict[int, np.ndarray]:
        """Features of the parts of a clip that are in the cache."""
        loaded = {part: self.cache.load(self._keys[part][work.number]) for part in work.parts}
        return {part: features for part, features in loaded.items() if features is not None}

    def save(self, work: Work, arrays: list[np.ndarray]) -> None:
        """Keep features of the parts of a clip."""
        for part, features in zip(work.parts, arrays, strict=True):
            self.cache.save(self._keys[part][work.number], features)

    def not_kept_meanwhile(self, works: list[Work]) -> Iterator[Work]:
        """Works in random order, less what another process has kept until their turn comes.

        Two processes on one folder rarely meet at a clip, because each has an order of its own.
        """
        for i in np.random.default_rng().permutation(len(works)):
            kept = self.load(works[i])
            if len(kept) < len(works[i].parts):
                yield Work(
                    works[i].number, tuple(part for part in works[i].parts if part not in kept)
                )


def _works(is_missing: np.ndarray) -> list[Work]:
    """The parts that are missing of each clip, (n_clips, n_parts), as work."""
    return [
        Work(int(number), tuple(np.flatnonzero(is_missing[number]).tolist()))
        for number in np.flatnonzero(is_missing.any(axis=1))
    ]


def _most_frames(clips: Clips, recipe: FeatureRecipe) -> int:
    if recipe.statistics is not None or clips.max_samples is None:
        return 1
    # What is set aside is not used yet, but no system promises any amount.
    return 1 + min(clips.max_samples, _SECONDS_SET_ASIDE * clips.sr) // recipe.hop_length


def _cached_parts(clips: Clips) -> list[Part]:
    """The clean view, which prediction needs without the others, and the others; or all."""
    if clips.clean is None:
        return [Part(clips, slice(None))]
    return [Part(clips.clean, slice(0, 1)), Part(clips, slice(1, None))]
