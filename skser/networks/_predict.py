"""Keras networks: from configuration and weights to a model, its probabilities and its files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import _layers  # noqa: F401 (registers the layers that a configuration names)
from ._rows import ask_in_blocks
from ._tensorflow import keras, tf


def build_model(config: str, weights: list[np.ndarray]) -> keras.Model:
    """The Keras model of a configuration (JSON), with its weights in Keras' order."""
    model = keras.models.model_from_json(config)
    model.set_weights(weights)
    return model


class PredictionFunction:
    """From rows to probabilities, traced once for any number of rows and frames.

    Keras' own ``predict`` costs 40 ms for one clip.

    Parameters
    ----------
    model : keras.Model
        The network.
    """

    def __init__(self, model: keras.Model) -> None:
        # The graph refers to the model's variables weakly, so the model is kept.
        self.model = model
        rows = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
        predict = tf.function(lambda rows: model(rows, training=False))
        self.graph = predict.get_concrete_function(rows)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return ask_in_blocks(
            lambda rows: self.graph(tf.constant(rows)).numpy(), X, self.model.input_shape
        )


def write_network(model: keras.Model, folder: Path) -> None:
    """Write ``model.json``, ``weights.h5`` and ``model.keras``, as Keras programs read them."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    (folder / "model.json").write_text(model.to_json(indent=1), encoding="utf-8")
    with numpy_not_warning():
        # Keras' own save_weights insists on another name than programs look for.
        with h5py.File(folder / "weights.h5", "w") as file:
            save_weights_to_hdf5_group(file, model)
        model.save(folder / "model.keras")


@contextmanager
def numpy_not_warning() -> Iterator[None]:
    """Keras reads variables in a way that NumPy will no longer allow."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield
