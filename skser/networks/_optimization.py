"""Optimizer, schedule, loss and callbacks of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._utils._progress import progress
from ._tensorflow import Tensor, keras

Loss = Callable[[Tensor, Tensor], Tensor]  # or Keras' own

# Decay regularises the weights between units, not biases and the scales of normalisation.
_NOT_DECAYED = ["bias", "gamma", "beta"]
_TINY = 1e-30


@dataclass(frozen=True)
class TrainingSettings:
    """Parameters of `skser.CNNEmotionClassifier` about training."""

    epochs: int
    optimizer: str
    learning_rate: float
    weight_decay: float
    clip_norm: float | None
    schedule: str | None
    warmup: float
    plateau_factor: float
    plateau_patience: int
    early_stopping: int | None
    label_smoothing: float
    dtype_policy: str


def make_optimizer(settings: TrainingSettings, n_batches: int) -> keras.optimizers.Optimizer:
    """The optimizer with its schedule over ``n_batches`` steps per epoch."""
    rate: Any = float(settings.learning_rate)  # Keras would make an integer variable of an integer
    if settings.schedule == "cosine":
        n_steps = settings.epochs * n_batches
        n_warmup = round(settings.warmup * n_steps)
        rate = keras.optimizers.schedules.CosineDecay(
            settings.learning_rate / max(n_warmup, 1),
            max(n_steps - n_warmup, 1),
            warmup_target=settings.learning_rate if n_warmup else None,
            warmup_steps=n_warmup,
        )
    optimizer = keras.optimizers.get(
        {
            "class_name": settings.optimizer,
            "config": {
                "learning_rate": rate,
                "global_clipnorm": settings.clip_norm,
                "weight_decay": settings.weight_decay,
            },
        }
    )
    if settings.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    return optimizer


def make_loss(settings: TrainingSettings, classes: np.ndarray | None = None) -> Loss:
    """Cross-entropy with smoothed class shares, among ``classes`` (indices) if given."""
    smoothing = settings.label_smoothing
    if classes is None:
        return keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)

    def among_classes(targets: Tensor, probabilities: Tensor) -> Tensor:
        targets, probabilities = (
            keras.ops.take(x, classes, axis=-1) for x in (targets, probabilities)
        )
        # Keras divides them by their sum.
        return keras.losses.categorical_crossentropy(
            targets, probabilities + _TINY, label_smoothing=smoothing
        )

    return among_classes


def make_callbacks(settings: TrainingSettings, monitor: str) -> list[keras.callbacks.Callback]:
    """Early stopping and learning rate reduction, which monitor the loss named ``monitor``."""
    callbacks = []
    if settings.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor, factor=settings.plateau_factor, patience=settings.plateau_patience
            )
        )
    if settings.early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor, patience=settings.early_stopping, restore_best_weights=True
            )
        )
    return callbacks


class EpochBar(keras.callbacks.Callback):
    """One progress bar for all epochs, with the metrics of the last epoch."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.bar = progress(total=self.params["epochs"], desc="training", unit="epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        metrics = {name: f"{value:.3f}" for name, value in (logs or {}).items()}
        self.bar.set_postfix(metrics, refresh=False)  # refreshing would show the bar too early
        self.bar.update(epoch + 1 - self.bar.n)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.bar.close()
