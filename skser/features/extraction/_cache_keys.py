"""entry_keys: names of cache entries, each a hash of all that the features of a clip depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np

from ..._utils._hashing import fingerprint
from ...audio import Clips
from ...audio._clips import stage_name
from ...audio._recordings import Recording
from ._plan import FeatureRecipe

# Packages of skser whose code makes features.
_CODE = ("_utils", "audio", "augmentation", "features")
_PACKAGES = ("librosa", "numpy", "scipy", "scikit-learn", "soundfile", "soxr")


def entry_keys(clips: Clips, recipe: FeatureRecipe) -> list[str]:
    """Name of the entry of every clip: a hash of all that its features depend on."""
    settings = (recipe.n_fft, recipe.hop_length, recipe.deltas, recipe.statistics, clips.sr)
    parts = [
        ("the reader of the clips", clips.read),
        *((stage_name(stage), stage) for stage in clips.stages),
        *((f"block {name!r}", block) for name, block in recipe.blocks),
    ]
    common = fingerprint(
        {**dict(parts), "settings": settings}, parameter="memory", packages=_PACKAGES, code=_CODE
    )
    return [_hash(common.encode(), *_source_parts(source)) for source in clips.sources]


def _source_parts(source: Any) -> Sequence[bytes]:
    if isinstance(source, Recording):
        return f"{source.path}\0{source.size}\0{source.mtime_ns}".encode(), source.content or b""
    if isinstance(source, np.ndarray):
        return repr((source.shape, source.dtype.str)).encode(), source.tobytes()
    return (joblib.hash(source).encode(),)


def _hash(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
