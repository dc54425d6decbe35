"""predict_table: labels of recordings, and reasons not to trust them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .._utils._param_validation import BOOLEAN, NONE, check_value, number
from .._utils._segment import Segment
from .._utils._types import Recordings
from ..audio._forms import as_recordings
from ..evaluation._corpus import is_matrix
from ..exceptions import DataError, ParameterError
from ..recipes._steps import check_class_names, check_gives_probabilities, first_of_recordings
from ._adaptation import predict_adapted
from ._batches import Prediction, flag_out_of_distribution, predict_in_batches
from ._training_audio import TrainingAudio

__all__ = ["predict_table"]

_COLUMNS = ("file", "emotion", "confidence", "silence", "ood_reasons", "error", "adapted_to")


def predict_table(
    pipeline: BaseEstimator,
    recordings: Recordings,
    *,
    abstain_below: float | None = None,
    training_audio: TrainingAudio | Mapping[str, Any] | None = None,
    adapt: bool = False,
) -> pd.DataFrame:
    """Predict labels of recordings, and flag those not to trust.

    An unusable recording gets a row with its error, and a silent one a row without an emotion; the
    others are not affected.

    Parameters
    ----------
    pipeline : estimator
        Fitted pipeline with ``predict_proba``, preferably calibrated (:mod:`skser.calibration`).
    recordings : sequence of recordings or waveforms
        Paths, file-like objects, bytes, ``(waveform, sr)``, rows of a Hugging Face dataset, or
        waveforms at the ``sr`` of the pipeline's loader.
    abstain_below : float or None, default=None
        Leave ``emotion`` empty if its probability is below, in [0, 1]. None labels all.
    training_audio : TrainingAudio, dict or None, default=None
        Statistics of the training recordings, for the column ``ood_reasons``: also as a dict, as
        ``load_info("model.skser").audio`` is (:func:`skser.persistence.load_info`).
    adapt : bool, default=False
        Standardise features by these recordings, at least 20 of which must be usable, instead of
        the training data. This needs no labels, and helps if rooms, microphones or languages differ
        from the training data; all emotions should occur. A prediction then depends on the other
        recordings.

    Returns
    -------
    table : DataFrame
        A row for each recording: ``file``, its path or, without one, its index; ``emotion``, the
        most probable, or None; ``confidence``, its probability; ``silence``, a bool, whether the
        part of the recording that the pipeline takes is silent or constant; ``ood_reasons``, why
        the recording is out of distribution, or an empty string; ``error``, why it is unusable, or
        None; with ``adapt``, ``adapted_to``, the number of recordings adapted to; and a column with
        the probability of each emotion. Rows with an error, or with silence, have None and NaN.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed, or the pipeline has no ``predict_proba``, or
        no scaler for ``adapt=True``.
    DataError
        There are no recordings, or fewer than 20 usable ones with ``adapt``, a waveform is empty
        or not finite, an emotion has the name of another column, or the pipeline takes features.

    See Also
    --------
    skser.predict_timeline : Predict emotions over the time of a long recording.
    skser.datasets.check_audio : Defines silence.

    Examples
    --------
    >>> from skser import predict_table
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> pipeline = pipeline.fit(speech.waveforms, speech.target)
    >>> table = predict_table(pipeline, [speech.waveforms[0], "no.wav"])
    >>> table[["file", "emotion", "error"]]
              file emotion           error
    0  recording 0   angry            None
    1       no.wav    None  does not exist
    """
    check_value("abstain_below", abstain_below, number(0, 1), NONE)
    check_value("adapt", adapt, BOOLEAN)
    if isinstance(training_audio, Mapping):
        training_audio = TrainingAudio.from_dict(training_audio)
    if training_audio is not None and not isinstance(training_audio, TrainingAudio):
        raise ParameterError(
            f"training_audio must be a TrainingAudio, a dict or None, got {training_audio!r:.80}"
        )
    check_gives_probabilities(pipeline)
    check_class_names(pipeline, _COLUMNS)
    classes = pipeline.classes_.tolist()
    if first_of_recordings(pipeline) is None and is_matrix(recordings):
        raise DataError(
            "recordings must be a list of recordings, got a "
            f"{type(recordings).__name__} of numbers, which are features for a pipeline without a "
            "step for recordings: label them with its predict and predict_proba"
        )
    sources = as_recordings(recordings, "recordings")
    n_adapted = None
    stream: Iterable[Prediction]
    if adapt:
        n_adapted, stream = predict_adapted(pipeline, sources)
    else:
        stream = predict_in_batches(pipeline, sources)
    if training_audio is not None:
        stream = flag_out_of_distribution(stream, training_audio)
    predictions = list(stream)
    unknown = np.full(len(classes), np.nan)
    probabilities = np.stack(
        [unknown if p.probabilities is None else p.probabilities for p in predictions]
    )
    confidence = probabilities.max(axis=1)
    emotions = np.array(classes, object)[np.nan_to_num(probabilities).argmax(axis=1)]
    columns = {
        "file": [
            str(s) if isinstance(s, (str, Segment)) else f"recording {i}"
            for i, s in enumerate(sources)
        ],
        "emotion": np.where(confidence >= (abstain_below or 0.0), emotions, None),
        "confidence": confidence,
        "silence": [p.silence for p in predictions],
        "ood_reasons": [None if p.error else "; ".join(p.ood_reasons) for p in predictions],
        "error": [p.error for p in predictions],
    }
    if adapt:
        columns["adapted_to"] = n_adapted
    table = pd.DataFrame(columns, dtype=object).astype({"confidence": float, "silence": bool})
    if training_audio is None:
        del table["ood_reasons"]
    return pd.concat([table, pd.DataFrame(probabilities, columns=classes)], axis=1)
