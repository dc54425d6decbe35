"""Keras layers that ignore padding frames.

A mask (n, frames) has 1 for real frames and 0 for padding. Activations are (n, frames, ...), with
frequencies and channels after the frames. All layers are registered with Keras, so that a network
loads from its configuration alone.

They compute in float32 under any policy of Keras: in float16, a sum over frames overflows, and in
bfloat16 a mask cannot count beyond 256.
"""

from __future__ import annotations

from typing import Any

from ._tensorflow import Tensor, keras

ops = keras.ops


def _along(mask: Tensor, x: Tensor) -> Tensor:
    """The mask with as many axes as ``x``."""
    for _ in range(len(x.shape) - 2):
        mask = ops.expand_dims(mask, -1)
    return mask


class _InFloat32(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})


@keras.saving.register_keras_serializable("skser")
class FrameMask(_InFloat32):
    """The mask of frames (n, frames, features): 0 for frames of zeros."""

    def call(self, frames: Tensor) -> Tensor:
        return ops.cast(ops.any(ops.not_equal(frames, 0.0), axis=-1), frames.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape[:-1])


@keras.saving.register_keras_serializable("skser")
class RelativeToClip(_InFloat32):
    """Features less their mean over the real frames of the clip; zeros in padding."""

    def call(self, frames: Tensor, real: Tensor) -> Tensor:
        mask = _along(real, frames)
        count = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0)
        mean = ops.sum(frames * mask, axis=1, keepdims=True) / count
        return (frames - mean) * mask

    def compute_output_shape(self, frames_shape: tuple, real_shape: tuple) -> tuple:
        return tuple(frames_shape)


@keras.saving.register_keras_serializable("skser")
class ShortenMask(_InFloat32):
    """The mask after strides over time: a frame is real if any frame that it covers is."""

    def __init__(self, strides: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strides = strides

    def call(self, real: Tensor) -> Tensor:
        pooled = ops.max_pool(ops.expand_dims(real, -1), self.strides, padding="same")
        return ops.squeeze(pooled, -1)

    def compute_output_shape(self, real_shape: tuple) -> tuple:
        n = real_shape[1]
        return (real_shape[0], None if n is None else -(-n // self.strides))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strides": self.strides}


@keras.saving.register_keras_serializable("skser")
class MaskedBatchNormalization(_InFloat32):
    """Batch normalisation over real frames only; padding frames become zeros.

    Keras' own layer with a mask leaves values in padding frames, which the next convolution reads.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-3, **kwargs: Any) -> None:
        # Keras' momentum of 0.99 takes hundreds of steps to settle, more than few clips give.
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, x_shape: tuple, real_shape: tuple | None = None) -> None:
        shape = (x_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.variance = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="variance"
        )

    def call(self, x: Tensor, real: Tensor, training: bool = False) -> Tensor:
        mask = _along(real, x)
        x = x * mask
        mean, variance = self.mean, self.variance
        if training:
            axes = tuple(range(len(x.shape) - 1))
            count = ops.maximum(ops.sum(real), 1.0)
            for n in x.shape[2:-1]:
                count = count * n
            mean = ops.sum(x, axes) / count
            variance = ops.maximum(ops.sum(ops.square(x), axes) / count - ops.square(mean), 0.0)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
            self.variance.assign(self.momentum * self.variance + (1 - self.momentum) * variance)
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        return (x * scale + (self.beta - mean * scale)) * mask

    def compute_output_shape(self, x_shape: tuple, real_shape: tuple) -> tuple:
        return tuple(x_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("skser")
class AttentiveStatistics(_InFloat32):
    """Weighted mean, weighted deviation and maximum over real frames [1]_.

    Frames (n, frames, k) and scores (n, frames, 1) become (n, 3 k), k for each of ``statistics``.
    The weights are the softmax of the scores.

    References
    ----------
    .. [1] K. Okabe, T. Koshinaka and K. Shinoda, "Attentive statistics pooling for deep speaker
       embedding", Interspeech 2018.
    """

    def __init__(
        self, statistics: tuple[str, ...] = ("mean", "deviation", "maximum"), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.statistics = tuple(statistics)
        self.supports_masking = True

    def compute_mask(self, *inputs: Tensor) -> None:
        """None: there are no frames after pooling."""

    def call(self, frames: Tensor, scores: Tensor, real: Tensor) -> Tensor:
        is_real = ops.expand_dims(real, -1) > 0
        scores = ops.where(is_real, scores, -1e9)
        # Keras' softmax warns about a single frame.
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
        weights = weights / ops.sum(weights, axis=1, keepdims=True)
        mean = ops.sum(weights * frames, axis=1)
        statistics = {"mean": mean}
        if "deviation" in self.statistics:
            centred = frames - ops.expand_dims(mean, 1)
            variance = ops.sum(weights * ops.square(centred), axis=1)
            statistics["deviation"] = ops.sqrt(variance + 1e-6)
        if "maximum" in self.statistics:
            highest = ops.max(ops.where(is_real, frames, -1e9), axis=1)
            statistics["maximum"] = ops.where(ops.any(is_real, axis=1), highest, 0.0)
        return ops.concatenate([statistics[name] for name in self.statistics], axis=-1)

    def compute_output_shape(
        self, frames_shape: tuple, scores_shape: tuple, real_shape: tuple
    ) -> tuple:
        return (frames_shape[0], len(self.statistics) * frames_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "statistics": self.statistics}
