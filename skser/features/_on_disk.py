"""FeaturesOnDisk: features that stay in a cache, and are read when they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from .._utils._functional import standardize
from .._utils._memory import insufficient_memory
from ..exceptions import DataError

if TYPE_CHECKING:
    from .extraction._cache import FeatureCache


@dataclass(eq=False)
class Entries:
    """Some views of every clip, each with an entry in the cache."""

    views: range
    keys: Sequence[str]
    n_frames: np.ndarray  # of each clip, of its longest view; 1 for vectors
    in_memory: dict[int, np.ndarray] = field(default_factory=dict)  # not in the cache, by clip


class _Standardization(NamedTuple):
    """Mean and scale of groups of clips, (n_groups, n_views or 1, n_features), when read."""

    mean: np.ndarray
    scale: np.ndarray
    groups: np.ndarray  # of each clip

    def of(self, clip: int, views: slice) -> tuple[np.ndarray, np.ndarray]:
        """Mean and scale of views of a clip, (n_views or 1, n_features)."""
        rows = slice(None) if self.mean.shape[1] == 1 else views
        return self.mean[self.groups[clip], rows], self.scale[self.groups[clip], rows]


@dataclass(eq=False, repr=False)
class FeaturesOnDisk:
    """Features of clips in a cache, as an array that is read in parts.

    Like the array that an extractor returns otherwise, it is of shape
    (n_clips, n_views, [n_frames,] n_features), without ``has_views`` there is no axis for the
    single view, and sequences are padded with NaN. An index of clips selects them and reads
    nothing. `numpy.asarray`, and further indices, read.
    """

    cache: FeatureCache
    entries: list[Entries]
    names: Sequence[str]  # of the clips, in messages
    n_features: int
    max_frames: int | None  # None for vectors
    has_views: bool
    clips: np.ndarray  # selected ones
    steps: tuple[_Standardization, ...] = ()

    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        views = (self.entries[-1].views.stop,) if self.has_views else ()
        frames = () if self.max_frames is None else (self.max_frames,)
        return (len(self.clips), *views, *frames, self.n_features)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of the array in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.clips)

    def __repr__(self) -> str:
        return f"<features of {len(self)} clips in {self.cache.memory!r}, shape {self.shape}>"

    def __iter__(self) -> Iterator[np.ndarray]:
        return (np.asarray(self[clip]) for clip in range(len(self)))

    def __getitem__(self, index: Any) -> FeaturesOnDisk | np.ndarray:
        clips, *rest = index if isinstance(index, tuple) else (index,)
        if clips is Ellipsis or clips is None:
            return np.asarray(self)[index]
        if rest and rest[0] is Ellipsis:  # scikit-learn selects rows by [rows, ...]
            rest = []
        is_one = isinstance(clips, (int, np.integer))
        within = tuple(rest[1:])
        if self.has_views and rest and isinstance(rest[0], (int, np.integer, np.ndarray)):
            if is_one:
                frames: Any = within[0] if within and self.max_frames is not None else None
                is_start = isinstance(frames, slice) and frames == slice(frames.stop)
                stop = frames.stop if is_start else None  # later frames need not be read
                return self._view(int(clips), int(rest[0]), stop)[within]
            pairs = zip(*np.broadcast_arrays(np.arange(len(self))[clips], rest[0]), strict=True)
            views = np.stack([self._view(int(clip), int(view)) for clip, view in pairs])
            within = (slice(None), *within)
            return views[within]
        if is_one:
            return np.asarray(self[[clips]])[0][tuple(rest)]
        steps = tuple(step._replace(groups=step.groups[clips]) for step in self.steps)
        selected = replace(self, clips=self.clips[clips], steps=steps)
        within = (slice(None), *rest)
        return np.asarray(selected)[within] if rest else selected

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        available = insufficient_memory(self.nbytes)
        if available is not None:
            raise DataError(
                f"features of {len(self)} clips need {self.nbytes / 1e9:.3g} GB to be read at once,"
                f" and {available / 1e9:.3g} GB of memory are available: use fewer clips, views or "
                "features, or CNNEmotionClassifier, which reads them batch by batch"
            )
        array = np.empty((len(self), *self.by_view().shape[1:]), np.float32)
        for clip, features in enumerate(array):
            self._read_clip(clip, features)
        array = array if self.has_views else array[:, 0]
        return array if dtype is None else array.astype(dtype, copy=False)

    def by_view(self) -> FeaturesOnDisk:
        """The same with an axis for views."""
        return replace(self, has_views=True)

    def standardized(
        self, mean: np.ndarray, scale: np.ndarray, groups: np.ndarray | None = None
    ) -> FeaturesOnDisk:
        """The same standardised by the mean and scale of groups of clips, when it is read.

        ``mean`` and ``scale`` are of shape (n_groups, n_views or 1, n_features).
        """
        groups = np.zeros(len(self), int) if groups is None else groups
        step = _Standardization(mean.astype(self.dtype), scale.astype(self.dtype), groups)
        return replace(self, steps=(*self.steps, step))

    def _read_clip(self, clip: int, out: np.ndarray) -> None:
        """Read all views of a clip into an array (n_views, [n_frames,] n_features)."""
        number = int(self.clips[clip])
        for part in self.entries:
            n_frames = int(part.n_frames[number])
            shape = (len(part.views), n_frames, self.n_features)
            features = self._read(part, number, 0, shape)
            views = slice(part.views.start, part.views.stop)
            for step in self.steps:
                mean, scale = step.of(clip, views)
                features = standardize(features, mean[:, np.newaxis], scale[:, np.newaxis])
            target = out[views].reshape(len(part.views), -1, self.n_features)
            target[:, :n_frames] = features
            target[:, n_frames:] = np.nan

    def _view(self, clip: int, view: int, stop: int | None = None) -> np.ndarray:
        """One view of a clip, ([n_frames,] n_features), up to a frame."""
        number = int(self.clips[clip])
        view = range(self.entries[-1].views.stop)[view]  # which may be negative
        part = next(part for part in self.entries if view in part.views)
        length, wanted = int(part.n_frames[number]), self.max_frames or 1
        wanted = wanted if stop is None or stop < 0 else min(stop, wanted)
        n_frames = min(wanted, length)
        first = part.views.index(view) * length
        features = self._read(part, number, first, (n_frames, self.n_features))
        for step in self.steps:
            features = standardize(features, *step.of(clip, slice(view, view + 1)))
        if self.max_frames is None:
            return features[0]
        if n_frames < wanted:
            features = np.pad(features, ((0, wanted - n_frames), (0, 0)), constant_values=np.nan)
        return features

    def _read(self, part: Entries, clip: int, first: int, shape: tuple[int, ...]) -> np.ndarray:
        """Features of an entry from a frame on."""
        n_frames = int(np.prod(shape[:-1]))
        if clip in part.in_memory:
            frames = part.in_memory[clip].reshape(-1, self.n_features)
            return frames[first : first + n_frames].reshape(shape)
        features = np.empty(shape, self.dtype)
        try:
            self.cache.read_into(part.keys[clip], features, first * self.n_features)
        except OSError as error:
            raise DataError(
                f"{self.names[clip]}: its features can no longer be read from "
                f"memory={self.cache.memory!r} ({error.strerror or error}); fit again"
            ) from error
        return features
