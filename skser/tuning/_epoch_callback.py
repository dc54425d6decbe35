"""EpochReports: intermediate scores of a network between epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..classifiers import CNNEmotionClassifier
from ..exceptions import DataError
from ..networks._rows import predict_in_blocks, without_nan
from ..networks._tensorflow import keras
from ..recipes._steps import steps_before
from ._pruning import Reports


class EpochReports(keras.callbacks.Callback):
    """Report the score of a network on the test clips of a fold, so that a pruner can stop it.

    Networks do not get the test clips, so the callback transforms these with the fitted steps
    before its network, which it looks up in the pipeline that is being fitted.
    """

    def __init__(
        self, reports: Reports, pipeline: BaseEstimator, clips: np.ndarray, truth: np.ndarray
    ) -> None:
        super().__init__()
        self.reports = reports
        self.pipeline = pipeline
        self.clips = clips
        self.truth = truth
        self._rows: np.ndarray | None = None

    def __sklearn_clone__(self) -> EpochReports:
        return self  # clones of the pipeline report to the same trial

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise DataError(f"the loss is {loss} after epoch {epoch + 1}")
        share = (epoch + 1) / self.params["epochs"]
        if self.reports.is_due(share):
            steps, network = steps_before(self.pipeline, self._is_mine)
            # Some estimators fit copies that the pipeline does not show.
            if hasattr(network, "classes_"):
                predicted = self._predict(Pipeline(steps), network)
                self.reports.within_fold(share, self.truth, predicted)

    def _predict(self, steps: Pipeline, network: CNNEmotionClassifier) -> np.ndarray:
        """Labels of the test clips after the epochs so far."""
        if self._rows is None:
            features = steps.transform(self.clips)
            features = features.values[:, 0] if hasattr(features, "values") else features
            self._rows = without_nan(features)
        probabilities = predict_in_blocks(
            lambda rows: np.asarray(self.model(rows, training=False)),
            self._rows,
            self.model.input_shape,
        )
        return network.classes_[probabilities.argmax(axis=1)]

    def _is_mine(self, step: BaseEstimator) -> bool:
        return any(callback is self for callback in getattr(step, "callbacks", None) or ())
