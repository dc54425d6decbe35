"""Parameters of CNNEmotionClassifier: the values and combinations that are allowed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from .._utils._param_validation import (
    BOOLEAN,
    NONE,
    RANDOM_STATE,
    VERBOSE,
    Allowed,
    integer,
    number,
    number_range,
    one_of,
)
from ..exceptions import ParameterError

if TYPE_CHECKING:
    from ._cnn import CNNEmotionClassifier

ARCHITECTURES = (
    "resnet",
    "cnn_average_pooling",
    "cnn512",
    "cnn_bilstm_attention",
    "dense",
    "cnn256",
)
_FUNCTION = Allowed(
    "a function build(meta, **params)",
    # A Keras model can be called, too.
    lambda value: callable(value) and (isinstance(value, type) or not hasattr(value, "to_json")),
)
_DICT = Allowed("a dict", lambda value: isinstance(value, dict))
_CALLBACKS = Allowed("a list of Keras callbacks", lambda value: isinstance(value, (list, tuple)))
_FOLDER = Allowed("a folder", lambda value: isinstance(value, (str, os.PathLike)))
_MASKS = Allowed(
    "a pair (number, largest width) of integers of at least 0",
    lambda value: (
        isinstance(value, (tuple, list, np.ndarray))
        and len(value) == 2
        and all(integer(0).accepts(n) for n in value)
    ),
)

ALLOWED = {
    "architecture": [one_of(*ARCHITECTURES), _FUNCTION],
    "epochs": [integer(1)],
    "batch_size": [integer(1)],
    "optimizer": [one_of("adamw", "adam", "sgd", "rmsprop")],
    "learning_rate": [number(0, open_low=True)],
    "weight_decay": [number(0)],
    "clip_norm": [number(0, open_low=True), NONE],
    "schedule": [one_of("cosine", "plateau"), NONE],
    "warmup": [number(0, 0.9)],
    "plateau_factor": [number(0, 0.99, open_low=True)],
    "plateau_patience": [integer(1)],
    "early_stopping": [integer(1), NONE],
    "label_smoothing": [number(0, 0.9)],
    "mixup": [number(0, 100)],
    "frequency_masks": [_MASKS],
    "time_masks": [_MASKS],
    "time_scale": [number_range(0.1, 10)],
    "gain": [number_range(-100, 100)],
    "noise": [number(0, 100)],
    "view_sampling": [one_of("one", "all")],
    "dtype_policy": [one_of("float32", "mixed_float16", "mixed_bfloat16")],
    "n_networks": [integer(1)],
    "class_weight": [_DICT, one_of("balanced"), NONE],
    "validation_fraction": [number(0, 0.9)],
    "callbacks": [_CALLBACKS, NONE],
    "checkpoint": [_FOLDER, NONE],
    "warm_start": [BOOLEAN],
    "random_state": [RANDOM_STATE],
    "verbose": [VERBOSE],
}


def check_together(classifier: CNNEmotionClassifier) -> None:
    """Raise ParameterError for parameters that contradict each other."""
    from ._fitting import check_network_params

    if classifier.early_stopping is not None and classifier.validation_fraction == 0:
        raise ParameterError(
            f"early_stopping={classifier.early_stopping} needs a validation_fraction above 0, got 0"
        )
    seed = classifier.random_state
    if classifier.checkpoint is not None and not isinstance(seed, (int, np.integer)):
        raise ParameterError(f"checkpoint needs an integer random_state, got {seed!r}")
    check_network_params(classifier)
