"""What the steps of a pipeline need of the labels, checked before any recording is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metadata_routing import get_routing_for_object

from .._utils._labels import check_more_clips_than_classes, check_speakers
from ..audio import AudioLoader
from ..classifiers._class_needs import check_needs
from ..exceptions import DataError
from ._steps import steps_of


def check_all_needs(pipeline: object, labels: np.ndarray, groups: ArrayLike | None = None) -> None:
    """Raise DataError if a step cannot be fitted on clips with these labels and speakers."""
    speakers = None if groups is None else check_speakers(groups, len(labels))
    for step in steps_of(pipeline):
        if isinstance(step, AudioLoader):
            check_more_clips_than_classes(labels)
        else:
            check_needs(step, labels, speakers if _takes_speakers(step) else None)


def check_folds_needs(
    pipeline: object,
    labels: np.ndarray,
    groups: np.ndarray | None,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
) -> None:
    """Raise DataError if a step cannot be fitted on the training part of a fold."""
    for number, (train, _) in enumerate(splits):
        speakers = None if groups is None else groups[train]
        try:
            check_all_needs(pipeline, labels[train], speakers)
        except DataError as error:
            raise DataError(
                f"cv leaves too few clips in fold {number}, as rows 0 to {len(train) - 1}: {error}"
            ) from None


def _takes_speakers(step: object) -> bool:
    """Whether speakers reach a step, which metadata routing decides."""
    try:
        return "groups" in get_routing_for_object(step).consumes("fit", ["groups"])
    except NotImplementedError:
        return False
