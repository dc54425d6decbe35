"""Predictions of a pipeline adapted to the recordings that it labels, without labels."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryDirectory
from typing import Any

from sklearn.base import BaseEstimator

from ..audio import AudioLoader
from ..audio._silence import SILENT
from ..exceptions import DataError, ParameterError
from ..features import SpeakerNormalizer
from ..recipes._standardization import ANY_SPEAKER, copied, has_scaler, standardize_on
from ..recipes._steps import extractions, steps_of
from ._batches import Prediction, name_of, predict_in_batches

# Fewer do not represent a corpus.
MIN_RECORDINGS = 20


def predict_adapted(pipeline: BaseEstimator, files: Iterable[Any]) -> tuple[int, list[Prediction]]:
    """Number of usable recordings, and predictions by a pipeline standardised over them."""
    if not has_scaler(pipeline):
        raise ParameterError(
            "adapt must be False for a pipeline without a scaler, such as FeatureScaler, got True"
        )
    own = copied(pipeline)
    for step in steps_of(own):
        if isinstance(step, AudioLoader):
            step.set_params(on_error="raise")  # silence is no reference
        if isinstance(step, SpeakerNormalizer):
            step.set_params(**ANY_SPEAKER)
    # The second prediction finds the features of the first.
    with TemporaryDirectory() as memory:
        for extraction in extractions(own):
            if extraction["features"].memory is None:
                extraction["features"].set_params(memory=memory)
        predictions = list(predict_in_batches(own, files))
        usable = [p.file for p in predictions if p.probabilities is not None]
        if len(usable) < MIN_RECORDINGS:
            failed = (p for p in predictions if p.probabilities is None)
            first = next((f"; {name_of(p.file)}: {p.error or SILENT}" for p in failed), "")
            raise DataError(
                f"recordings must include at least {MIN_RECORDINGS} usable ones to adapt to, got "
                f"{len(usable)} of {len(predictions)}{first}; predict fewer without adapting"
            )
        adapted = iter(list(predict_in_batches(standardize_on(own, usable), usable)))
    return len(usable), [p if p.probabilities is None else next(adapted) for p in predictions]
