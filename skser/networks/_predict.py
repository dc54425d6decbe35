"""Keras networks: building, predicting and writing them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import _layers  # noqa: F401 (registers custom layers)
from ._forks import check_not_forked
from ._rows import predict_in_blocks
from ._tensorflow import keras, tf


def build_model(config: str, weights: list[np.ndarray]) -> keras.Model:
    """The Keras model of a configuration (JSON), with its weights in Keras' order."""
    check_not_forked()
    model = keras.models.model_from_json(config)
    model.set_weights(weights)
    return model


class PredictionFunction:
    """Probabilities of rows, traced once for any number of rows and frames.

    Keras' own ``predict`` takes 40 ms for one clip.
    """

    def __init__(self, model: keras.Model) -> None:
        # The graph has weak references to the variables of the model.
        self.model = model
        rows = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
        predict = tf.function(lambda rows: model(rows, training=False))
        self.graph = predict.get_concrete_function(rows)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        check_not_forked()
        return predict_in_blocks(
            lambda rows: self.graph(tf.constant(rows)).numpy(), X, self.model.input_shape
        )


def write_network(model: keras.Model, folder: Path) -> None:
    """Write ``model.json``, ``weights.h5`` and ``model.keras``."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    (folder / "model.json").write_text(model.to_json(indent=1), encoding="utf-8")
    with ignore_array_warning():
        # Keras' save_weights only accepts names that end in .weights.h5.
        with h5py.File(folder / "weights.h5", "w") as file:
            save_weights_to_hdf5_group(file, model)
        model.save(folder / "model.keras")


@contextmanager
def ignore_array_warning() -> Iterator[None]:
    """Ignore NumPy's deprecation warning about how Keras reads variables."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield
