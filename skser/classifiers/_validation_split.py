"""Split of the clips into training and validation: stratified, and by speaker if given."""

from __future__ import annotations

import warnings
from math import ceil

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from .._utils._labels import check_class_sizes, check_speakers
from ..exceptions import DataError


def validation_split(
    fraction: float, classes: np.ndarray, groups: ArrayLike | None, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of training and validation clips; DataError if a class has too few clips."""
    clips = np.arange(len(classes))
    speakers = None if groups is None else check_speakers(groups, len(classes))
    if fraction == 0:
        return clips, clips[:0]
    seed = rng.randint(np.iinfo(np.int32).max)
    share = f"validation_fraction={fraction:g}"
    if speakers is not None:
        n_speakers = len(np.unique(speakers))
        if n_speakers < 2:
            raise DataError(
                f"{share} needs at least two speakers in groups, got {n_speakers}; add recordings "
                "of others, or set validation_fraction=0"
            )
        for training, validation in _splits_by_speaker(fraction, classes, speakers, seed):
            if len(validation) and not len(np.setdiff1d(classes, classes[training])):
                return training, validation
        raise DataError(
            f"{share} of {n_speakers} speakers leaves a class without training clips: it has too "
            f"few speakers{_rarest(classes, speakers)}; add recordings of others, or set "
            "validation_fraction=0"
        )
    check_class_sizes(classes, 2, share, ", or set validation_fraction=0")
    n_validation, n_classes = ceil(fraction * len(classes)), len(np.unique(classes))
    if min(n_validation, len(classes) - n_validation) < n_classes:
        way = "take a smaller fraction"
        if 2 * n_classes > len(classes):
            way = "add recordings"
        elif n_validation < n_classes:
            way = f"take at least {n_classes / len(classes):.2g}"
        raise DataError(
            f"{share} of {len(classes)} clips cannot have every class on both sides: it is "
            f"{n_validation} clips, of {n_classes} classes; {way}, or set validation_fraction=0"
        )
    return train_test_split(clips, test_size=fraction, stratify=classes, random_state=seed)


def _splits_by_speaker(
    fraction: float, classes: np.ndarray, speakers: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Splits into training clips and, in about that share, validation clips."""
    n_most = np.unique(classes, return_counts=True)[1].max()
    n_parts = min(max(round(1 / fraction), 2), len(np.unique(speakers)), n_most)
    if n_parts < 2:
        return []
    splitter = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class may have fewer clips than there are parts.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(classes, classes, speakers))


def _rarest(classes: np.ndarray, speakers: np.ndarray) -> str:
    """The class with the fewest speakers, and its first row."""
    labels = np.unique(classes)
    counts = [len(np.unique(speakers[classes == label])) for label in labels]
    label = labels[int(np.argmin(counts))]
    row = int(np.flatnonzero(classes == label)[0])
    return f", {label.item()!r:.80} {min(counts)} (row {row})"
