"""All that touches Keras, TensorFlow and scikeras: train a network, keep it, ask it.

scikeras trains. It does not predict, because Keras' ``predict`` costs 40 ms for one clip and
scikeras drops the first axis of a single row. A network is kept as its configuration (JSON) and
its weights (arrays), which pickle anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

from . import networks
from ._progress import progress
from ._tensorflow import keras, tf  # before scikeras, which would import them aloud
from ._trained_network import TrainedNetwork

from scikeras.wrappers import KerasClassifier  # isort: skip
from tensorflow.python.framework import config as tf_config  # isort: skip

_ROWS_AT_ONCE = 256
_ONE_FIT = Lock()


class _EpochBar(keras.callbacks.Callback):
    """One progress bar for all epochs, with the last epoch's figures."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.bar = progress(total=self.params["epochs"], desc="training", unit="epoch")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in (logs or {}).items()})
        self.bar.update()

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.close()


@contextmanager
def _determinism_restored() -> Iterator[None]:
    """Switch off what scikeras switches on for good: other code may go unseeded."""
    name = "TF_DETERMINISTIC_OPS"
    before = os.environ.get(name)
    was_on = tf_config.is_op_determinism_enabled()
    try:
        yield
    finally:
        if not was_on:
            tf_config.disable_op_determinism()
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before


def train(
    X: np.ndarray,
    y: np.ndarray,
    *,
    n_classes: int,
    sample_weight: np.ndarray | None,
    validation: tuple[np.ndarray, np.ndarray] | None,
    network: dict[str, Any],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    verbose: int,
) -> tuple[TrainedNetwork, dict[str, list[float]]]:
    """Train a network on rows ``X`` with classes ``y`` in range(n_classes).

    Returns
    -------
    network : TrainedNetwork
        The trained network.
    history : dict of list of float
        Loss and accuracy after each epoch; ``val_*`` where there is a validation part.
    """
    shape = X.shape[1:] if X.ndim == 2 else (None, X.shape[2])
    meta = networks.NetworkMeta(shape, n_classes)

    def build() -> keras.Model:
        model = networks.conv1d(meta, **network)
        # Compiling with XLA makes small networks slower on a CPU.
        model.compile(
            keras.optimizers.Adam(learning_rate),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=False,
        )
        return model

    wrapped = KerasClassifier(
        model=build,
        loss="sparse_categorical_crossentropy",
        # Always a seed: scikeras turns determinism on, and then an unseeded fit fails.
        random_state=seed,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=True,
        callbacks=[_EpochBar()] if verbose else None,
        fit__validation_data=validation,
        verbose=0,
    )
    # Seed and determinism belong to the process, so fits in threads take turns.
    with _ONE_FIT, _determinism_restored():
        wrapped.fit(X, y, sample_weight=sample_weight)
    model = wrapped.model_
    trained = TrainedNetwork(model.to_json(), model.get_weights())
    history = {name: [float(v) for v in values] for name, values in wrapped.history_.items()}
    return trained, history


class PredictionFunction:
    """From rows to probabilities, traced once for any number of rows and frames."""

    def __init__(self, config: str, weights: list[np.ndarray]) -> None:
        # The graph refers to the model's variables weakly, so the model is kept.
        self.model = keras.models.model_from_json(config)
        self.model.set_weights(weights)
        rows = tf.TensorSpec([None, *self.model.input_shape[1:]], tf.float32)
        ask = tf.function(lambda rows: self.model(rows, training=False))
        self.graph = ask.get_concrete_function(rows)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        starts = range(0, len(X), _ROWS_AT_ONCE)
        blocks = [self.graph(tf.constant(X[i : i + _ROWS_AT_ONCE], tf.float32)) for i in starts]
        return np.concatenate([block.numpy() for block in blocks])
