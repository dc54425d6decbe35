"""ClipsExtractor: base of the steps from clips to features, with their cache and parallelism."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, ClassVar

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ..._utils._memory import insufficient_memory
from ..._utils._param_validation import N_JOBS, VERBOSE, Allowed, check_is_fitted
from ..._utils._set_output import FeaturesTransformer
from ...audio import Clips
from ...audio._clips import as_clips
from ...exceptions import DataError, ParameterError
from .._augmented_features import AugmentedFeatures
from .._on_disk import FeaturesOnDisk
from ._cache import CacheInfo, FeatureCache
from ._extract import expected_size, extract
from ._plan import Plan

_MEMORY = Allowed(
    "a folder, a joblib.Memory or None",
    lambda value: value is None or isinstance(value, (str, os.PathLike, joblib.Memory)),
)


class ClipsExtractor(FeaturesTransformer, BaseEstimator):
    """Base of extractors, which define `_plan`, and have ``n_jobs``, ``memory`` and ``verbose``."""

    _allowed: ClassVar[dict[str, list[Allowed]]] = {
        "n_jobs": [N_JOBS],
        "memory": [_MEMORY],
        "verbose": [VERBOSE],
    }

    def _plan(self) -> Plan:
        raise NotImplementedError

    def _remember(self, clips: Clips) -> None:
        """Set the fitted attributes."""
        self.sr_ = clips.sr
        self._counts = {"hits": 0, "misses": 0}

    def transform(self, X: Clips | ArrayLike) -> np.ndarray | AugmentedFeatures | FeaturesOnDisk:
        """Extract features.

        Parameters
        ----------
        X : Clips, array of shape (n_clips, n_samples) or list of 1-D arrays
            Clips, or waveforms at ``sr``.

        Returns
        -------
        features : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features in float32; AugmentedFeatures if the clips have several views. Features that
            stay in ``memory`` are an array-like, which `numpy.asarray` reads.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        DataError
            There are no clips, or their sampling rate differs from `fit`.
        AudioError
            A recording cannot be decoded.
        ExtractionError
            A feature or stage failed; the message names it and the recording.
        ParameterError
            ``memory`` cannot be written to, or is None and the features do not fit into memory.
        """
        check_is_fitted(self, "sr_")
        clips = as_clips(X, self, reset=False)
        if clips.sr != self.sr_:
            raise DataError(f"clips must be at sr={self.sr_} Hz as in fit, got {clips.sr} Hz")
        plan, cache = self._plan(), self._cache()
        features, n_hits = extract(
            clips,
            plan,
            n_jobs=self.n_jobs,
            cache=cache,
            on_disk=self._leaves_on_disk(clips, plan),
            verbose=self.verbose,
        )
        if self.memory is not None:
            self._counts["hits"] += n_hits
            self._counts["misses"] += len(clips) - n_hits
        if clips.n_views > 1:
            return AugmentedFeatures(features)
        if isinstance(features, FeaturesOnDisk):
            return replace(features, has_views=False)
        return features[:, 0]

    def _leaves_on_disk(self, clips: Clips, plan: Plan) -> bool:
        """Whether features stay in ``memory``; ParameterError if they need it and it is None."""
        if self._cache() is not None and getattr(self.memory, "mmap_mode", None):
            return True
        n_bytes = expected_size(clips, plan)
        available = insufficient_memory(n_bytes, n_copies=2)  # scaled features are a copy
        if available is None:
            return False
        if self._cache() is None:
            raise ParameterError(
                f"memory must be a folder to leave the features of {len(clips)} clips in, which "
                f"need up to {n_bytes / 1e9:.3g} GB and the same once more for scaled ones, got "
                f"None; {available / 1e9:.3g} GB of memory are available"
            )
        return True

    def cache_info(self) -> CacheInfo:
        """Count the use of ``memory`` by this extractor, and the entries in its folder.

        Returns
        -------
        info : CacheInfo
            Counts since `fit`, and the size of the folder; all 0 without ``memory``.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        """
        check_is_fitted(self, "sr_")
        cache = self._cache()
        size = {"n_entries": 0, "n_bytes": 0} if cache is None else cache.size()
        return CacheInfo(**self._counts, **size)

    def _cache(self) -> FeatureCache | None:
        memory = self.memory.location if isinstance(self.memory, joblib.Memory) else self.memory
        return None if memory is None else FeatureCache(memory)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
