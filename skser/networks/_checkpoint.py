"""Checkpoint: the state of training after each epoch, in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .._utils._files import written_whole
from ._tensorflow import keras

# State of Keras' callbacks between epochs, beside the best weights.
_CALLBACK_STATE = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")


class Checkpoint(keras.callbacks.Callback):
    """Write the state of training after each epoch, and resume from it if ``path`` exists.

    The state is all variables of network and optimizer (with the random state of dropout), the
    history, and the state of the callbacks. Its file is replaced in one step, so a killed process
    leaves the state of the last complete epoch.
    """

    def __init__(self, path: Path, callbacks: Iterable[keras.callbacks.Callback]) -> None:
        super().__init__()
        self.path = path
        self.callbacks = list(callbacks)
        self.history: dict[str, list[float]] = {}
        self.n_epochs = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._states: list[dict[str, Any]] = []
        self.is_done = False
        if path.exists():
            with np.load(path, allow_pickle=False) as file:
                self._arrays = dict(file)
            state = json.loads(str(self._arrays.pop("state")))
            self.history, self._states = state["history"], state["callbacks"]
            self.n_epochs, self.is_done = state["n_epochs"], state["is_done"]

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if self._arrays:
            self.restore(self.model)
            for i, (callback, state) in enumerate(zip(self.callbacks, self._states, strict=True)):
                vars(callback).update(state)
                if hasattr(callback, "best_weights"):
                    callback.best_weights = self._list(f"best{i}") or None
            self._arrays = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        # After early stopping, only the best weights are left to restore.
        self.n_epochs = self.params["epochs"] if self.model.stop_training else epoch + 1
        self._write()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self.is_done = True
        self._write()

    def restore(self, model: keras.Model) -> None:
        """Set the variables of the network and its optimizer to those of the file."""
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        for name, variables in self._variables(model).items():
            for variable, value in zip(variables, self._list(name), strict=True):
                variable.assign(value)

    def _variables(self, model: keras.Model) -> dict[str, list[Any]]:
        return {"network": model.variables, "optimizer": model.optimizer.variables}

    def _list(self, name: str) -> list[np.ndarray]:
        n = sum(key.startswith(f"{name}.") for key in self._arrays)
        return [self._arrays[f"{name}.{i}"] for i in range(n)]

    def _write(self) -> None:
        arrays = {
            f"{name}.{i}": np.asarray(variable)
            for name, variables in self._variables(self.model).items()
            for i, variable in enumerate(variables)
        }
        for i, callback in enumerate(self.callbacks):
            for j, weight in enumerate(getattr(callback, "best_weights", None) or []):
                arrays[f"best{i}.{j}"] = weight
        state = {
            "history": self.history,
            "callbacks": [
                {name: value for name, value in vars(callback).items() if name in _CALLBACK_STATE}
                for callback in self.callbacks
            ],
            "n_epochs": self.n_epochs,
            "is_done": self.is_done,
        }
        with written_whole(self.path) as temporary:
            arrays["state"] = np.array(json.dumps(state))
            np.savez(temporary, allow_pickle=False, **arrays)  # type: ignore[arg-type]
