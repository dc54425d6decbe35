"""FeatureBlock: a kind of feature, with one row of numbers for each of its bins."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from ..._utils._param_validation import Allowed, check_parameters
from ..._utils._parameters import Parameters
from ..dsp._spectra import Spectra


class FeatureBlock(Parameters):
    """Base class of feature blocks; subclass it to define a feature.

    The arguments of ``__init__`` are the parameters, as in a scikit-learn estimator. Subclasses
    define :meth:`compute` and, for several bins, :meth:`bin_names`. Blocks are not fitted.

    The Fourier transform is in float32. If a block has the class attribute
    ``fourier_dtype = np.float64``, it is in float64 for all blocks of the extractor.

    Examples
    --------
    >>> import numpy as np
    >>> from skser.features import FeatureBlock, FeatureUnionExtractor
    >>> class Peak(FeatureBlock):
    ...     def compute(self, spectra):
    ...         return abs(spectra.frames("constant")).max(axis=0, keepdims=True)
    >>> waveforms = np.random.default_rng(0).uniform(-1, 1, size=(2, 8000))
    >>> FeatureUnionExtractor([("peak", Peak())]).fit_transform(waveforms).shape
    (2, 1)
    """

    _allowed: dict[str, list[Allowed]] = {}
    #: Precision of the Fourier transform that the block needs.
    fourier_dtype: type = np.float32

    @abstractmethod
    def compute(self, spectra: Spectra) -> np.ndarray:
        """Compute the features of a waveform.

        Parameters
        ----------
        spectra : Spectra
            The waveform and its spectra.

        Returns
        -------
        features : ndarray of shape (n_bins, n_frames), float32
            A row for each of `bin_names`; NaN where a bin has no value, such as the pitch of an
            unvoiced frame.
        """

    def bin_names(self) -> list[str]:
        """Name the rows of `compute`.

        Returns
        -------
        names : list of str
            Names within the block; a single empty name if the block's name is enough.
        """
        return [""]

    def check(self, sr: int, n_fft: int, hop_length: int) -> None:
        """Check the parameters.

        Parameters
        ----------
        sr : int
            Sampling rate in Hz.
        n_fft : int
            Length of a frame in samples.
        hop_length : int
            Samples from frame to frame.

        Raises
        ------
        ParameterError
            A parameter is not allowed, by itself or with these.
        """
        check_parameters(self)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def numbered(n: int) -> list[str]:
    """Names ``["0", "1", ...]``."""
    return [str(i) for i in range(n)]


def in_float32(features: ArrayLike) -> np.ndarray:
    """Features as float32."""
    return np.asarray(features, dtype=np.float32)
