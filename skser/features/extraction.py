"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import os
import uuid
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from .._decoders import describe
from .._files import written_whole
from .._progress import progress
from .._recordings import Recording
from .._version import __version__ as skser_version
from ..clips import Clips, stack_padded, without_padding
from ..exceptions import AudioWarning, DataError, naming
from .base import FeatureBlock
from .spectra import Spectra
from .statistics import summarize

_CLIPS_AT_ONCE = 16
_THIS_PROCESS = uuid.uuid4().hex  # a process of another machine may have the same number


@dataclass(frozen=True)
class FeatureRecipe:
    """All that the features of a waveform depend on."""

    blocks: tuple[tuple[str, FeatureBlock], ...]
    n_fft: int
    hop_length: int
    statistics: tuple[str, ...] | None

    def __call__(self, waveform: np.ndarray, sr: int) -> np.ndarray:
        """Vector (n_features,), or sequence (n_frames, n_features) without statistics."""
        spectra = Spectra(waveform, sr, self.n_fft, self.hop_length)
        frames = np.concatenate([_compute(name, block, spectra) for name, block in self.blocks])
        if self.statistics is not None:
            return summarize(frames, self.statistics)
        return np.nan_to_num(frames.T, nan=0.0)

    def of_views(self, views: np.ndarray, sr: int) -> np.ndarray:
        """Features of every view of a clip, (n_views, ...)."""
        features = [self(without_padding(view), sr) for view in views]
        return np.stack(features) if self.statistics is not None else stack_padded(features)


def _compute(name: str, block: FeatureBlock, spectra: Spectra) -> np.ndarray:
    with naming(f"block {name!r}"):
        features = block.compute(spectra)
        wanted = (len(block.bin_names()), spectra.n_frames)
        if features.shape != wanted:
            raise DataError(
                f"must compute an array of shape {wanted} (bin names, frames), got {features.shape}"
            )
        return features


