"""FeaturePlan: the features of a waveform, in one pass over its spectra; and what any plan has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from ...audio._clips import stack_padded, without_padding
from ...exceptions import DataError, naming
from ..blocks._base import FeatureBlock
from ..blocks._named import active_blocks
from ..dsp._filters import with_deltas
from ..dsp._spectra import Spectra
from ..dsp._statistics import summarize

# Libraries that decode, resample and augment clips and make features.
LIBRARIES = ("librosa", "numpy", "scipy", "scikit-learn", "soundfile", "soxr")


class Plan(Protocol):
    """All that features of clips depend on; plans go to other processes, so they pickle."""

    # Clips that are processed together.
    clips_at_once: ClassVar[int]
    # Packages of skser, and libraries, that make the features.
    code: ClassVar[tuple[str, ...]]
    libraries: ClassVar[tuple[str, ...]]

    @property
    def n_features(self) -> int:
        """Number of features of a vector, or of a frame of a sequence."""

    @property
    def samples_per_frame(self) -> int | None:
        """Samples from frame to frame of sequences; None for vectors."""

    def identity(self) -> dict[str, object]:
        """Settings by their names in messages, which together name the features."""

    def of_clips(self, clips: list[np.ndarray], sr: int) -> list[np.ndarray]:
        """Features (n_views, ...) of clips (n_views, n_samples)."""


@dataclass(frozen=True)
class FeaturePlan:
    """The features of a FeatureUnionExtractor."""

    clips_at_once: ClassVar[int] = 1
    code: ClassVar[tuple[str, ...]] = ("_utils", "audio", "augmentation", "features")
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

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
        n_bins = sum(len(block.bin_names()) for _, block in self.blocks) * (1 + self.deltas)
        return n_bins * (1 if self.statistics is None else len(self.statistics))

    @property
    def samples_per_frame(self) -> int | None:
        return self.hop_length if self.statistics is None else None

    def identity(self) -> dict[str, object]:
        settings = (self.n_fft, self.hop_length, self.deltas, self.statistics)
        return {"settings": settings, **{f"block {name!r}": block for name, block in self.blocks}}

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

    def of_clips(self, clips: list[np.ndarray], sr: int) -> list[np.ndarray]:
        return [self._of_views(views, sr) for views in clips]

    def _of_views(self, views: np.ndarray, sr: int) -> np.ndarray:
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
