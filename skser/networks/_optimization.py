"""How a network is trained: optimizer, schedule, and what happens between epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._utils._progress import progress
from ._tensorflow import keras

# Biases and the scales of normalisation are not weights between units: decay would only shift them.
_NOT_DECAYED = ["bias", "gamma", "beta"]


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; see `skser.CNNEmotionClassifier` for each."""

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


def make_optimizer(settings: TrainingSettings, n_batches: int) -> keras.optimizers.Optimizer:
    """The optimizer with its schedule over ``n_batches`` steps an epoch."""
    rate: Any = float(settings.learning_rate)  # of an integer, Keras makes an integer variable
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


def make_loss(settings: TrainingSettings) -> keras.losses.Loss:
    """Cross-entropy with shares of classes."""
    return keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)


def make_callbacks(settings: TrainingSettings, watch: str) -> list[keras.callbacks.Callback]:
    """What watches the loss named ``watch``: early stopping, and a rate that falls on a plateau."""
    callbacks = []
    if settings.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                watch, factor=settings.plateau_factor, patience=settings.plateau_patience
            )
        )
    if settings.early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                watch, patience=settings.early_stopping, restore_best_weights=True
            )
        )
    return callbacks


class EpochBar(keras.callbacks.Callback):
    """One progress bar for all epochs, with the last epoch's figures."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.bar = progress(total=self.params["epochs"], desc="training", unit="epoch")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        figures = {name: f"{value:.3f}" for name, value in (logs or {}).items()}
        self.bar.set_postfix(figures, refresh=False)  # which would show the bar too early
        self.bar.update(epoch + 1 - self.bar.n)

    def on_train_end(self, logs: Any = None) -> None:
        self.bar.close()
