"""Network architectures: a function ``build(meta, **params) -> keras.Model`` for each.

Padding frames are all zeros. `resnet` and `cnn_bilstm_attention` ignore them and take sequences of
any length; the other networks need the length that they were trained on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..exceptions import ParameterError
from ._layers import (
    AttentiveStatistics,
    FrameMask,
    MaskedBatchNormalization,
    RelativeToClip,
    ShortenMask,
)
from ._tensorflow import Tensor, keras

layers = keras.layers

Sizes = int | Sequence[int]
Build = Callable[..., keras.Model]

ARCHITECTURES: dict[str, Build] = {}
# Type and description of the parameters.
_PARAMETERS = {
    "meta": ("NetworkMeta", "Shape of the input and number of classes."),
    "filters": ("sequence of int", "Filters of the convolutions, or of the residual blocks."),
    "kernel_size": ("int", "Length of the filters."),
    "pool_size": ("int", "Positions in a pooling window."),
    "projection_units": ("int", "Units that a frame is projected to before pooling."),
    "recurrent_units": ("int", "Units of the LSTM in each direction."),
    "attention_units": ("int", "Hidden units of the attention scores."),
    "dense_units": ("int or sequence of int", "Units of the hidden layers."),
    "dropout": ("float", "Dropout rate before the last hidden layers."),
    "dense_dropout": ("float", "Dropout rate after the last hidden layers."),
}


@dataclass(frozen=True)
class NetworkMeta:
    """Input and output of a network.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one clip: (n_features,) or (n_frames, n_features).
    n_classes : int
        Number of classes.
    """

    input_shape: tuple[int, ...]
    n_classes: int

    @property
    def is_sequence(self) -> bool:
        """Whether clips are sequences."""
        return len(self.input_shape) == 2


def _architecture(build: Build) -> Build:
    """Register an architecture, and complete its docstring from its signature."""
    lines = ["Parameters", "----------"]
    for name, parameter in inspect.signature(build).parameters.items():
        kind, description = _PARAMETERS[name]
        if parameter.default is not parameter.empty:
            kind += f", default={parameter.default}"
        lines += [f"{name} : {kind}", f"    {description}"]
    lines += ["", "Returns", "-------", "network : keras.Model", "    The network, not compiled."]
    text, *references = inspect.cleandoc(build.__doc__ or "").partition("\n\nReferences")
    build.__doc__ = "\n".join([text, "", *lines]) + "".join(references)
    ARCHITECTURES[build.__name__] = build
    return build


@_architecture
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
    """Build a residual network over time and frequency with attentive pooling.

    Sequences (log-mel bands, MFCC) are images of two channels: the features, and the features less
    their mean over the clip, which removes microphone and average voice. A convolution with stride
    2 follows, a residual block [1]_ for each of ``filters`` (stride 2 from the second on), a
    projection of each frame, attentive mean, deviation and maximum over all but padding frames
    [2]_, and hidden layers. Vectors go through the same blocks in one dimension, over neighbouring
    features, and are flattened.

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


@_architecture
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
    """Build convolutions, the first with average pooling, the others with maximum pooling."""
    inputs, x = _columns(meta)
    for i, n in enumerate(filters):
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        pooling = layers.MaxPooling1D if i else layers.AveragePooling1D
        x = pooling(pool_size, padding="same")(x)
        if i == 0:
            x = layers.Dropout(dropout)(x)
    return _classify(inputs, layers.Flatten()(x), meta, dense_units, dense_dropout)


@_architecture
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
    """Build wide convolutions, each with batch normalisation, pooling (stride 2) and dropout."""
    inputs, x = _columns(meta)
    for n in filters:
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        x = _batch_normalization(x)
        x = layers.MaxPooling1D(pool_size, strides=2, padding="same")(x)
        x = layers.Dropout(dropout)(x)
    x = layers.Flatten()(x)
    return _classify(inputs, x, meta, dense_units, dense_dropout, normalize=True)


