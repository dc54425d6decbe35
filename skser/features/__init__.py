"""Features of speech: blocks, the spectra that they share, and the extractor that joins them."""

from .base import FeatureBlock
from .cache import CacheInfo
from .cepstral import MFCC, MelSpectrogram
from .scaling import FeatureScaler
from .speaker_normalizer import SpeakerNormalizer
from .spectra import Spectra
from .spectral import (
    RMS,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralFlatness,
    SpectralRolloff,
    ZeroCrossingRate,
)
from .tonal import Chroma, ChromaCQT, Pitch, Tonnetz
from .union import FeatureUnionExtractor

__all__ = [
    "MFCC",
    "RMS",
    "CacheInfo",
    "Chroma",
    "ChromaCQT",
    "FeatureBlock",
    "FeatureScaler",
    "FeatureUnionExtractor",
    "MelSpectrogram",
    "Pitch",
    "SpeakerNormalizer",
    "Spectra",
    "SpectralBandwidth",
    "SpectralCentroid",
    "SpectralContrast",
    "SpectralFlatness",
    "SpectralRolloff",
    "Tonnetz",
    "ZeroCrossingRate",
]
