"""predict_table: recordings in, and a table of labels with what there is to distrust in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ._answers import answers, with_doubts
from ._nested import check_class_names, check_gives_probabilities
from ._recordings import as_recordings
from ._validation import NONE, check_value, number
from .exceptions import ParameterError
from .familiarity import TrainingAudio

__all__ = ["predict_table"]

_COLUMNS = ("file", "emotion", "confidence", "unlike", "error")


def predict_table(
    pipeline: Any,
    recordings: Any,
    *,
    abstain_below: float | None = None,
    familiar: TrainingAudio | None = None,
) -> pd.DataFrame:
    """Label recordings, and say which labels not to trust.

    A recording that cannot be used costs no other: its row says what is wrong with it.

    Parameters
    ----------
    pipeline : estimator
        Fitted, from recordings to emotions, with ``predict_proba``; best one with calibrated
        probabilities, see :mod:`skser.calibration`.
    recordings : sequence of recordings or waveforms
        Paths, file-like objects, bytes, or waveforms at the ``sr`` of the pipeline's loader, which
        must not be empty and must be finite.
    abstain_below : float or None, default=None
        No emotion is named whose probability is below this, in [0, 1]. None names all.
    familiar : TrainingAudio or None, default=None
        What the training recordings sound like; adds the column ``unlike``.

    Returns
    -------
    table : DataFrame
        A row for each recording: ``file``, its path, or its place among the recordings where it has
        none; ``emotion``, the most probable, None where its probability is too low; ``confidence``,
        this probability; ``unlike``, what is outside of all training recordings, empty if nothing
        is; ``error``, why a recording could not be used, else None; and the probability of each
        emotion in a column of its name. Where there is an error, the others are None or NaN.

    Raises
    ------
    ParameterError
        ``abstain_below`` is not in [0, 1], ``familiar`` is no TrainingAudio, or the pipeline has no
        ``predict_proba``.
    DataError
        There are no recordings, a waveform is empty or not finite, or an emotion is named like
        another column.

    Examples
    --------
    >>> from skser import predict_table
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.familiarity import TrainingAudio
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> pipeline = pipeline.fit(speech.waveforms, speech.target)
    >>> training = TrainingAudio.of(pipeline, speech.waveforms)
    >>> table = predict_table(pipeline, [speech.waveforms[0], "no.wav"], familiar=training)
    >>> table[["file", "emotion", "unlike", "error"]]
              file emotion unlike           error
    0  recording 0   angry                   None
    1       no.wav    None   None  does not exist
    """
    check_value("abstain_below", abstain_below, number(0, 1), NONE)
    if familiar is not None and not isinstance(familiar, TrainingAudio):
        raise ParameterError(f"familiar must be a TrainingAudio or None, got {familiar!r:.80}")
    check_gives_probabilities(pipeline)
    check_class_names(pipeline, _COLUMNS)
    classes = np.asarray(pipeline.classes_).tolist()
    sources = as_recordings(recordings, "recordings")
    probabilities = np.full((len(sources), len(classes)), np.nan)
    found = answers(pipeline, sources)
    told = list(found if familiar is None else with_doubts(found, familiar))
    for row, answer in zip(probabilities, told, strict=True):
        if answer.probabilities is not None:
            row[:] = answer.probabilities
    confidence = probabilities.max(axis=1)
    is_named = confidence >= (0.0 if abstain_below is None else abstain_below)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    columns: dict[str, Any] = {
        "file": [
            source if isinstance(source, str) else f"recording {i}"
            for i, source in enumerate(sources)
        ],
        "emotion": [classes[i] if named else None for i, named in zip(best, is_named, strict=True)],
        "confidence": confidence,
        "unlike": [None if answer.error else "; ".join(answer.unlike) for answer in told],
        "error": [answer.error for answer in told],
    }
    if familiar is None:
        del columns["unlike"]
    texts = {
        name: values if name == "confidence" else pd.Series(values, dtype=object)
        for name, values in columns.items()
    }
    return pd.concat([pd.DataFrame(texts), pd.DataFrame(probabilities, columns=classes)], axis=1)
