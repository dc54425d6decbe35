"""WindowPredictor: probabilities of the emotions in windows of a long recording."""

from __future__ import annotations

from typing import cast

import numpy as np
from sklearn.pipeline import Pipeline

from .._utils._temperature import at_temperature
from ..audio import AudioLoader
from ..calibration import TemperatureScaledClassifier
from ..exceptions import ParameterError
from ..recipes._steps import check_class_names, check_gives_probabilities
from ._shared_frames import Cut, SharedFrames, split_at_embedding
from ._timeline_formats import COLUMNS


class WindowPredictor:
    """Predicts windows of one length, in ascending order, as a pipeline predicts recordings.

    Parameters
    ----------
    pipeline : Pipeline or TemperatureScaledClassifier
        Fitted; its first step is an AudioLoader, its last has ``predict_proba``.
    window : float
        Length of the windows in seconds.
    overlap : bool
        Whether windows overlap, and so may share the frames of an encoder.
    """

    def __init__(
        self, pipeline: Pipeline | TemperatureScaledClassifier, window: float, *, overlap: bool
    ) -> None:
        self.loader = window_loader(pipeline, window)
        self.classes: list[object] = pipeline.classes_.tolist()
        steps, self._temperature = pipeline, None
        if isinstance(pipeline, TemperatureScaledClassifier):
            steps, self._temperature = pipeline.estimator_, pipeline.temperature_
        self._steps = cast(Pipeline, steps)
        self._frames = None
        if overlap and (split := split_at_embedding(self._steps)) is not None:
            embedding, self._classifier = split
            self._frames = SharedFrames(embedding, round(window * self.loader.sr))

    @property
    def lookback(self) -> int:
        """Number of samples before a window that its probabilities may depend on."""
        return 0 if self._frames is None else self._frames.lookback

    def needs(self, spans: np.ndarray) -> np.ndarray:
        """Number of samples of the recording that have to be there for each window."""
        return spans[:, 1] if self._frames is None else self._frames.needs(spans)

    def __call__(self, spans: np.ndarray, n_samples: int, cut: Cut) -> np.ndarray:
        """Probabilities (n_windows, n_classes); the recording has at least ``n_samples``."""
        if self._frames is None:
            clips = self.loader.transform(list(cut(spans.tolist())))
            probabilities = self._steps[1:].predict_proba(clips)
        else:
            features = np.stack(list(self._frames.features(spans, n_samples, cut)))
            probabilities = self._classifier.predict_proba(features)
        if self._temperature is None:
            return probabilities
        return at_temperature(probabilities, self._temperature)


def window_loader(pipeline: Pipeline | TemperatureScaledClassifier, window: float) -> AudioLoader:
    """Check the pipeline, and return its loader for windows, of one channel and without limits."""
    steps = getattr(pipeline, "estimator_", pipeline)  # of a TemperatureScaledClassifier
    first = steps.steps[0][1] if isinstance(steps, Pipeline) else None
    if not isinstance(first, AudioLoader):
        name = type(pipeline if first is None else first).__name__
        raise ParameterError(f"pipeline must begin with an AudioLoader, got {name}")
    check_gives_probabilities(pipeline)
    if first.duration is not None and window > first.duration:
        raise ParameterError(
            f"window must be at most the duration of the loader, {first.duration:g}, got {window:g}"
        )
    check_class_names(pipeline, COLUMNS)
    whole = {"offset": 0.0, "max_duration": None, "on_error": "raise", "channel": "mean"}
    return AudioLoader(**{**first.get_params(), **whole})
