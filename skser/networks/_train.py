"""Training of a network: scikeras builds it from a seed, Keras trains it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock

import numpy as np

from ..exceptions import SkserError
from ._batches import Draws
from ._checkpoint import Checkpoint
from ._dtype_policy import dtype_policy
from ._optimization import EpochBar, TrainingSettings, make_callbacks, make_loss, make_optimizer
from ._predict import ignore_array_warning
from ._tensorflow import keras, tf  # before scikeras, which would import it with messages
from ._trained_network import TrainedNetwork
from ._warm_start import Start

from scikeras.utils.random_state import tensorflow_random_state  # isort: skip
from scikeras.wrappers import KerasClassifier  # isort: skip
from tensorflow.python.framework.config import is_op_determinism_enabled  # isort: skip

History = dict[str, list[float]]

_BATCHES_AHEAD = 4
_ONE_FIT = Lock()
# TensorFlow reads its environment at the first call. After scikeras has changed the environment,
# TensorFlow would take determinism for the user's choice and never switch it off.
is_op_determinism_enabled()


def train(
    draws: Draws,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
    *,
    build: Callable[[], keras.Model],
    start: Start | None = None,
    settings: TrainingSettings,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: Path | None = None,
    seed: int,
    verbose: int = 0,
) -> tuple[TrainedNetwork, History]:
    """Train a network on draws; ``validation`` is rows, targets and weights to monitor.

    With ``start``, the loss compares only the classes that have clips. The network would otherwise
    learn never to predict the others.
    """
    drawn = draws.targets.any(axis=0)
    classes = None if start is None or drawn.all() else np.flatnonzero(drawn)
    monitors = make_callbacks(settings, "loss" if validation is None else "val_loss")
    state = Checkpoint(checkpoint, monitors) if checkpoint else None
    n_done = state.n_epochs if state else 0
    all_callbacks = [*monitors, *callbacks]
    all_callbacks += [state] if state else []
    all_callbacks += [EpochBar()] if verbose else []

    def compiled() -> keras.Model:
        with dtype_policy(settings.dtype_policy):
            model = build()
        if start is not None:
            start.set_in(model)
        # Compiling with XLA makes small networks slower on a CPU. Keras scales the loss if the
        # policy is "mixed_float16".
        model.compile(
            make_optimizer(settings, draws.n_batches),
            loss=make_loss(settings, classes),
            weighted_metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
            jit_compile=False,
        )
        # TensorFlow traces a step twice if the first time creates variables: these, or a metric's.
        model.optimizer.build(model.trainable_variables)
        return model

    # scikeras reads the number of classes from rows and labels; the batches come from `draws`.
    clips = np.arange(len(draws.targets))
    wrapped = KerasClassifier(compiled, random_state=seed)
    # Seed and determinism belong to the process, so fits in threads take turns.
    with _ONE_FIT, ignore_array_warning():
        model = wrapped.initialize(clips[:, np.newaxis], draws.targets.argmax(axis=1)).model_
        if state and state.is_done:
            state.restore(model)
            history = state.history
        else:
            with tensorflow_random_state(seed), _raising_own_errors() as errors:
                fitted = model.fit(
                    _as_dataset(draws, n_done, model.input_shape, errors),
                    validation_data=validation,
                    initial_epoch=n_done,
                    epochs=settings.epochs,
                    callbacks=all_callbacks,
                    shuffle=False,  # `draws` shuffles
                    verbose=0,
                )
            history = state.history if state else fitted.history
        in_float32 = model
        if settings.dtype_policy != "float32":
            # Keras writes conversions to 16 bits into the configuration.
            with dtype_policy("float32"), tensorflow_random_state(seed):
                in_float32 = build()
    for callback in all_callbacks:
        # Callbacks with a network do not pickle. TensorBoard's own set_model would look into it.
        keras.callbacks.Callback.set_model(callback, None)
    history = {name: [float(v) for v in values] for name, values in history.items()}
    return TrainedNetwork(_config_of(in_float32), model.get_weights()), history


def _config_of(model: keras.Model) -> str:
    config = json.loads(model.to_json())
    config.pop("compile_config", None)  # of use in training alone
    return json.dumps(config)


@contextmanager
def _raising_own_errors() -> Iterator[list[SkserError]]:
    """Raise the errors of batches, such as of features on disk, in place of TensorFlow's."""
    errors: list[SkserError] = []
    try:
        yield errors
    except tf.errors.OpError:
        if errors:
            raise errors[0] from None
        raise


def _as_dataset(
    draws: Draws, first_epoch: int, input_shape: tuple, errors: list[SkserError]
) -> tf.data.Dataset:
    """The batches of an epoch; each iteration gives the next, ``errors`` those raised."""
    epochs = count(first_epoch)
    n_frames = input_shape[1] if draws.is_sequence else None
    signature = (
        tf.TensorSpec(input_shape, tf.float32),
        tf.TensorSpec([None, draws.targets.shape[1]], tf.float32),
        tf.TensorSpec([None], tf.float32),
    )

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        try:
            yield from draws.epoch(next(epochs), n_frames)
        except SkserError as error:
            errors.append(error)
            raise

    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    n_batches = tf.data.experimental.assert_cardinality(draws.n_batches)
    return dataset.apply(n_batches).prefetch(_BATCHES_AHEAD)
