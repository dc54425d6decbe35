"""A model that ends its process, for tests of what is left."""

import os
import signal
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class FragileModel(ClassifierMixin, BaseEstimator):
    """Half calm, half sad; recordings with names like ``crash.wav`` and ``once.wav`` kill it."""

    def fit(self, X, y=None):
        self.classes_ = np.array(["calm", "sad"])
        return self

    def predict_proba(self, X):
        for path in map(Path, X):
            mark = path.with_suffix(".died")
            if path.stem == "crash" or (path.stem == "once" and not mark.exists()):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return np.full((len(X), 2), 0.5)
