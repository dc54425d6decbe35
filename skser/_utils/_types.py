"""Types of the parameters that many functions share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ._segment import Segment

# One recording: a path, the bytes of a file, an open file, a waveform, a pair of waveform and rate
# in either order, a row of a Hugging Face dataset, or a part of a file.
Recording = (
    str
    | os.PathLike[str]
    | bytes
    | BinaryIO
    | np.ndarray
    | tuple[ArrayLike, float]
    | tuple[float, ArrayLike]
    | Mapping[str, Any]
    | Segment
)
Recordings = Sequence[Recording] | np.ndarray

PathLike = str | os.PathLike[str]
RandomState = int | np.random.RandomState | None


class EmotionPipeline(Protocol):
    """A scikit-learn classifier of recordings."""

    @property
    def classes_(self) -> np.ndarray: ...

    def fit(self, X: Recordings, y: ArrayLike, **params: object) -> object: ...

    def predict(self, X: Recordings, **params: object) -> np.ndarray: ...


class Splitter(Protocol):
    """A cross-validation splitter, as in scikit-learn."""

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterable[tuple[np.ndarray, np.ndarray]]: ...


# A parameter `cv`, as in scikit-learn.
CV = int | Splitter | Iterable[tuple[ArrayLike, ArrayLike]] | None
