"""Augmenter: augmented views of every training clip."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state

from .._utils._param_validation import (
    BOOLEAN,
    NONE,
    RANDOM_STATE,
    check_is_fitted,
    check_parameters,
    integer,
    number_range,
    one_of,
)
from .._utils._set_output import ClipsTransformer
from .._utils._types import RandomState
from ..audio import Clips
from ..audio._clips import as_clips, stack_padded, without_padding
from ..audio._waveforms import fix_length
from ._transforms import TRANSFORMS, WARPS, warp

__all__ = ["Augmenter"]

Range = tuple[float, float]


@dataclass(frozen=True)
class AddViews:
    """The stage of an Augmenter: a clean view, then augmented ones.

    Random numbers depend on the seed, the clip's samples and the number of the view, so a clip gets
    the same views in every fold, order and process.
    """

    n_views: int
    seed: int
    ranges: tuple[tuple[str, Range], ...]
    n_samples: int | None
    max_samples: int | None
    spacing: str = "random"
    clean_first: ClassVar[bool] = True  # see Clips

    def __call__(self, views: np.ndarray, sr: int) -> np.ndarray:
        clean = without_padding(views[0])
        key = zlib.crc32(clean.tobytes())
        augmented = [self._augment(clean, sr, key, i) for i in range(1, self.n_views)]
        return stack_padded([clean, *augmented])

    def _augment(self, waveform: np.ndarray, sr: int, key: int, view: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, key, view])
        ranges = dict(self.ranges)
        if self.spacing == "even":
            share = (view - 1) / max(1, self.n_views - 2)
            values = {name: low + share * (high - low) for name, (low, high) in ranges.items()}
            ranges = {name: (value, value) for name, value in values.items()}
        rates = {name: rng.uniform(*ranges.pop(name)) for name in WARPS if name in ranges}
        waveform = warp(waveform, sr, **rates)
        for name, (low, high) in ranges.items():
            waveform = TRANSFORMS[name](waveform, sr, rng, low, high)
        if self.n_samples is not None:
            return fix_length(waveform, self.n_samples)
        return waveform[: self.max_samples]


class Augmenter(ClipsTransformer, BaseEstimator):
    """Add augmented views of every clip, in training only.

    `fit_transform`, which a Pipeline calls in `fit`, gives every clip ``n_views`` views: the clean
    clip, and copies that pass through all transforms. `transform`, which a Pipeline calls in
    `predict`, returns clips unchanged. Views of a clip never get into both train and test.

    Parameters
    ----------
    n_views : int, default=4
        Views of a clip, including the clean one; 1 switches augmentation off.
    noise : (float, float) or None, default=(15, 30)
        Signal-to-noise ratio of white noise in dB.
    pitch : (float, float) or None, default=(-2, 2)
        Change of pitch in semitones; the tempo stays.
    stretch : (float, float) or None, default=(0.9, 1.1)
        Rate of the tempo; above 1 is faster, the pitch stays.
    speed : (float, float) or None, default=None
        Rate of tempo, pitch and formants together, by resampling.
    shift : (float, float) or None, default=(-0.2, 0.2)
        Delay in seconds; zeros fill the gap.
    spacing : {"random", "even"}, default="random"
        How views take values from the ranges: each at random, or evenly from the lowest to the
        highest, the same for all clips; a single augmented view takes the lowest.
    test_time : bool, default=False
        Add views in `transform` too, for the classifier to average over.
    random_state : int, RandomState instance or None, default=None
        Seed of the views. An int gives the same views in every fit.
    sr : int, default=16000
        Sampling rate in Hz of waveforms given as arrays; clips carry their own.

    Attributes
    ----------
    seed_ : int
        Seed drawn from ``random_state``.

    See Also
    --------
    skser.AugmentedClassifier : Train any classifier on views.

    Notes
    -----
    A range is (low, high), from which each view takes a value. None skips the transform.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import Augmenter
    >>> waveforms = np.random.default_rng(0).normal(size=(5, 8000))
    >>> augmenter = Augmenter(n_views=3, random_state=0)
    >>> augmenter.fit_transform(waveforms)
    <5 clips of 8000 samples at 16000 Hz, 3 views each>
    >>> augmenter.transform(waveforms)
    <5 clips of 8000 samples at 16000 Hz>
    """

    _allowed = {
        "n_views": [integer(1, 1000)],
        "noise": [number_range(-100, 200), NONE],
        "pitch": [number_range(-24, 24), NONE],
        "stretch": [number_range(0.25, 4), NONE],
        "speed": [number_range(0.25, 4), NONE],
        "shift": [number_range(-60, 60), NONE],
        "spacing": [one_of("random", "even")],
        "test_time": [BOOLEAN],
        "random_state": [RANDOM_STATE],
        "sr": [integer(4000, 192_000)],
    }

    def __init__(
        self,
        *,
        n_views: int = 4,
        noise: Range | None = (15, 30),
        pitch: Range | None = (-2, 2),
        stretch: Range | None = (0.9, 1.1),
        speed: Range | None = None,
        shift: Range | None = (-0.2, 0.2),
        spacing: Literal["random", "even"] = "random",
        test_time: bool = False,
        random_state: RandomState = None,
        sr: int = 16000,
    ) -> None:
        self.n_views = n_views
        self.noise = noise
        self.pitch = pitch
        self.stretch = stretch
        self.speed = speed
        self.shift = shift
        self.spacing = spacing
        self.test_time = test_time
        self.random_state = random_state
        self.sr = sr

    def fit(self, X: Clips | ArrayLike, y: object = None) -> Augmenter:
        """Draw the seed of the views.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, n_samples)
            Clips, or waveforms at ``sr``.
        y : object
            Ignored.

        Returns
        -------
        self : Augmenter
            The fitted step.

        Raises
        ------
        DataError
            ``X`` is neither clips nor waveforms.
        ParameterError
            A parameter has a value that is not allowed.
        """
        check_parameters(self)
        as_clips(X, self, reset=True)
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        return self

    def fit_transform(self, X: Clips | ArrayLike, y: object = None) -> Clips:
        """Draw the seed and add views to every clip.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, n_samples)
            Clips, or waveforms at ``sr``.
        y : object
            Ignored.

        Returns
        -------
        clips : Clips
            Clips with ``n_views`` views each.

        Raises
        ------
        DataError, ParameterError
            As in :meth:`fit`.
        """
        self.fit(X, y)
        return self._add_views(as_clips(X, self, reset=False))

    def transform(self, X: Clips | ArrayLike) -> Clips:
        """Return clips unchanged, or with views if ``test_time=True``.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, n_samples)
            Clips, or waveforms at ``sr``.

        Returns
        -------
        clips : Clips
            Clips with one view, or ``n_views`` views if ``test_time=True``.

        Raises
        ------
        DataError
            ``X`` is neither clips nor waveforms of the length in fit.
        NotFittedError
            The step is not fitted.
        """
        check_is_fitted(self, "seed_")
        clips = as_clips(X, self, reset=False)
        return self._add_views(clips) if self.test_time else clips

    def _add_views(self, clips: Clips) -> Clips:
        if self.n_views == 1:
            return clips
        ranges = {name: getattr(self, name) for name in TRANSFORMS}
        used = tuple((name, tuple(r)) for name, r in ranges.items() if r is not None)
        limits = clips.n_samples, clips.max_samples
        # Without random numbers, the views of all seeds share a cache.
        seed = 0 if self.spacing == "even" and self.noise is None else self.seed_
        stage = AddViews(self.n_views, seed, used, *limits, self.spacing)
        return clips.map(stage)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # clips are always float32
        tags.non_deterministic = self.random_state is None
        return tags
