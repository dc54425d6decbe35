"""The clips that training watches: stratified, and by speaker where speakers are known."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from .._utils._labels import check_speakers
from ..exceptions import DataError


def validation_part(
    fraction: float, classes: np.ndarray, groups: Any, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Clips to train on and clips to watch.

    Parameters
    ----------
    fraction : float
        Share of clips to watch; 0 watches none.
    classes : ndarray of int
        Class of each clip.
    groups : array or None
        Speaker of each clip, none of whom will be on both sides.
    rng : RandomState
        Chooses.

    Returns
    -------
    training, validation : ndarray of int
        Indices of clips.

    Raises
    ------
    DataError
        It cannot be done with every class on the side of training.
    """
    everything = np.arange(len(classes))
    if groups is not None:
        groups = check_speakers(groups, len(classes))
    if fraction == 0:
        return everything, everything[:0]
    seed = rng.randint(np.iinfo(np.int32).max)
    share = f"validation_fraction={fraction:g}"
    if groups is not None:
        n_speakers = len(np.unique(groups))
        if n_speakers < 2:
            raise DataError(f"{share} needs two speakers in groups at least, got {n_speakers}")
        for training, validation in _parts_by_speaker(fraction, classes, groups, seed):
            if len(validation) and not len(np.setdiff1d(classes, classes[training])):
                return training, validation
        raise DataError(
            f"{share} of {n_speakers} speakers cannot be taken so that every class is still "
            "trained on: a class is of too few speakers"
        )
    try:
        return train_test_split(everything, test_size=fraction, stratify=classes, random_state=seed)
    except ValueError as error:
        raise DataError(
            f"{share} of {len(classes)} clips cannot be taken with every class on both sides "
            f"({error})"
        ) from None


def _parts_by_speaker(
    fraction: float, classes: np.ndarray, groups: np.ndarray, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """All ways to split into clips to train on and, of about that share, clips to watch."""
    n_most = np.bincount(classes).max()
    n_parts = min(max(round(1 / fraction), 2), len(np.unique(groups)), n_most)
    if n_parts < 2:
        return []
    splitter = StratifiedGroupKFold(n_parts, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class of fewer clips than parts is in some of them only, which is no harm.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(classes, classes, groups))
