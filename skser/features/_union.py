"""FeatureUnionExtractor: features of clips by named blocks, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.metaestimators import _BaseComposition

from .._utils._param_validation import (
    check_is_fitted,
    check_parameters,
    even_integer,
    integer,
    one_of,
)
from .._utils._types import PathLike
from ..audio import Clips
from ..audio._clips import as_clips
from ..exceptions import ParameterError
from .blocks._base import FeatureBlock
from .blocks._named import active_blocks, named_blocks
from .dsp._filters import names_with_deltas
from .dsp._statistics import check_statistics
from .extraction._extractor import ClipsExtractor
from .extraction._plan import FeaturePlan


class FeatureUnionExtractor(ClipsExtractor, _BaseComposition):
    """Extract blocks of features from clips, in one pass over their spectra.

    Blocks have names and nested parameters, as in `sklearn.pipeline.FeatureUnion`:
    ``set_params(mfcc__n_mfcc=20)`` changes a parameter of a block, ``set_params(mfcc="drop")``
    omits it, ``set_params(mfcc=MFCC(n_mfcc=13))`` replaces it.

    Parameters
    ----------
    blocks : list of str or of (str, FeatureBlock) tuples
        Blocks in the order of the features. A name alone is a default block: mfcc, mel, chroma,
        chroma_cqt, contrast, tonnetz, zcr, rms, rolloff, centroid, bandwidth, flatness or pitch.
    sr : int, default=16000
        Sampling rate in Hz of waveforms given as arrays; Clips have their own.
    n_fft : int, default=1024
        Length of a frame in samples (64 ms at 16 kHz).
    hop_length : int, default=256
        Samples from frame to frame (16 ms at 16 kHz).
    deltas : {0, 1, 2}, default=0
        Add the first, or the first and second, derivatives over time of all features
        (`librosa.feature.delta`), NaN where the feature is NaN.
    statistics : sequence of str or None, default=("mean",)
        Statistics over the frames of all features, one statistic after another: mean, std, min,
        max, median, range, iqr, skew, kurtosis, slope (per frame), and percentiles such as p5.
        None gives sequences (n_clips, n_frames, n_features) padded with NaN.
    n_jobs : int or None, default=None
        Number of processes, as in scikit-learn.
    memory : str, path, joblib.Memory or None, default=None
        Folder that caches the features of each clip for later folds, searches and sessions. After
        a change of a file or a parameter they are extracted again. Features stay in the folder
        and are read in parts if a joblib.Memory has an ``mmap_mode``, or if they would take more
        than half of the available memory.
    verbose : int, default=0
        1 shows a progress bar and prints the number of clips read from ``memory``.

    Attributes
    ----------
    sr_ : int
        Sampling rate in Hz of the clips in `fit`.
    n_features_in_ : int
        Samples of a waveform, if `fit` had an array.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import FeatureUnionExtractor
    >>> waveforms = np.random.default_rng(0).normal(size=(2, 16000))
    >>> extractor = FeatureUnionExtractor(["mfcc", "zcr"], statistics=("mean", "std"))
    >>> extractor = extractor.set_params(mfcc__n_mfcc=2)
    >>> extractor.fit_transform(waveforms).shape
    (2, 6)
    >>> list(extractor.get_feature_names_out())  # doctest: +NORMALIZE_WHITESPACE
    ['mfcc_0_mean', 'mfcc_1_mean', 'zcr_mean', 'mfcc_0_std', 'mfcc_1_std', 'zcr_std']
    """

    _allowed = {
        "sr": [integer(4000, 192_000)],
        # Frames of odd length are not centred, and librosa takes n_fft from the number of bins.
        "n_fft": [even_integer(16, 65536)],
        "hop_length": [integer(1, 65536)],
        "deltas": [one_of(0, 1, 2)],
        **ClipsExtractor._allowed,
    }

    def __init__(
        self,
        blocks: Sequence[str | tuple[str, FeatureBlock | Literal["drop"]]],
        *,
        sr: int = 16000,
        n_fft: int = 1024,
        hop_length: int = 256,
        deltas: Literal[0, 1, 2] = 0,
        statistics: Sequence[str] | None = ("mean",),
        n_jobs: int | None = None,
        memory: PathLike | joblib.Memory | None = None,
        verbose: int = 0,
    ) -> None:
        self.blocks = blocks
        self.sr = sr
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.deltas = deltas
        self.statistics = statistics
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the extractor and, if ``deep``, of its blocks.

        Parameters
        ----------
        deep : bool, default=True
            Include ``<block>`` and ``<block>__<parameter>``.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep=False)
        with suppress(ParameterError):  # raised by `fit`
            for name, block in named_blocks(self.blocks) if deep else []:
                params[name] = block
                if hasattr(block, "get_params"):
                    params.update({f"{name}__{k}": v for k, v in block.get_params().items()})
        return params

    def set_params(self, **params: Any) -> FeatureUnionExtractor:
        """Set parameters of the extractor and of its blocks.

        Parameters
        ----------
        **params : dict
            ``statistics``, ``mfcc__n_mfcc``, ``mfcc="drop"``, ...

        Returns
        -------
        self : FeatureUnionExtractor
            This extractor.
        """
        if "blocks" in params:
            self.blocks = params.pop("blocks")
        if params.keys() - super().get_params(deep=False).keys():
            # A name alone has no parameters to set, so the block replaces it.
            self.blocks = named_blocks(self.blocks)
            self._set_params("blocks", **params)
        else:
            super().set_params(**params)
        return self

    def fit(self, X: Clips | ArrayLike, y: ArrayLike | None = None) -> FeatureUnionExtractor:
        """Check the parameters with the clips, without extraction.

        Parameters
        ----------
        X : Clips, array of shape (n_clips, n_samples) or list of 1-D arrays
            Clips, or waveforms at ``sr``.
        y : None
            Ignored.

        Returns
        -------
        self : FeatureUnionExtractor
            The fitted extractor.

        Raises
        ------
        ParameterError
            A parameter is not allowed, or not at the sampling rate of the clips.
        DataError
            X is neither clips nor waveforms.
        """
        check_parameters(self)
        check_statistics(self.statistics)
        clips = as_clips(X, self, reset=True)
        self._check_blocks(clips.sr)
        self._remember(clips)
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the features by block, bin and statistic, such as ``mfcc_0_mean``.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of shape (n_features,)
            Names of the features.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        """
        check_is_fitted(self, "sr_")
        bins = [
            f"{name}_{bin_name}" if bin_name else name
            for name, block in active_blocks(self.blocks)
            for bin_name in block.bin_names()
        ]
        bins = names_with_deltas(bins, self.deltas)
        if self.statistics is not None:
            bins = [f"{name}_{statistic}" for statistic in self.statistics for name in bins]
        return np.asarray(bins, dtype=object)

    def get_feature_blocks_out(self) -> np.ndarray:
        """Name the block of each feature, in the order of `get_feature_names_out`.

        Returns
        -------
        names : ndarray of shape (n_features,)
            Names of the blocks.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        """
        check_is_fitted(self, "sr_")
        of_bins = [name for name, block in active_blocks(self.blocks) for _ in block.bin_names()]
        n_statistics = 1 if self.statistics is None else len(self.statistics)
        return np.asarray(of_bins * (1 + int(self.deltas)) * n_statistics, dtype=object)

    def _plan(self) -> FeaturePlan:
        return FeaturePlan.of(clone(self))

    def _check_blocks(self, sr: int) -> None:
        names = [name for name, _ in named_blocks(self.blocks)]
        try:
            self._validate_names(names)
        except ValueError as error:
            raise ParameterError(f"blocks: {error}") from None
        active = active_blocks(self.blocks)
        if not active:
            raise ParameterError("blocks must have at least one block that is not dropped")
        for name, block in active:
            if not isinstance(block, FeatureBlock):
                raise ParameterError(
                    f"block {name!r} must be a FeatureBlock or 'drop', got {block!r}"
                )
            try:
                block.check(sr, self.n_fft, self.hop_length)
            except ParameterError as error:
                raise ParameterError(f"{name}__{error}") from None
