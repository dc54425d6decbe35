"""Names of feature blocks: a name alone stands for the default block of that name."""

from __future__ import annotations

from typing import Any

from ..._utils._param_validation import did_you_mean
from ...exceptions import ParameterError
from ._base import FeatureBlock
from ._cepstral import MFCC, MelSpectrogram
from ._spectral import (
    RMS,
    SpectralBandwidth,
    SpectralCentroid,
    SpectralContrast,
    SpectralFlatness,
    SpectralRolloff,
    ZeroCrossingRate,
)
from ._tonal import Chroma, ChromaCQT, Pitch, Tonnetz

DEFAULT_BLOCKS: dict[str, type[FeatureBlock]] = {
    "mfcc": MFCC,
    "mel": MelSpectrogram,
    "chroma": Chroma,
    "chroma_cqt": ChromaCQT,
    "contrast": SpectralContrast,
    "tonnetz": Tonnetz,
    "zcr": ZeroCrossingRate,
    "rms": RMS,
    "rolloff": SpectralRolloff,
    "centroid": SpectralCentroid,
    "bandwidth": SpectralBandwidth,
    "flatness": SpectralFlatness,
    "pitch": Pitch,
}


def named_blocks(blocks: Any) -> list[tuple[str, Any]]:
    """Blocks as (name, block), each name alone replaced by its default block."""
    if not isinstance(blocks, (list, tuple)) or len(blocks) == 0:
        raise ParameterError(
            f"blocks must be a list of names or of (name, block) tuples, got {blocks!r}"
        )
    return [_named_block(item) for item in blocks]


def active_blocks(blocks: Any) -> list[tuple[str, FeatureBlock]]:
    """The blocks that are not dropped, as (name, block)."""
    return [(name, block) for name, block in named_blocks(blocks) if block != "drop"]


def block_names(blocks: Any) -> set[str]:
    """Names of the blocks as far as there are any; what has none is refused at fit."""
    items = blocks if isinstance(blocks, (list, tuple)) else ()
    return {item if isinstance(item, str) else item[0] for item in items if _is_named(item)}


def _named_block(item: Any) -> tuple[str, Any]:
    if not _is_named(item):
        raise ParameterError(f"blocks must have names or (name, block) tuples, got {item!r}")
    if not isinstance(item, str):
        return item
    if item not in DEFAULT_BLOCKS:
        raise ParameterError(
            f"blocks must be of {', '.join(DEFAULT_BLOCKS)}, got {item!r}"
            f"{did_you_mean(item, DEFAULT_BLOCKS)}"
        )
    return item, DEFAULT_BLOCKS[item]()


def _is_named(item: Any) -> bool:
    is_pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
    return is_pair or isinstance(item, str)
