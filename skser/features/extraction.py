"""Extraction: the features of clips, in parallel and through a cache, in bounded memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from .._progress import progress
from ..clips import Clips, stack_padded, without_padding
from ..exceptions import AudioWarning, DataError
from .base import FeatureBlock
from .spectra import Spectra
from .statistics import summarize

_CLIPS_AT_ONCE = 16


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
        frames = np.concatenate([block.compute(spectra) for _, block in self.blocks])
        if self.statistics is not None:
            return summarize(frames, self.statistics)
        return np.nan_to_num(frames.T, nan=0.0)

    def of_views(self, views: np.ndarray, sr: int) -> np.ndarray:
        """Features of every view of a clip, (n_views, ...)."""
        features = [self(without_padding(view), sr) for view in views]
        return np.stack(features) if self.statistics is not None else stack_padded(features)


@dataclass(frozen=True)
class FeatureCache:
    """Features of clips as files in a folder, named by all that they depend on."""

    folder: Path

    def features(self, clips: Clips, index: int, recipe: FeatureRecipe) -> np.ndarray:
        """Features of a clip, from the folder if they are there and whole."""
        key = joblib.hash((clips.sources[index], clips.read, clips.stages, clips.sr, recipe))
        path = self.folder / key[:2] / f"{key}.npy"
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            pass  # not there yet, or cut short by a killed process
        features = recipe.of_views(clips[index], clips.sr)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with open(temporary, "wb") as file:
            np.save(file, features, allow_pickle=False)
        os.replace(temporary, path)
        return features


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
    starts = range(0, len(clips), _CLIPS_AT_ONCE)
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    chunks = parallel(
        delayed(_extract_chunk)(clips[start : start + _CLIPS_AT_ONCE], recipe, cache)
        for start in starts
    )
    complaints: list[str] = []
    features = _collect(_unpack(chunks, complaints, len(clips), verbose), len(clips))
    if complaints:
        lines = "\n".join(f"  {complaint}" for complaint in complaints)
        warnings.warn(
            f"silence in place of {len(complaints)} recordings that could not be decoded:\n{lines}",
            AudioWarning,
            stacklevel=3,
        )
    return features


def _extract_chunk(
    clips: Clips, recipe: FeatureRecipe, cache: FeatureCache | None
) -> tuple[list[np.ndarray], list[str]]:
    """Features of a few clips, and what was wrong with those that became silence."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        if cache is None:
            features = [recipe.of_views(views, clips.sr) for views in clips]
        else:
            features = [cache.features(clips, i, recipe) for i in range(len(clips))]
    complaints = []
    for warning in caught:
        if issubclass(warning.category, AudioWarning):
            complaints.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return features, complaints


def _unpack(
    chunks: Iterable[tuple[list[np.ndarray], list[str]]],
    complaints: list[str],
    n_clips: int,
    verbose: int,
) -> Iterator[np.ndarray]:
    with progress(total=n_clips, desc="features", unit="clip", disable=not verbose) as bar:
        for features, said in chunks:
            complaints += said
            yield from features
            bar.update(len(features))


def _collect(per_clip: Iterator[np.ndarray], n_clips: int) -> np.ndarray:
    """Put the features of the clips into one array, without holding them twice.

    The array is made for the first clip's number of frames and grows when a longer one comes.
    """
    first = next(per_clip)
    collected = np.full((n_clips, *first.shape), np.nan, dtype=first.dtype)
    collected[0] = first
    for i, features in enumerate(per_clip, start=1):
        if features.shape == collected.shape[1:]:
            collected[i] = features
            continue
        missing = features.shape[1] - collected.shape[2]
        if missing > 0:
            widths = [(0, 0)] * collected.ndim
            widths[2] = (0, missing)
            collected = np.pad(collected, widths, constant_values=np.nan)
        collected[i, :, : features.shape[1]] = features
    return collected
