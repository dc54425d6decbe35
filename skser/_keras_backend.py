"""All that touches scikeras, and the whole of training and prediction with Keras.

scikeras trains. It does not predict, because Keras' ``predict`` costs 40 ms for one clip and
scikeras drops the first axis of a single row. A network is kept as its configuration (JSON) and
its weights (arrays), which pickle anywhere.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from . import _layers  # noqa: F401 (Keras loads a network whose layers are registered)
from ._checkpoint import Checkpoint
from ._draws import Draws
from ._rows import ask_in_blocks
from ._tensorflow import keras, tf  # before scikeras, which would import them aloud
from ._trained_network import TrainedNetwork
from ._training import EpochBar, TrainingSettings, make_callbacks, make_loss, make_optimizer

from scikeras.wrappers import KerasClassifier  # isort: skip
from tensorflow.python.framework import config as tf_config  # isort: skip

History = dict[str, list[float]]

_BATCHES_AHEAD = 4
_ONE_FIT = Lock()


class _DrawsClassifier(KerasClassifier):
    """scikeras' classifier, trained on batches that are drawn anew in every epoch.

    It is handed one number and label for each clip, which it checks, and its encoders put the
    batches in their place.
    """

    @property
    def feature_encoder(self) -> FunctionTransformer:
        return FunctionTransformer(
            lambda _: _as_dataset(self.draws_, self.first_epoch_, self.model_.input_shape)
        )

    @property
    def target_encoder(self) -> FunctionTransformer:
        return FunctionTransformer(lambda _: None)


@contextmanager
def _numpy_not_warning() -> Iterator[None]:
    """Keras reads variables in a way that NumPy will no longer allow."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


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
    draws: Draws,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
    *,
    build: Callable[[], keras.Model],
    settings: TrainingSettings,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: Path | None = None,
    seed: int,
    verbose: int = 0,
) -> tuple[TrainedNetwork, History]:
    """Train a network.

    Parameters
    ----------
    draws : Draws
        What to train on.
    validation : tuple of ndarray or None
        Rows, targets and weights that are watched.
    build : callable
        Makes the network.
    settings : TrainingSettings
        How to train.
    callbacks : sequence of keras.callbacks.Callback
        Called beside our own.
    checkpoint : Path or None
        File of the state after each epoch, from which training is taken up if it is there.
    seed : int
        Seed of weights and dropout.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    network : TrainedNetwork
        The trained network.
    history : dict of list of float
        Loss and accuracy after each epoch; ``val_*`` where there is a validation part.
    """
    watching = make_callbacks(settings, "loss" if validation is None else "val_loss")
    own = [Checkpoint(checkpoint, watching)] if checkpoint else []
    n_done = own[0].n_epochs if own else 0
    every = [*watching, *callbacks, *own, *([EpochBar()] if verbose else [])]

    def compiled() -> keras.Model:
        model = build()
        # Compiling with XLA makes small networks slower on a CPU.
        model.compile(
            make_optimizer(settings, draws.n_batches),
            loss=make_loss(settings),
            weighted_metrics=["accuracy"],
            jit_compile=False,
        )
        return model

    wrapped = _DrawsClassifier(
        model=compiled,
        # Always a seed: scikeras turns determinism on, and then an unseeded fit fails.
        random_state=seed,
        callbacks=every or None,
        fit__validation_data=validation,
        verbose=0,
        shuffle=False,
    )
    # Attributes that end in _ are no parameters, which scikeras would hand to `compiled`.
    wrapped.draws_, wrapped.first_epoch_ = draws, n_done
    rows = np.zeros((len(draws.targets), 1))
    labels = draws.targets.argmax(axis=1)
    # Seed and determinism belong to the process, so fits in threads take turns.
    with _ONE_FIT, _determinism_restored(), _numpy_not_warning():
        if own and own[0].is_done:
            wrapped.initialize(rows, labels)
            own[0].restore(wrapped.model_)
            history = own[0].history
        else:
            wrapped.fit(rows, labels, initial_epoch=n_done, epochs=settings.epochs - n_done)
            history = own[0].history if own else wrapped.history_
    for callback in every:
        # A network could not be pickled. TensorBoard's own set_model would look into it.
        keras.callbacks.Callback.set_model(callback, None)
    model = wrapped.model_
    names = {name: [float(v) for v in values] for name, values in history.items()}
    return TrainedNetwork(model.to_json(), model.get_weights()), names


def _as_dataset(draws: Draws, first_epoch: int, input_shape: tuple) -> tf.data.Dataset:
    """The batches of an epoch; each time it is gone through, those of the next."""
    epochs = count(first_epoch)
    n_frames = input_shape[1] if draws.is_sequence else None
    signature = (
        tf.TensorSpec(input_shape, tf.float32),
        tf.TensorSpec([None, draws.targets.shape[1]], tf.float32),
        tf.TensorSpec([None], tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: draws.epoch(next(epochs), n_frames), output_signature=signature
    )
    n_batches = tf.data.experimental.assert_cardinality(draws.n_batches)
    return dataset.apply(n_batches).prefetch(_BATCHES_AHEAD)


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
        return ask_in_blocks(
            lambda rows: self.graph(tf.constant(rows)).numpy(), X, self.model.input_shape
        )


def write_network(config: str, weights: list[np.ndarray], folder: Path) -> None:
    """Write ``model.json``, ``weights.h5`` and ``model.keras``, as Keras programs read them."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    model = keras.models.model_from_json(config)
    model.set_weights(weights)
    (folder / "model.json").write_text(model.to_json(indent=1), encoding="utf-8")
    with _numpy_not_warning():
        # Keras' own save_weights insists on another name than programs look for.
        with h5py.File(folder / "weights.h5", "w") as file:
            save_weights_to_hdf5_group(file, model)
        model.save(folder / "model.keras")
