"""Predictions of recordings in batches, with an error in place of each unusable recording.

`skser predict` uses it, so it imports neither scikit-learn nor pandas.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, starmap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._utils._files import absolute_path
from ..audio._info import describe
from ..exceptions import AudioError, DownloadError, ModelError, SkserError
from ._silence import SilenceWatch

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from ..audio import AudioLoader
    from ._training_audio import TrainingAudio

_BATCH_SIZE = 64


class Prediction(NamedTuple):
    """Probabilities of a recording, None if it is unusable or silent, and reasons for doubt."""

    file: Any  # a path; in `predict_table` also content or a waveform
    probabilities: np.ndarray | None
    error: str | None = None
    silence: bool = False
    ood_reasons: tuple[str, ...] = ()


def predict_in_batches(pipeline: BaseEstimator, files: Iterable[Any]) -> Iterator[Prediction]:
    """Predictions of a fitted pipeline."""
    from ..recipes._steps import loader_of

    loader = loader_of(pipeline)
    remaining = iter(files)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        predictions: Iterable[Prediction]
        watch = SilenceWatch(loader)
        try:
            with watch.watching():
                probabilities = pipeline.predict_proba(batch)
            labelled = starmap(Prediction, zip(batch, probabilities, strict=True))
            predictions = (_mark_silence(prediction, watch) for prediction in labelled)
        except (DownloadError, ModelError):  # of all recordings alike
            raise
        except SkserError:  # predicting each alone finds the unusable recordings
            predictions = predict_each(
                lambda file: pipeline.predict_proba([file])[0], batch, loader
            )
        yield from predictions


def predict_each(
    predict: Callable[[Any], np.ndarray], files: Iterable[Any], loader: AudioLoader | None = None
) -> Iterator[Prediction]:
    """Predictions of a function of one recording."""
    for file in files:
        watch = SilenceWatch(loader)
        try:
            with watch.watching():
                prediction = Prediction(file, predict(file))
            prediction = _mark_silence(prediction, watch)
        except (DownloadError, ModelError):
            raise
        except SkserError as error:
            prediction = _failure(file, error)
        yield prediction


def _mark_silence(prediction: Prediction, watch: SilenceWatch) -> Prediction:
    """The same prediction, without probabilities for silence."""
    try:
        is_silent = watch.is_silent(prediction.file)
    except AudioError as error:  # the loader put silence in place of the recording
        return _failure(prediction.file, error)
    return prediction._replace(probabilities=None, silence=True) if is_silent else prediction


def flag_out_of_distribution(
    predictions: Iterable[Prediction],
    training: TrainingAudio,
    known: dict[str | bytes, tuple[str, ...]] | None = None,
) -> Iterator[Prediction]:
    """The predictions, with the reasons why a recording is out of distribution.

    A recording that the prediction decodes is measured then, and not decoded again; ``known`` are
    the reasons from `TrainingAudio.watch` of earlier predictions.
    """
    remaining = iter(predictions)
    known = {} if known is None else known
    while True:
        with training.watch(known):
            prediction = next(remaining, None)
        if prediction is None:
            return
        if prediction.probabilities is not None:
            try:
                reasons = known.pop(_key(prediction.file), None)
                if reasons is None:
                    reasons = training.ood_reasons(prediction.file)
                prediction = prediction._replace(ood_reasons=reasons)
            except AudioError as error:  # the loader put silence in place of the recording
                prediction = _failure(prediction.file, error)
        yield prediction


def _key(file: Any) -> Any:
    """The source of a recording by which `TrainingAudio.watch` knows it."""
    is_path = isinstance(file, (str, os.PathLike))
    return absolute_path(file) if is_path else file if isinstance(file, bytes) else None


def _failure(file: object, error: SkserError) -> Prediction:
    reason = str(error).removeprefix(f"{name_of(file)}: ")
    if isinstance(file, (str, os.PathLike)):  # which a decoder names as an absolute path
        reason = reason.removeprefix(f"{describe(absolute_path(file))}: ")
    return Prediction(file, None, reason)


def name_of(file: object) -> str:
    """Name of a recording in messages."""
    return describe(file) if isinstance(file, (str, bytes)) else str(file)
