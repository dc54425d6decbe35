"""FeaturePlan: the features of a waveform, in one pass over its spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...audio._clips import stack_padded, without_padding
from ...exceptions import DataError, naming
from ..blocks._base import FeatureBlock
from ..blocks._named import active_blocks
from ..dsp._filters import with_deltas
from ..dsp._spectra import Spectra
from ..dsp._statistics import summarize


@dataclass(frozen=True)
class FeaturePlan:
    """All that the features of a waveform depend on."""

    blocks: tuple[tuple[str, FeatureBlock], ...]
    n_fft: int
    hop_length: int
    deltas: int
    statistics: tuple[str, ...] | None

    @classmethod
    def of(cls, extractor: Any) -> FeaturePlan:
        """The plan of a FeatureUnionExtractor."""
        blocks = tuple(active_blocks(extractor.blocks))
        statistics = None if extractor.statistics is None else tuple(extractor.statistics)
        deltas = int(extractor.deltas)
        return cls(blocks, extractor.n_fft, extractor.hop_length, deltas, statistics)

    @property
    def n_features(self) -> int:
        """Number of features of a vector, or of a frame of a sequence."""
        n_bins = sum(len(block.bin_names()) for _, block in self.blocks) * (1 + self.deltas)
        return n_bins * (1 if self.statistics is None else len(self.statistics))

    def __call__(self, waveform: np.ndarray, sr: int) -> np.ndarray:
        """Vector (n_features,), or sequence (n_frames, n_features) without statistics."""
        dtype = np.result_type(*(block.fourier_dtype for _, block in self.blocks)).type
        spectra = Spectra(waveform, sr, self.n_fft, self.hop_length, dtype)
        frames = np.concatenate([_compute(name, block, spectra) for name, block in self.blocks])
        frames = with_deltas(frames, self.deltas)
        if self.statistics is not None:
            return summarize(frames, self.statistics)
        sequence = frames.T.astype(np.float32, order="C")
        sequence[np.isnan(sequence)] = 0.0
        return sequence

    def of_views(self, views: np.ndarray, sr: int) -> np.ndarray:
        """Features of every view of a clip, (n_views, ...)."""
        features = [self(without_padding(view), sr) for view in views]
        return np.stack(features) if self.statistics is not None else stack_padded(features)


def _compute(name: str, block: FeatureBlock, spectra: Spectra) -> np.ndarray:
    with naming(f"block {name!r}"):
        features = block.compute(spectra)
        expected = (len(block.bin_names()), spectra.n_frames)
        if features.shape != expected:
            raise DataError(
                f"must compute an array of shape {expected} (bin names, frames), "
                f"got {features.shape}"
            )
        return features
