"""Clips: a lazy sequence of waveforms, so that no stage ever holds all the audio."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._utils._segment import Segment
from ..exceptions import AudioError, AudioWarning, ConversionError, DataError, naming
from ._channels import mixed_waveform
from ._sampled import MAX_CHANNELS, as_array, channels_last, has_rate, warn_of_integers

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["Clips"]

Index: TypeAlias = slice | Sequence[Any] | np.ndarray
Stage: TypeAlias = Callable[[np.ndarray, int], np.ndarray]


def identity(waveform: np.ndarray) -> np.ndarray:
    """``read`` for clips whose sources are waveforms."""
    return waveform


@dataclass(eq=False, repr=False)
class Clips(Sequence):
    """A lazy sequence of clips: indexing reads and processes a clip.

    Parameters
    ----------
    sources : sequence
        Recording or waveform of each clip.
    read : callable
        ``read(source) -> waveform`` of shape (n_samples,), float32; must be picklable.
    sr : int
        Sampling rate of the waveforms in Hz.
    n_samples : int or None, default=None
        Samples of every clip; None if clips differ in length.
    max_samples : int or None, default=None
        Samples of the longest clip that ``read`` may return; None if there is no limit.
    stages : tuple of callable, default=()
        Each is ``stage(views, sr) -> views``, arrays of shape (n_views, n_samples) with NaN at the
        end of shorter views. A stage with several views has their number as ``n_views``, and
        ``clean_first=True`` if the first is its input.
    silence : ndarray of shape (n_samples,) or None, default=None
        Waveform in place of a recording that cannot be decoded; None raises instead.

    Notes
    -----
    An integer index gives an array of shape (n_views, n_samples); a slice or a list of indices
    gives Clips. Clips pickle without their audio.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import Clips
    >>> clips = Clips.from_waveforms(np.ones((3, 800), dtype="float32"), sr=16000)
    >>> quieter = clips.map(lambda views, sr: 0.5 * views)
    >>> len(quieter), quieter[0].shape, float(quieter[0].max())
    (3, (1, 800), 0.5)
    """

    sources: Sequence[Any]
    read: Callable[[Any], np.ndarray]
    _: KW_ONLY
    sr: int
    n_samples: int | None = None
    max_samples: int | None = None
    stages: tuple[Stage, ...] = ()
    silence: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.n_samples is not None:
            self.max_samples = self.n_samples

    @classmethod
    def from_waveforms(cls, waveforms: Iterable[ArrayLike], sr: int) -> Clips:
        """Make clips from waveforms.

        Parameters
        ----------
        waveforms : array of shape (n_clips, n_samples) or sequence of arrays
            Waveforms; integers are scaled from their full range to [-1, 1], and up to 8 channels,
            along either axis, are averaged.
        sr : int
            Sampling rate in Hz.

        Returns
        -------
        clips : Clips
            One clip for each waveform.

        Raises
        ------
        DataError
            A waveform is not numeric, has a shape that is not allowed, is empty, or has NaN or
            infinite samples.
        """
        checked = [as_waveform(waveform, i) for i, waveform in enumerate(waveforms)]
        warn_of_integers(checked, "waveforms", stacklevel=2)
        lengths = {len(waveform) for waveform in checked}
        return cls(checked, identity, sr=sr, n_samples=lengths.pop() if len(lengths) == 1 else None)

    def map(self, stage: Stage) -> Clips:
        """Add a stage of processing that runs when a clip is read.

        Parameters
        ----------
        stage : callable
            ``stage(views, sr) -> views``, as in ``stages``.

        Returns
        -------
        clips : Clips
            The clips with the stage added.
        """
        return replace(self, stages=(*self.stages, stage))

    @property
    def n_views(self) -> int:
        """Number of views of every clip."""
        for stage in reversed(self.stages):
            if hasattr(stage, "n_views"):
                return stage.n_views
        return 1

    @property
    def clean(self) -> Clips | None:
        """The clips before the last stage if these are its first views, else None."""
        if not self.stages or not getattr(self.stages[-1], "clean_first", False):
            return None
        return replace(self, stages=self.stages[:-1])

    @property
    def shape(self) -> tuple[int]:
        """Shape for scikit-learn: ``(n_clips,)``."""
        return (len(self),)

    def __len__(self) -> int:
        return len(self.sources)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: Index) -> Clips: ...
    def __getitem__(self, index: int | Index) -> np.ndarray | Clips:
        if isinstance(index, tuple):  # scikit-learn indexes with [indices, ...]
            index = index[0]
        if isinstance(index, (int, np.integer)):
            return self._views(int(index))
        if isinstance(index, slice):
            sources = self.sources[index]
        else:
            index = np.asarray(index) if len(index) else slice(0)
            sources = [self.sources[i] for i in np.arange(len(self))[index].tolist()]
        return replace(self, sources=sources)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._views(i) for i in range(len(self)))

    def _views(self, index: int) -> np.ndarray:
        views, error = read_views(self, index)
        if error is not None:
            warnings.warn(f"silence in place of {error}", AudioWarning, stacklevel=3)
        return views

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if self.n_samples is None or self.n_views > 1:
            raise ConversionError(
                "clips of several lengths or views do not fit in an array; iterate over them, or "
                "pass them to a FeatureUnionExtractor"
            )
        waveforms = np.empty((len(self), self.n_samples), dtype=dtype or np.float32)
        for row, views in zip(waveforms, self, strict=True):
            row[:] = views[0]
        return waveforms

    def __repr__(self) -> str:
        length = "of various lengths" if self.n_samples is None else f"of {self.n_samples} samples"
        views = f", {self.n_views} views each" if self.n_views > 1 else ""
        return f"<{len(self)} clips {length} at {self.sr} Hz{views}>"


def read_views(clips: Clips, index: int) -> tuple[np.ndarray, AudioError | None]:
    """Views of a clip, and the error of its recording if it was replaced by silence."""
    error = None
    try:
        waveform = clips.read(clips.sources[index])
    except AudioError as caught:
        if clips.silence is None:
            raise
        waveform, error = clips.silence, caught
    views = waveform[np.newaxis]
    for stage in clips.stages:
        with naming(stage_name(stage)):
            views = stage(views, clips.sr)
    return views, error


def stage_name(stage: Stage) -> str:
    """Name of a stage in messages."""
    return f"stage {getattr(stage, '__name__', type(stage).__name__)}"


def without_padding(view: np.ndarray) -> np.ndarray:
    """A view without the NaN padding at its end."""
    if not np.isnan(view[-1]):
        return view
    return view[: int(np.isnan(view).argmax())]


def stack_padded(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Stack arrays, padding their first axis with NaN to the longest."""
    longest = max(len(array) for array in arrays)
    stacked = np.full((len(arrays), longest, *arrays[0].shape[1:]), np.nan, arrays[0].dtype)
    for row, array in zip(stacked, arrays, strict=True):
        row[: len(array)] = array
    return stacked


