"""The training of a network: scikeras builds it from a seed, Keras trains it on fresh batches.

A network is kept as its configuration (JSON) and its weights (arrays), which pickle anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from threading import Lock

import numpy as np

from ._batches import Draws
from ._checkpoint import Checkpoint
from ._optimization import EpochBar, TrainingSettings, make_callbacks, make_loss, make_optimizer
from ._predict import numpy_not_warning
from ._tensorflow import keras, tf  # before scikeras, which would import them aloud
from ._trained_network import TrainedNetwork

from scikeras.utils.random_state import tensorflow_random_state  # isort: skip
from scikeras.wrappers import KerasClassifier  # isort: skip
from tensorflow.python.framework.config import is_op_determinism_enabled  # isort: skip

History = dict[str, list[float]]

_BATCHES_AHEAD = 4
_ONE_FIT = Lock()
# TensorFlow looks at its environment when it is first asked. scikeras asks after it has changed the
# environment, would take determinism for the user's wish, and never switch it off.
is_op_determinism_enabled()


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

    # scikeras wants rows and labels to describe the data; the rows of an epoch come from `draws`.
    clips = np.arange(len(draws.targets))
    wrapped = KerasClassifier(compiled, random_state=seed)
    # Seed and determinism belong to the process, so fits in threads take turns.
    with _ONE_FIT, numpy_not_warning():
        model = wrapped.initialize(clips[:, np.newaxis], draws.targets.argmax(axis=1)).model_
        if own and own[0].is_done:
            own[0].restore(model)
            history = own[0].history
        else:
            with tensorflow_random_state(seed):
                fitted = model.fit(
                    _as_dataset(draws, n_done, model.input_shape),
                    validation_data=validation,
                    initial_epoch=n_done,
                    epochs=settings.epochs,
                    callbacks=every,
                    shuffle=False,  # a dataset in its own order
                    verbose=0,
                )
            history = own[0].history if own else fitted.history
    for callback in every:
        # A network could not be pickled. TensorBoard's own set_model would look into it.
        keras.callbacks.Callback.set_model(callback, None)
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
