"""predict_table: labels of recordings, and the reasons not to trust some of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._utils._param_validation import NONE, check_value, number
from ..audio._recordings import as_recordings
from ..exceptions import ParameterError
from ..recipes._steps import check_class_names, check_gives_probabilities
from ._batches import ProbabilisticModel, flag_out_of_distribution, predict_in_batches
from ._training_audio import TrainingAudio

__all__ = ["predict_table"]

_COLUMNS = ("file", "emotion", "confidence", "ood_reasons", "error")


def predict_table(
    pipeline: ProbabilisticModel,
    recordings: Any,
    *,
    abstain_below: float | None = None,
    training_audio: TrainingAudio | None = None,
) -> pd.DataFrame:
    """Label recordings, and say which labels not to trust.

    A recording that cannot be used costs only its own label: its row has the reason.

    Parameters
    ----------
    pipeline : estimator
        Fitted, from recordings to emotions, with ``predict_proba``; preferably calibrated, see
        :mod:`skser.calibration`.
    recordings : sequence of recordings or waveforms
        Paths, file-like objects, bytes, or waveforms at the ``sr`` of the pipeline's loader.
    abstain_below : float or None, default=None
        Smallest probability with which an emotion is named, in [0, 1]. None names all.
    training_audio : TrainingAudio or None, default=None
        Statistics of the training recordings; adds the column ``ood_reasons``.

    Returns
    -------
    table : DataFrame
        One row for each recording, with the columns ``file``, its path, or ``recording`` and its
        index if it has none; ``emotion``, the most probable, None if the model abstains;
        ``confidence``, its probability; ``ood_reasons``, why the recording is out of distribution,
        empty if it is not; ``error``, why it could not be used, else None; and the probability of
        each emotion in a column of its name. In a row with an error, the others are None or NaN.

    Raises
    ------
    ParameterError
        ``abstain_below`` is not in [0, 1], ``training_audio`` is not a TrainingAudio, or the
        pipeline has no ``predict_proba``.
    DataError
        There are no recordings, a waveform is empty or not finite, or an emotion has the name of
        another column.

    See Also
    --------
    skser.predict_timeline : Emotions over the time of one long recording.

    Examples
    --------
    >>> from skser import predict_table
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.inference._training_audio import TrainingAudio
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], random_state=0)
    >>> pipeline = pipeline.fit(speech.waveforms, speech.target)
    >>> training = TrainingAudio.of(pipeline, speech.waveforms)
    >>> table = predict_table(pipeline, [speech.waveforms[0], "no.wav"], training_audio=training)
    >>> table[["file", "emotion", "ood_reasons", "error"]]
              file emotion ood_reasons           error
    0  recording 0   angry                        None
    1       no.wav    None        None  does not exist
    """
    check_value("abstain_below", abstain_below, number(0, 1), NONE)
    if training_audio is not None and not isinstance(training_audio, TrainingAudio):
        raise ParameterError(
            f"training_audio must be a TrainingAudio or None, got {training_audio!r:.80}"
        )
    check_gives_probabilities(pipeline)
    check_class_names(pipeline, _COLUMNS)
    classes = np.asarray(pipeline.classes_).tolist()
    sources = as_recordings(recordings, "recordings")
    stream = predict_in_batches(pipeline, sources)
    if training_audio is not None:
        stream = flag_out_of_distribution(stream, training_audio)
    predictions = list(stream)
    unknown = np.full(len(classes), np.nan)
    probabilities = np.stack(
        [unknown if p.probabilities is None else p.probabilities for p in predictions]
    )
    confidence = probabilities.max(axis=1)
    is_named = confidence >= (abstain_below or 0.0)
    best = np.nan_to_num(probabilities).argmax(axis=1)
    texts: dict[str, list[str | None]] = {
        "file": [s if isinstance(s, str) else f"recording {i}" for i, s in enumerate(sources)],
        "emotion": [classes[i] if named else None for i, named in zip(best, is_named, strict=True)],
        "ood_reasons": [None if p.error else "; ".join(p.ood_reasons) for p in predictions],
        "error": [p.error for p in predictions],
    }
    table = pd.DataFrame(texts, dtype=object)
    table.insert(2, "confidence", confidence)
    if training_audio is None:
        del table["ood_reasons"]
    return pd.concat([table, pd.DataFrame(probabilities, columns=classes)], axis=1)