@dataclass(frozen=True)
class FeatureCache:
    """Features of clips as files in a folder, named by all that they depend on."""

    folder: Path

    def path(self, clips: Clips, index: int, recipe: FeatureRecipe) -> Path:
        """The file of a clip, whether it is there or not."""
        stages = [identify(stage) for stage in (clips.read, *clips.stages)]
        blocks = [(name, identify(block)) for name, block in recipe.blocks]
        settings = (recipe.n_fft, recipe.hop_length, recipe.statistics, clips.sr)
        key = joblib.hash((clips.sources[index], stages, blocks, settings, _versions()))
        return self.folder / key[:2] / f"{key}.npy"

    def load(self, path: Path) -> np.ndarray | None:
        """Features from a file, or None if it is not there or not whole."""
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None

    def save(self, path: Path, features: np.ndarray) -> None:
        """Keep the features of a clip."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            np.save(temporary, features, allow_pickle=False)


def identify(part: Any) -> tuple:
    """What a block or stage does, as plain data: its name, its code and its parameters.

    It is not pickled, because a class of a notebook has no place to be found in a worker.
    """
    if hasattr(part, "__code__"):
        return (part.__qualname__, _code(part))
    kind = type(part)
    params = part.get_params() if hasattr(part, "get_params") else dict(vars(part))
    code = [(name, _code(f)) for name, f in sorted(vars(kind).items()) if hasattr(f, "__code__")]
    return (kind.__qualname__, params, code)


def _code(function: Any) -> tuple:
    code = function.__code__
    constants = [repr(c) for c in code.co_consts if not hasattr(c, "co_code")]
    return (code.co_code, code.co_names, constants)


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    packages = ("librosa", "numpy", "scipy", "soundfile", "soxr")
    return [skser_version, *(version(package) for package in packages)]


class _Extracted(NamedTuple):
    features: np.ndarray
    path: Path | None  # where to keep them, if they are new
    complaint: str | None  # what was wrong with a recording that became silence


def extract(
    clips: Clips,
    recipe: FeatureRecipe,
    *,
    n_jobs: int | None = None,
    cache: FeatureCache | None = None,
    verbose: int = 0,
) -> np.ndarray:
    """Features of all clips, (n_clips, n_views, ...); sequences are padded with NaN."""
    if len(clips) == 0:
        raise DataError("X must hold at least one clip, got none")
    complaints: list[str] = []
    extracted = _extract_in_parallel(clips, recipe, n_jobs, cache)
    with closing(extracted), _one_blas_thread():
        features = _collect(_keep(extracted, cache, complaints, len(clips), verbose), len(clips))
    if complaints:
        lines = "\n".join(f"  {complaint}" for complaint in complaints)
        warnings.warn(
            f"silence in place of {len(complaints)} recordings that could not be decoded:\n{lines}",
            AudioWarning,
            stacklevel=3,
        )
    return features


def _extract_in_parallel(
    clips: Clips, recipe: FeatureRecipe, n_jobs: int | None, cache: FeatureCache | None
) -> Generator[_Extracted]:
    starts = range(0, len(clips), _CLIPS_AT_ONCE)
    chunks = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_extract_chunk)(
            clips[start : start + _CLIPS_AT_ONCE], recipe, cache, start, _THIS_PROCESS
        )
        for start in starts
    )
    try:
        for chunk in chunks:
            yield from chunk
    finally:
        # Workers would go on for as long as a traceback holds the generator.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib's, that results are not used
            chunks.close()


def _one_blas_thread() -> Any:
    # Matrix products round differently with the number of threads, which n_jobs would change.
    return threadpool_limits(1, user_api="blas")


def _extract_chunk(
    clips: Clips, recipe: FeatureRecipe, cache: FeatureCache | None, start: int, caller: str
) -> list[_Extracted]:
    """Extract a few clips, whose numbers begin at ``start``."""
    # In the caller's own process, its threads included, the limit is set already.
    with nullcontext() if caller == _THIS_PROCESS else _one_blas_thread():
        extracted = []
        for i, source in enumerate(clips.sources):
            with naming(_name(source, start + i)):
                extracted.append(_extract_clip(clips, i, recipe, cache))
        return extracted


def _extract_clip(
    clips: Clips, index: int, recipe: FeatureRecipe, cache: FeatureCache | None
) -> _Extracted:
    path = None if cache is None else cache.path(clips, index, recipe)
    if cache is not None and path is not None:
        kept = cache.load(path)
        if kept is not None:
            return _Extracted(kept, None, None)
    views, error = clips.read_views(index)
    features = recipe.of_views(views, clips.sr)
    return _Extracted(features, path, None if error is None else str(error))


def _name(source: Any, index: int) -> str:
    """Name of a clip in messages."""
    if isinstance(source, Recording):
        source = source.path if source.content is None else source.content
    is_recording = isinstance(source, (str, os.PathLike, bytes))
    return describe(source) if is_recording else f"clip {index}"


def _keep(
    extracted: Iterable[_Extracted],
    cache: FeatureCache | None,
    complaints: list[str],
    n_clips: int,
    verbose: int,
) -> Iterator[np.ndarray]:
    """Pass features on, and save the new ones.

    Saved here and not in workers, which may be killed in the middle of a file.
    """
    with progress(total=n_clips, desc="features", unit="clip", disable=not verbose) as bar:
        for features, path, complaint in extracted:
            if complaint is not None:  # silence is not kept, so that a later run complains again
                complaints.append(complaint)
            elif cache is not None and path is not None:
                cache.save(path, features)
            yield features
            bar.update()


def _collect(per_clip: Iterator[np.ndarray], n_clips: int) -> np.ndarray:
    """Put the features of the clips into one array, (n_clips, n_views, ...).

    An array for sequences is as long as the longest, which is known only at the end; what has
    been copied into it is let go at once, so that features are never held twice.
    """
    waiting = deque(per_clip)
    shape = np.max([features.shape for features in waiting], axis=0)
    collected = np.empty((n_clips, *shape), dtype=waiting[0].dtype)
    for row in collected:
        features = waiting.popleft()
        n_frames = features.shape[1]
        row[:, :n_frames] = features
        row[:, n_frames:] = np.nan
    return collected
