"""SpeechEmbedding: the frames of a pre-trained speech encoder as features of clips."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import joblib
import numpy as np
from numpy.typing import ArrayLike

from .._utils._param_validation import (
    NONE,
    Allowed,
    check_is_fitted,
    check_parameters,
    integer,
    number,
    one_of,
)
from .._utils._types import PathLike
from ..audio import Clips
from ..audio._clips import as_clips
from ..exceptions import DataError
from ..features.extraction._extractor import ClipsExtractor
from ..networks._onnx_runtime import DEVICES, check_device, check_installed
from ._encoders import find_encoder
from ._plan import POOLINGS, EmbeddingPlan

__all__ = ["SpeechEmbedding"]

_MODEL = Allowed("a name, folder or file", lambda value: isinstance(value, (str, os.PathLike)))
_TEXT = Allowed("a str", lambda value: isinstance(value, str))
_LAYERS = Allowed("a sequence of int", lambda value: isinstance(value, (list, tuple, np.ndarray)))


class SpeechEmbedding(ClipsExtractor):
    """Turn clips into features of a pre-trained speech encoder.

    A frozen encoder that was trained on a lot of speech knows more of voices than a network that is
    trained on a small corpus. The middle layers carry emotion best; the last ones carry words.

    Parameters
    ----------
    model : str or path
        A Whisper model [1]_: its name on the Hugging Face Hub, such as ``"openai/whisper-base"``,
        or a folder with its ``config.json`` and ``model.safetensors``. Or an encoder of waveforms
        as an ``.onnx`` file, or the folder of one with ``model.onnx`` and ``model.yaml``.
    revision : str or None, default=None
        Commit on the Hub. None is the commit that skser was tested with; other models need one.
    layer : int, sequence of int, "middle" or str, default="middle"
        Layer of a Whisper model; 0 is the output of its convolutions. Several layers are put side
        by side. "middle" is half of the layers. For an ONNX file, the name of an output; "middle"
        is its only one.
    pooling : {"mean", "mean_std"} or None, default="mean"
        Mean, or mean and standard deviation, over the frames of a clip. None gives sequences
        (n_clips, n_frames, n_features), 50 frames a second, padded with NaN.
    max_seconds : float, default=15.0
        Longer clips are cut into equal windows of at most this length, and pooled over the frames
        of all windows.
    batch_size : int, default=8
        Number of clips that the encoder gets at once. Only clips of equal length are batched, so
        the features of a clip do not depend on others.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the encoder runs; ``"cuda"`` needs the package onnxruntime-gpu. ``"auto"`` is CUDA if
        that package can start it, and else the CPU. Features of both are in one cache.
    n_jobs : int or None, default=None
        Number of processes, each with one thread.
    memory : str, path, joblib.Memory or None, default=None
        Folder that caches the features of each clip, as in `FeatureUnionExtractor`.
    verbose : int, default=0
        1 shows a progress bar and prints the number of clips read from ``memory``.

    Attributes
    ----------
    encoder_ : dict
        Description of the encoder: ``model``, ``revision``, ``licence``, ``digest`` (hash of the
        weights), ``layers`` and sizes. Weights are not a part of it, nor of a pickle.
    sr_ : int
        Sampling rate in Hz of the clips in `fit`.
    n_features_in_ : int
        Samples of a waveform, if `fit` had an array.

    See Also
    --------
    skser.FeatureUnionExtractor : Features that need no pre-training.
    skser.recipes.whisper : The whole pipeline.

    Notes
    -----
    Clips are not padded to 30 s. Weights are rounded to float16, so the features are the same
    whether an encoder was published in float16 or float32. The encoder is written once as an ONNX
    graph to the folder ``SKSER_CACHE``, by default the usual cache folder of the system.

    References
    ----------
    .. [1] A. Radford et al., "Robust speech recognition via large-scale weak supervision", ICML
       2023.

    Examples
    --------
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skser import AudioLoader, SpeechEmbedding
    >>> pipeline = make_pipeline(
    ...     AudioLoader(sr=16000),
    ...     SpeechEmbedding("openai/whisper-base"),
    ...     StandardScaler(),
    ...     LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    ... )
    >>> pipeline = pipeline.set_params(speechembedding__layer=4)
    """

    _allowed = {
        "model": [_MODEL],
        "revision": [_TEXT, NONE],
        "layer": [integer(0), _LAYERS, _TEXT],
        "pooling": [one_of(*filter(None, POOLINGS)), NONE],
        "max_seconds": [number(0.1, 30)],
        "batch_size": [integer(1)],
        "device": [one_of(*DEVICES)],
        **ClipsExtractor._allowed,
    }

    #: Sampling rate in Hz of waveforms given as arrays.
    sr = 16000

    def __init__(
        self,
        model: PathLike,
        *,
        revision: str | None = None,
        layer: int | str | Sequence[int] = "middle",
        pooling: Literal["mean", "mean_std"] | None = "mean",
        max_seconds: float = 15.0,
        batch_size: int = 8,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        n_jobs: int | None = None,
        memory: PathLike | joblib.Memory | None = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.revision = revision
        self.layer = layer
        self.pooling = pooling
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.device = device
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    def fit(self, X: Clips | ArrayLike, y: ArrayLike | None = None) -> SpeechEmbedding:
        """Find the encoder, and download it if it is not on this machine yet.

        Parameters
        ----------
        X : Clips, array of shape (n_clips, n_samples) or list of 1-D arrays
            Clips, or waveforms at 16 kHz.
        y : None
            Ignored.

        Returns
        -------
        self : SpeechEmbedding
            The fitted step.

        Raises
        ------
        ParameterError
            A parameter is not allowed, or the model has no such layer.
        ModelError
            ``model`` is no encoder that can be read.
        DownloadError
            The model cannot be downloaded.
        MissingDependencyError
            The extra ``embeddings`` is not installed.
        DataError
            X is neither clips nor waveforms, or the sampling rate is not that of the encoder.
        """
        check_parameters(self)
        clips = as_clips(X, self, reset=True)
        check_installed("an encoder", "embeddings")
        check_device(self.device)
        encoder = find_encoder(os.fspath(self.model), self.revision, self.layer)
        if encoder.sr not in (None, clips.sr):
            raise DataError(
                f"clips must be at {encoder.sr} Hz for {self.model}, got {clips.sr} Hz; use "
                f"AudioLoader(sr={encoder.sr})"
            )
        self.encoder_ = encoder.to_dict()
        self._remember(clips)
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the features by encoder, layer, statistic and number, ``whisper_base_l3_mean_017``.

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
        check_is_fitted(self, "encoder_")
        encoder = self._plan().encoder
        statistics = [f"_{name}" for name in POOLINGS[self.pooling]] or [""]
        names = [
            f"{layer}{statistic}_{i:03d}"
            for layer in encoder.layer_names
            for statistic in statistics
            for i in range(encoder.layer_width)
        ]
        return np.asarray(names, dtype=object)

    def get_feature_blocks_out(self) -> np.ndarray:
        """Name the layer of each feature, in the order of `get_feature_names_out`.

        Returns
        -------
        names : ndarray of shape (n_features,)
            Names of encoder and layer.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        """
        check_is_fitted(self, "encoder_")
        encoder = self._plan().encoder
        width = encoder.layer_width * max(1, len(POOLINGS[self.pooling]))
        return np.repeat(np.asarray(encoder.layer_names, dtype=object), width)

    def _plan(self) -> EmbeddingPlan:
        return EmbeddingPlan.of(self)
