"""Warm start: a network begins with the weights of an earlier fit, and gets new output units."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from ._tensorflow import keras

# Settings of layers that change what the weights mean, but not their shapes.
_MEANING = ("activation", "padding", "pool_size", "strides")


class Start(NamedTuple):
    """Weights of a network, and the index of each of its classes among those of the next fit."""

    weights: list[np.ndarray]
    classes: np.ndarray

    def set_in(self, model: keras.Model) -> None:
        """Set the weights of a new network; its units of other classes keep theirs."""
        pairs = zip(model.get_weights(), self.weights, strict=True)
        model.set_weights([self._grown(new, old) for new, old in pairs])

    def _grown(self, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        if new.shape == old.shape:
            return old
        grown = new.copy()
        grown[..., self.classes] = old
        return grown


def difference(new: keras.Model, old: keras.Model) -> str | None:
    """Why a new network, with as many or more classes, cannot go on from another's weights."""
    if len(new.layers) != len(old.layers):
        return f"{len(new.layers)} layers, not {len(old.layers)}"
    for layer, former in zip(new.layers, old.layers, strict=True):
        if type(layer) is not type(former):
            return f"a layer {_kind(layer)}, not {_kind(former)}"
        for name in _MEANING:
            value, former_value = (_setting(each, name) for each in (layer, former))
            if value != former_value:
                return f"{_kind(layer)} with {name}={value}, not {former_value}"
    if len(new.weights) != len(old.weights):
        return f"{len(new.weights)} arrays of weights, not {len(old.weights)}"
    n_classes, n_former = new.output_shape[-1], old.output_shape[-1]
    for weight, former in zip(new.weights, old.weights, strict=True):
        shape, former_shape = tuple(weight.shape), tuple(former.shape)
        grows = shape[-1:] == (n_classes,) and former_shape == (*shape[:-1], n_former)
        if shape != former_shape and not (grows and n_former < n_classes):
            return f"{weight.path} of shape {shape}, not {former_shape}"
    return None


def _setting(layer: Any, name: str) -> str:
    # In JSON, a tuple equals a list.
    return json.dumps(layer.get_config().get(name), default=repr)


def _kind(layer: Any) -> str:
    return type(layer).__name__
