"""Networks: a function ``build(meta, **params) -> keras.Model`` for each architecture.

Vectors enter as (n_features,) and sequences as (n_frames, n_features). A frame that only pads a
sequence is all zeros. `resnet` and `cnn_bilstm_attention` give it no weight and take sequences of
any length; networks that flatten take as many frames as they were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..exceptions import ParameterError
from ._layers import (
    AttentiveStatistics,
    FrameMask,
    MaskedBatchNormalization,
    RelativeToClip,
    ShortenMask,
)
from ._tensorflow import keras

layers = keras.layers

Sizes = int | Sequence[int]


@dataclass(frozen=True)
class NetworkMeta:
    """What a network has to fit.

    Attributes
    ----------
    input_shape : tuple of int
        Shape of an input without the clips: (n_features,) or (n_frames, n_features).
    n_classes : int
        Number of classes.
    """

    input_shape: tuple[int, ...]
    n_classes: int

    @property
    def is_sequence(self) -> bool:
        return len(self.input_shape) == 2


def resnet(
    meta: NetworkMeta,
    *,
    filters: Sequence[int] = (16, 32, 64),
    kernel_size: int = 5,
    projection_units: int = 192,
    attention_units: int = 64,
    dense_units: Sizes = 128,
    dropout: float = 0.1,
    dense_dropout: float = 0.3,
) -> keras.Model:
    """Residual blocks over time and frequency, pooled over time with attention.

    Sequences (log-mel bands, MFCC) are pictures of two channels: the features, and the features
    less their mean over the clip, which microphone and average voice have no part in. A convolution
    with stride 2 follows, a residual block [1]_ for each of ``filters`` (stride 2 from the second
    on), a projection of all that belongs to a frame, attentive mean and deviation, and maximum,
    over the real frames [2]_, hidden layers.
    Vectors go through the same blocks in one dimension, over neighbouring features, and are
    flattened.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", CVPR 2016.
    .. [2] K. Okabe, T. Koshinaka and K. Shinoda, "Attentive statistics pooling for deep speaker
       embedding", Interspeech 2018.
    """
    if not meta.is_sequence:
        inputs, x = _columns(meta)
        x, _ = _residual_stages(x, None, filters, kernel_size, dropout)
        return _classify(inputs, layers.Flatten()(x), meta, dense_units, dense_dropout, True)
    n_features = meta.input_shape[1]
    inputs = keras.Input((None, n_features))
    real = FrameMask()(inputs)
    channels = [inputs, RelativeToClip()(inputs, real)]
    x = layers.Concatenate()([layers.Reshape((-1, n_features, 1))(c) for c in channels])
    x, real = _residual_stages(x, real, filters, kernel_size, dropout)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
    x = layers.Dense(projection_units, use_bias=False)(x)
    x = layers.ReLU()(MaskedBatchNormalization()(x, real))
    x = AttentiveStatistics()(x, _scores(x, attention_units), real)
    return _classify(inputs, x, meta, dense_units, dense_dropout, True)


def cnn_average_pooling(
    meta: NetworkMeta,
    *,
    filters: Sequence[int] = (256, 128),
    kernel_size: int = 5,
    pool_size: int = 2,
    dense_units: Sizes = 64,
    dropout: float = 0.2,
    dense_dropout: float = 0.0,
) -> keras.Model:
    """Convolution, average pooling, dropout; convolutions and maximum pooling; hidden layers."""
    inputs, x = _columns(meta)
    for i, n in enumerate(filters):
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        pooling = layers.MaxPooling1D if i else layers.AveragePooling1D
        x = pooling(pool_size, padding="same")(x)
        if i == 0:
            x = layers.Dropout(dropout)(x)
    return _classify(inputs, layers.Flatten()(x), meta, dense_units, dense_dropout)


def cnn512(
    meta: NetworkMeta,
    *,
    filters: Sequence[int] = (512, 512, 256, 256, 128),
    kernel_size: int = 5,
    pool_size: int = 5,
    dense_units: Sizes = 512,
    dropout: float = 0.2,
    dense_dropout: float = 0.2,
) -> keras.Model:
    """Wide convolutions, each with batch normalisation, pooling (stride 2) and dropout."""
    inputs, x = _columns(meta)
    for n in filters:
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        x = _batch_normalization(x)
        x = layers.MaxPooling1D(pool_size, strides=2, padding="same")(x)
        x = layers.Dropout(dropout)(x)
    x = layers.Flatten()(x)
    return _classify(inputs, x, meta, dense_units, dense_dropout, normalize=True)


def cnn_bilstm_attention(
    meta: NetworkMeta,
    *,
    filters: Sequence[int] = (64, 128),
    kernel_size: int = 5,
    pool_size: int = 2,
    recurrent_units: int = 64,
    attention_units: int = 64,
    dense_units: Sizes = 64,
    dropout: float = 0.2,
    dense_dropout: float = 0.3,
) -> keras.Model:
    """Convolutions over time, a bidirectional LSTM, and a mean weighted by attention."""
    if not meta.is_sequence:
        raise ParameterError(
            "architecture 'cnn_bilstm_attention' needs sequences (statistics=None), got vectors"
        )
    x = inputs = keras.Input((None, meta.input_shape[1]))
    real = FrameMask()(inputs)
    for n in filters:
        x = layers.Conv1D(n, kernel_size, padding="same", use_bias=False)(x)
        x = layers.ReLU()(MaskedBatchNormalization()(x, real))
        x = layers.MaxPooling1D(pool_size, padding="same")(x)
        x = layers.Dropout(dropout)(x)
        real = ShortenMask(pool_size)(real)
    # Backwards, padding comes first. cuDNN takes no mask with gaps, which masked frames make.
    lstm = layers.LSTM(recurrent_units, return_sequences=True, use_cudnn=False)
    x = layers.Bidirectional(lstm)(x, mask=real)
    x = AttentiveStatistics(statistics=("mean",))(x, _scores(x, attention_units), real)
    return _classify(inputs, x, meta, dense_units, dense_dropout)


def dense(
    meta: NetworkMeta,
    *,
    dense_units: Sizes = (512, 256, 128, 64),
    dropout: float = 0.3,
    dense_dropout: float = 0.2,
) -> keras.Model:
    """Hidden layers with batch normalisation; ``dense_dropout`` follows the last one."""
    inputs = keras.Input(meta.input_shape)
    x = layers.Flatten()(inputs) if meta.is_sequence else inputs
    units = _sizes(dense_units)
    for n in units[:-1]:
        x = _hidden(x, n, dropout, normalize=True)
    return _classify(inputs, x, meta, units[-1:], dense_dropout, normalize=True)


def cnn256(
    meta: NetworkMeta,
    *,
    filters: Sequence[int] = (256, 256, 128, 64),
    kernel_size: int = 5,
    pool_size: int = 5,
    dense_units: Sizes = 32,
    dropout: float = 0.2,
    dense_dropout: float = 0.3,
) -> keras.Model:
    """Convolutions, each with pooling (stride 2); one dropout before the last of them."""
    inputs, x = _columns(meta)
    for i, n in enumerate(filters):
        if i and i == len(filters) - 1:
            x = layers.Dropout(dropout)(x)
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D(pool_size, strides=2, padding="same")(x)
    return _classify(inputs, layers.Flatten()(x), meta, dense_units, dense_dropout)


def _columns(meta: NetworkMeta) -> tuple[Any, Any]:
    """The input, and it as (n, positions, channels): a vector has one channel."""
    inputs = keras.Input(meta.input_shape)
    return inputs, inputs if meta.is_sequence else layers.Reshape((-1, 1))(inputs)


def _residual_stages(
    x: Any, real: Any, filters: Sequence[int], kernel_size: int, dropout: float
) -> tuple[Any, Any]:
    """A convolution and a residual block for each of ``filters``; and the mask of what is left.

    ``real`` is the mask of the frames, or None where all are real.
    """
    is_picture = len(x.shape) == 4
    convolution = layers.Conv2D if is_picture else layers.Conv1D
    zero_padding = layers.ZeroPadding2D if is_picture else layers.ZeroPadding1D
    spatial_dropout = layers.SpatialDropout2D if is_picture else layers.SpatialDropout1D

    def convolve(x: Any, n: int, size: int, strides: int, real: Any) -> Any:
        padding = "same"
        if strides > 1:
            # "same" would begin a frame sooner or later as the number of frames is odd or even.
            around = ((size - 1) // 2, size // 2)
            x = zero_padding((around, around) if is_picture else around)(x)
            padding = "valid"
        x = convolution(n, size, strides, padding=padding, use_bias=False)(x)
        return MaskedBatchNormalization()(x, real) if is_masked else _batch_normalization(x)

    is_masked = real is not None
    real = ShortenMask()(real) if is_masked else None
    x = layers.ReLU()(convolve(x, filters[0], kernel_size, 2, real))
    for i, n in enumerate(filters):
        strides = 2 if i else 1
        real = ShortenMask(strides)(real) if i and is_masked else real
        residual = layers.ReLU()(convolve(x, n, 3, strides, real))
        residual = spatial_dropout(dropout)(residual)
        residual = convolve(residual, n, 3, 1, real)
        shortcut = convolve(x, n, 1, strides, real) if i else x
        x = layers.ReLU()(layers.Add()([shortcut, residual]))
    return x, real


def _scores(x: Any, units: int) -> Any:
    """A score of attention for each frame."""
    return layers.Dense(1)(layers.Dense(units, activation="tanh")(x))


def _classify(
    inputs: Any,
    x: Any,
    meta: NetworkMeta,
    dense_units: Sizes,
    dropout: float,
    normalize: bool = False,
) -> keras.Model:
    """Hidden layers, and probabilities of the classes."""
    for n in _sizes(dense_units):
        x = _hidden(x, n, dropout, normalize)
    return keras.Model(inputs, layers.Dense(meta.n_classes, activation="softmax")(x))


def _hidden(x: Any, n: int, dropout: float, normalize: bool) -> Any:
    x = layers.Dense(n)(x)
    x = layers.ReLU()(_batch_normalization(x) if normalize else x)
    return layers.Dropout(dropout)(x)


def _batch_normalization(x: Any) -> Any:
    # Keras' momentum of 0.99 would need hundreds of steps, which few clips do not give.
    return layers.BatchNormalization(momentum=0.9)(x)


def _sizes(dense_units: Sizes) -> tuple[int, ...]:
    return (dense_units,) if isinstance(dense_units, int) else tuple(dense_units)


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {
    builder.__name__: builder
    for builder in (
        resnet,
        cnn_average_pooling,
        cnn512,
        cnn_bilstm_attention,
        dense,
        cnn256,
    )
}