def as_clips(X: Clips | ArrayLike, estimator: BaseEstimator, *, reset: bool) -> Clips:
    """Clips unchanged, or those of waveforms; arrays are validated as by scikit-learn."""
    from scipy.sparse import issparse
    from sklearn.utils.validation import validate_data

    if reset and hasattr(estimator, "n_features_in_"):
        del estimator.n_features_in_  # of an earlier fit
    if isinstance(X, Clips):
        return X
    first = X[0] if isinstance(X, (list, tuple)) and len(X) else None
    if has_rate(first) or (has_rate(X) and not issparse(X)):
        raise DataError("recordings with a sampling rate must go through an AudioLoader first")
    is_ragged = isinstance(X, (list, tuple)) and len({np.shape(item) for item in X}) > 1
    if not is_ragged and not _are_paths(X):
        try:
            X = validate_data(estimator, X, reset=reset)
        except ValueError as error:
            raise DataError(str(error)) from None
    return Clips.from_waveforms(X, estimator.sr)  # type: ignore[arg-type]


def _are_paths(X: ArrayLike) -> bool:
    is_sequence = isinstance(X, (list, tuple)) or getattr(X, "ndim", 0) == 1
    return is_sequence and isinstance(next(iter(X), None), (str, os.PathLike, Segment))  # type: ignore


def as_waveform(waveform: ArrayLike, index: int) -> np.ndarray:
    """A mono waveform as float32, integers scaled to [-1, 1], or DataError."""
    return mixed_waveform(as_channels(waveform, index), "mean", f"waveform {index}")


def as_channels(waveform: ArrayLike, index: int) -> np.ndarray:
    """A waveform of shape (n_samples,) or (n_samples, n_channels), as `as_waveform`."""
    try:
        waveform = as_array(waveform)
    except ValueError:
        raise DataError(f"waveform {index} must be an array, got lists of other lengths") from None
    if waveform.dtype.kind in "OUS":
        raise DataError(
            f"waveform {index} must be an array of numbers, got {waveform!r:.80}; recordings "
            "must go through an AudioLoader first"
        )
    is_numeric = waveform.dtype.kind in "fiub"
    samples = channels_last(waveform) if is_numeric else waveform
    is_stereo = samples.ndim == 2 and samples.shape[1] <= MAX_CHANNELS < samples.shape[0]
    if not (samples.ndim == 1 or is_stereo) or not is_numeric or samples.size == 0:
        raise DataError(
            f"waveform {index} must be an array of numbers, (n_samples,) or up to {MAX_CHANNELS} "
            f"channels, with at least one sample, got shape {waveform.shape} and dtype "
            f"{waveform.dtype}"
        )
    if waveform.dtype.kind in "ui":
        limits = np.iinfo(waveform.dtype)
        full_scale = (limits.max - limits.min + 1) / 2
        return ((samples - (limits.min + full_scale)) / full_scale).astype(np.float32)
    if not np.isfinite(samples).all():
        raise DataError(f"waveform {index} has samples that are NaN or infinite")
    return np.ascontiguousarray(samples, dtype=np.float32)
