"""Split of the clips into training and validation: stratified, and by speaker if given."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from .._utils._labels import check_speakers
from ..exceptions import DataError


def validation_split(
    fraction: float, classes: np.ndarray, groups: ArrayLike | None, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of training and validation clips; DataError if a class has no training clips."""
    clips = np.arange(len(classes))
    speakers = None if groups is None else check_speakers(groups, len(classes))
    if fraction == 0:
        return clips, clips[:0]
    seed = rng.randint(np.iinfo(np.int32).max)
    share = f"validation_fraction={fraction:g}"
    if speakers is not None:
        n_speakers = len(np.unique(speakers))
        if n_speakers < 2:
            raise DataError(f"{share} needs at least two speakers in groups, got {n_speakers}")
        for training, validation in _splits_by_speaker(fraction, classes, speakers, seed):
            if len(validation) and not len(np.setdiff1d(classes, classes[training])):
                return training, validation
        raise DataError(
            f"{share} of {n_speakers} speakers leaves a class without training clips: it has too "
            "few speakers"
        )
    try:
        return train_test_split(clips, test_size=fraction, stratify=classes, random_state=seed)
    except ValueError as error:
        raise DataError(
            f"{share} of {len(classes)} clips cannot have every class on both sides ({error})"
        ) from None


def _splits_by_speaker(
    fraction: float, classes: np.ndarray, speakers: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Splits into training clips and, in about that share, validation clips."""
    n_most = np.bincount(classes).max()
    n_parts = min(max(round(1 / fraction), 2), len(np.unique(speakers)), n_most)
    if n_parts < 2:
        return []
    splitter = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class may have fewer clips than there are parts.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(classes, classes, speakers))
