"""Predictions for recordings, one by one: probabilities, or why a recording cannot be used.

Memory holds one batch; a recording that cannot be used costs only its own prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ..exceptions import AudioError, SkserError

if TYPE_CHECKING:
    from ._training_audio import TrainingAudio

_BATCH_SIZE = 64


class ProbabilisticModel(Protocol):
    """Fitted estimator from recordings to emotions."""

    classes_: np.ndarray

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n_recordings, n_classes)."""


class Prediction(NamedTuple):
    """Probabilities of a recording, or its error, and why it is out of distribution."""

    file: Any  # a path; in `predict_table` also content or a waveform
    probabilities: np.ndarray | None
    error: str | None = None
    ood_reasons: tuple[str, ...] = ()


def predict_in_batches(model: ProbabilisticModel, files: Iterable[Any]) -> Iterator[Prediction]:
    """Predictions of a fitted pipeline."""
    remaining = iter(files)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        rows = None
        # If one recording cannot be used, predicting each alone finds which.
        with suppress(SkserError):
            rows = model.predict_proba(batch)
        if rows is None:
            yield from predict_each(lambda file: model.predict_proba([file])[0], batch)
        else:
            yield from map(Prediction, batch, rows)


def predict_each(
    predict: Callable[[Any], np.ndarray], files: Iterable[Any]
) -> Iterator[Prediction]:
    """Predictions of a function of one recording."""
    for file in files:
        try:
            prediction = Prediction(file, predict(file))
        except SkserError as error:
            prediction = _failure(file, error)
        yield prediction


def flag_out_of_distribution(
    predictions: Iterable[Prediction], training: TrainingAudio
) -> Iterator[Prediction]:
    """The same predictions, with the reasons why a recording is out of distribution."""
    for prediction in predictions:
        if prediction.probabilities is not None:
            try:
                reasons = training.ood_reasons(prediction.file)
                prediction = prediction._replace(ood_reasons=reasons)
            except AudioError as error:  # the loader put silence in its place
                prediction = _failure(prediction.file, error)
        yield prediction


def _failure(file: Any, error: SkserError) -> Prediction:
    return Prediction(file, None, str(error).removeprefix(f"{file}: "))