@_architecture
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
    """Build convolutions over time, a bidirectional LSTM, and a mean weighted by attention.

    It needs sequences; vectors raise ParameterError.
    """
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


@_architecture
def dense(
    meta: NetworkMeta,
    *,
    dense_units: Sizes = (512, 256, 128, 64),
    dropout: float = 0.3,
    dense_dropout: float = 0.2,
) -> keras.Model:
    """Build hidden layers with batch normalisation; ``dense_dropout`` follows the last of them."""
    inputs = keras.Input(meta.input_shape)
    x = layers.Flatten()(inputs) if meta.is_sequence else inputs
    units = _sizes(dense_units)
    for n in units[:-1]:
        x = _hidden(x, n, dropout, normalize=True)
    return _classify(inputs, x, meta, units[-1:], dense_dropout, normalize=True)


@_architecture
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
    """Build convolutions, each with pooling (stride 2), and one dropout before the last of them."""
    inputs, x = _columns(meta)
    for i, n in enumerate(filters):
        if i and i == len(filters) - 1:
            x = layers.Dropout(dropout)(x)
        x = layers.Conv1D(n, kernel_size, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D(pool_size, strides=2, padding="same")(x)
    return _classify(inputs, layers.Flatten()(x), meta, dense_units, dense_dropout)


def _columns(meta: NetworkMeta) -> tuple[Tensor, Tensor]:
    """The input, also as (n, positions, channels): a vector has one channel."""
    inputs = keras.Input(meta.input_shape)
    return inputs, inputs if meta.is_sequence else layers.Reshape((-1, 1))(inputs)


def _residual_stages(
    x: Tensor, real: Tensor | None, filters: Sequence[int], kernel_size: int, dropout: float
) -> tuple[Tensor, Tensor | None]:
    """A convolution and a residual block for each of ``filters``, and their mask (None for all)."""
    is_masked = is_image = real is not None
    convolution = layers.Conv2D if is_image else layers.Conv1D
    zero_padding = layers.ZeroPadding2D if is_image else layers.ZeroPadding1D
    spatial_dropout = layers.SpatialDropout2D if is_image else layers.SpatialDropout1D

    def convolve(x: Tensor, n: int, size: int, strides: int, real: Tensor | None) -> Tensor:
        padding = "same"
        if strides > 1:
            # "same" would shift frames by one, depending on whether their number is odd or even.
            margin = ((size - 1) // 2, size // 2)
            x = zero_padding((margin, margin) if is_image else margin)(x)
            padding = "valid"
        x = convolution(n, size, strides, padding=padding, use_bias=False)(x)
        return MaskedBatchNormalization()(x, real) if is_masked else _batch_normalization(x)

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


def _scores(x: Tensor, units: int) -> Tensor:
    """Attention score of each frame."""
    return layers.Dense(1)(layers.Dense(units, activation="tanh")(x))


def _classify(
    inputs: Tensor,
    x: Tensor,
    meta: NetworkMeta,
    dense_units: Sizes,
    dropout: float,
    normalize: bool = False,
) -> keras.Model:
    """The model: hidden layers and class probabilities after ``x``."""
    for n in _sizes(dense_units):
        x = _hidden(x, n, dropout, normalize)
    # Small probabilities do not fit float16.
    return keras.Model(inputs, layers.Dense(meta.n_classes, "softmax", dtype="float32")(x))


def _hidden(x: Tensor, n: int, dropout: float, normalize: bool) -> Tensor:
    x = layers.Dense(n)(x)
    x = layers.ReLU()(_batch_normalization(x) if normalize else x)
    return layers.Dropout(dropout)(x)


def _batch_normalization(x: Tensor) -> Tensor:
    # Keras' momentum of 0.99 takes hundreds of steps to settle, more than few clips give.
    return layers.BatchNormalization(momentum=0.9)(x)


def _sizes(dense_units: Sizes) -> tuple[int, ...]:
    return (dense_units,) if isinstance(dense_units, int) else tuple(dense_units)
