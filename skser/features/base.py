"""FeatureBlock: one kind of feature, a row of numbers for every frame."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from .._parameters import Parameters
from .._validation import Allowed, check_parameters
from .spectra import Spectra

__all__ = ["FeatureBlock"]


class FeatureBlock(Parameters):
    """Base class of feature blocks; derive from it to add one's own.

    A block has its parameters in ``__init__``, as any scikit-learn estimator, ``get_params`` and
    ``set_params``, and :meth:`compute` and :meth:`bin_names`. It learns nothing.

    Examples
    --------
    >>> from skser.features import FeatureBlock, FeatureUnionExtractor
    >>> class Peak(FeatureBlock):
    ...     def compute(self, spectra):
    ...         return abs(spectra.frames("constant")).max(axis=0, keepdims=True)
    >>> import numpy as np
    >>> waveforms = np.random.default_rng(0).uniform(-1, 1, size=(2, 8000))
    >>> FeatureUnionExtractor([("peak", Peak())]).fit_transform(waveforms).shape
    (2, 1)
    """

    _allowed: dict[str, list[Allowed]] = {}
    #: Precision of the Fourier transform that a block needs.
    fourier_dtype: type = np.float32

    @abstractmethod
    def compute(self, spectra: Spectra) -> np.ndarray:
        """Features of one waveform.

        Parameters
        ----------
        spectra : Spectra
            The waveform and its spectra.

        Returns
        -------
        features : ndarray of shape (n_bins, n_frames)
            NaN says that a bin has no value in a frame, such as the pitch of an unvoiced one.
        """

    def bin_names(self) -> list[str]:
        """Name of each bin within the block; an empty one where the block's name is enough."""
        return [""]

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        """Raise ParameterError if parameters are not allowed, alone or with these.

        Parameters
        ----------
        sr : int
            Sampling rate in Hz.
        n_fft, hop_length : int
            Length and distance of frames in samples.
        """
        check_parameters(self)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def numbered(n: int, prefix: str = "") -> list[str]:
    """``["0", "1", ...]``, each after ``prefix``."""
    return [f"{prefix}{i}" for i in range(n)]


def in_float32(features: Any) -> np.ndarray:
    return np.asarray(features, dtype=np.float32)
