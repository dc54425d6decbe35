"""Networks: a function ``build(meta, **params) -> keras.Model`` for each architecture.

Vectors enter as (n_features,) and sequences as (n_frames, n_features). A frame that only pads a
sequence is all zeros; networks give it no weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._tensorflow import keras

layers, ops = keras.layers, keras.ops


@dataclass(frozen=True)
class NetworkMeta:
    """What a network has to fit: the shape of an input without the clips, and the classes."""

    input_shape: tuple[int | None, ...]
    n_classes: int


@keras.saving.register_keras_serializable("skser")
class FrameMask(keras.layers.Layer):
    """1 for each frame that is real and 0 for padding: (n, frames, features) to (n, frames, 1)."""

    def call(self, frames: Any) -> Any:
        return ops.cast(ops.any(ops.not_equal(frames, 0.0), axis=-1, keepdims=True), frames.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], 1)


@keras.saving.register_keras_serializable("skser")
class MaskedPooling(keras.layers.Layer):
    """Mean, deviation and maximum over the real frames: (n, frames, k) to (n, 3 k)."""

    def call(self, frames: Any, real: Any) -> Any:
        count = ops.maximum(ops.sum(real, axis=1), 1.0)
        mean = ops.sum(frames * real, axis=1) / count
        centred = (frames - ops.expand_dims(mean, 1)) * real
        deviation = ops.sqrt(ops.sum(ops.square(centred), axis=1) / count + 1e-6)
        highest = ops.max(ops.where(real > 0, frames, -1e9), axis=1)
        highest = ops.where(ops.any(real > 0, axis=1), highest, 0.0)
        return ops.concatenate([mean, deviation, highest], axis=-1)

    def compute_output_shape(self, frames_shape: tuple, real_shape: tuple) -> tuple:
        return (frames_shape[0], 3 * frames_shape[-1])


def conv1d(
    meta: NetworkMeta,
    *,
    filters: tuple[int, ...] = (64, 64, 128),
    kernel_size: int = 5,
    dense_units: int = 128,
    dropout: float = 0.3,
) -> keras.Model:
    """Convolutions over time (sequences) or over neighbouring features (vectors).

    Each stage is convolution, batch normalisation, ReLU, spatial dropout and pooling by 2.
    Sequences are then pooled over their real frames, vectors flattened.
    """
    inputs = keras.Input(meta.input_shape)
    if len(meta.input_shape) == 2:
        x = _sequence_stages(inputs, filters, kernel_size, dropout)
    else:
        x = _vector_stages(inputs, filters, kernel_size, dropout)
    x = layers.Dropout(dropout)(x)
    x = layers.Dense(dense_units, activation="relu")(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(meta.n_classes, activation="softmax")(x))


def _convolve(x: Any, filters: int, kernel_size: int, mask: Any = None) -> Any:
    x = layers.Conv1D(filters, kernel_size, padding="same", use_bias=False)(x)
    # Keras' momentum of 0.99 would need hundreds of steps, which few clips do not give.
    x = layers.BatchNormalization(momentum=0.9)(x, mask=mask)
    return layers.ReLU()(x)


def _sequence_stages(x: Any, filters: tuple[int, ...], kernel_size: int, dropout: float) -> Any:
    mask = FrameMask()(x)
    for n in filters:
        # The mask keeps what the convolution makes of padding out of its neighbours.
        real = layers.Reshape((-1,))(mask)
        x = layers.Multiply()([_convolve(x, n, kernel_size, real), mask])
        x = layers.SpatialDropout1D(dropout / 2)(x)
        x = layers.MaxPooling1D(2, padding="same")(x)
        mask = layers.MaxPooling1D(2, padding="same")(mask)
    return MaskedPooling()(x, mask)


def _vector_stages(x: Any, filters: tuple[int, ...], kernel_size: int, dropout: float) -> Any:
    x = layers.Reshape((-1, 1))(x)
    for n in filters:
        x = _convolve(x, n, kernel_size)
        x = layers.SpatialDropout1D(dropout / 2)(x)
        x = layers.MaxPooling1D(2, padding="same")(x)
    return layers.Flatten()(x)
