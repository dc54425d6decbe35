"""Extraction by joblib's workers, a chunk of clips at a time; sources travel, not audio."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any, NamedTuple

import joblib
import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ...audio import Clips
from ...audio._clips import read_views
from ...audio._info import describe
from ...audio._recordings import Recording
from ...exceptions import naming
from ._blas import one_blas_thread
from ._plan import FeatureRecipe

_CLIPS_AT_ONCE = 16


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
    complaint: str | None  # what was wrong with a recording that became silence


def extract_in_parallel(
    parts: list[Part], works: Iterable[Work], recipe: FeatureRecipe, n_jobs: int | None
) -> Generator[Extracted]:
    """Extract some of the clips: one by one, or a chunk at a time for each process.

    Work is drawn when a process is about to be free, and not all at once.
    """
    with one_blas_thread:
        if joblib.effective_n_jobs(n_jobs) == 1:
            for work in works:
                yield _extract_clip(parts, work.number, work, recipe)
            return
        remaining = iter(works)
        chunks = iter(lambda: list(islice(remaining, _CLIPS_AT_ONCE)), [])
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
        views, error = read_views(clips, position)
        features = [recipe.of_views(views[parts[part].views], clips.sr) for part in work.parts]
        return Extracted(work, features, None if error is None else str(error))


def _name(source: Any, index: int) -> str:
    """Name of a clip in messages."""
    if isinstance(source, Recording):
        source = source.path if source.content is None else source.content
    is_recording = isinstance(source, (str, os.PathLike, bytes))
    return describe(source) if is_recording else f"clip {index}"
