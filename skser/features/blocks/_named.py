"""Names of the default feature blocks."""

from __future__ import annotations

from typing import Any

from ..._utils._param_validation import did_you_mean
from ...exceptions import ParameterError
from . import _cepstral, _spectral, _tonal
from ._base import FeatureBlock

DEFAULT_BLOCKS: dict[str, type[FeatureBlock]] = {
    "mfcc": _cepstral.MFCC,
    "mel": _cepstral.MelSpectrogram,
    "chroma": _tonal.Chroma,
    "chroma_cqt": _tonal.ChromaCQT,
    "contrast": _spectral.SpectralContrast,
    "tonnetz": _tonal.Tonnetz,
    "zcr": _spectral.ZeroCrossingRate,
    "rms": _spectral.RMS,
    "rolloff": _spectral.SpectralRolloff,
    "centroid": _spectral.SpectralCentroid,
    "bandwidth": _spectral.SpectralBandwidth,
    "flatness": _spectral.SpectralFlatness,
    "pitch": _tonal.Pitch,
}


def named_blocks(blocks: object) -> list[tuple[str, Any]]:
    """Blocks as (name, block), with the default block for each name alone."""
    if not isinstance(blocks, (list, tuple)) or len(blocks) == 0:
        raise ParameterError(
            f"blocks must be a list of names or of (name, block) tuples, got {blocks!r}"
        )
    return [_named_block(item) for item in blocks]


def active_blocks(blocks: object) -> list[tuple[str, FeatureBlock]]:
    """The blocks that are not dropped, as (name, block)."""
    return [(name, block) for name, block in named_blocks(blocks) if block != "drop"]


def _named_block(item: object) -> tuple[str, Any]:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item
    if not isinstance(item, str):
        raise ParameterError(f"blocks must have names or (name, block) tuples, got {item!r}")
    if item not in DEFAULT_BLOCKS:
        raise ParameterError(
            f"blocks must be of {', '.join(DEFAULT_BLOCKS)}, got {item!r}"
            f"{did_you_mean(item, DEFAULT_BLOCKS)}"
        )
    return item, DEFAULT_BLOCKS[item]()
