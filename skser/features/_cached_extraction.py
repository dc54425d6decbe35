"""Extraction into a cache that other processes may be filling at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

import numpy as np
from joblib.parallel import get_active_backend

from ._parallel import Extracted, Part, Work, extract_in_parallel
from .cache import FeatureCache
from .recipe import FeatureRecipe

_PATIENCE = 0.05  # seconds between looks at what another process is at work on


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

    def load(self, work: Work) -> list[np.ndarray | None]:
        """Features of each part that is asked for, None where there are none."""
        return [self.cache.load(key) for key in self._keys(work)]

    def claim(self, work: Work) -> bool:
        """Whether nobody else has any of it in hand, in which case it is claimed."""
        keys = self._keys(work)
        for i, key in enumerate(keys):
            if not self.cache.claim(key):  # which may be this process, for the same clip
                self._release(keys[:i])
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
        self._release(self._keys(work))

    def release_all(self) -> None:
        """Give up all claims."""
        self._release(list(self.claimed))

    def _release(self, keys: list[str]) -> None:
        for key in keys:
            self.cache.release(key)
            self.claimed.discard(key)

    def _keys(self, work: Work) -> list[str]:
        return [self.keys[part][work.number] for part in work.parts]


def extract_into(
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
            elif all(found is None for found in entries.load(work)):
                yield work
            else:
                entries.release(work)
                others.append(work)

    if missing:
        entries.cache.check_writable()
    try:
        while missing:
            with closing(extract_in_parallel(parts, claim(missing), recipe, n_jobs)) as extracted:
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
                found = dict(zip(work.parts, entries.load(work), strict=True))
                kept = {part: features for part, features in found.items() if features is not None}
                if kept:
                    done = Work(work.number, tuple(kept))
                    yield Extracted(done, list(kept.values()), is_new=False)
                if len(kept) < len(found):
                    rest = tuple(part for part in found if part not in kept)
                    missing.append(Work(work.number, rest))
            others.clear()
    finally:
        entries.release_all()


def _wait_while(condition: Callable[[], bool]) -> None:
    # On a cluster, what is waited for may need the worker that this runs on.
    with get_active_backend()[0].retrieval_context():
        while condition():
            time.sleep(_PATIENCE)
