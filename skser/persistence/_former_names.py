"""Names in model files of earlier versions of skser, and what is called so now."""

from __future__ import annotations

import inspect
from typing import Any

CLASSES = {
    "skser.augmented_classifier.AugmentedClassifier": "skser.classifiers.AugmentedClassifier",
    "skser.classifier.CNNEmotionClassifier": "skser.classifiers.CNNEmotionClassifier",
    "skser.loader.AudioLoader": "skser.audio.AudioLoader",
    "skser.voting.SoftVotingClassifier": "skser.classifiers.SoftVotingClassifier",
}
# Parameters by class, and their values. Those of a network had no prefix, and None was no value.
_PARAMETERS = {"CNNEmotionClassifier": {"views": ("view_sampling", {"sample": "one"})}}
# fmt: off
_NETWORK_PARAMETERS = (
    "filters", "kernel_size", "pool_size", "projection_units", "recurrent_units",
    "attention_units", "dense_units", "dropout", "dense_dropout",
)
# fmt: on


def current_state(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """The attributes of an estimator, with the parameters that its class has now.

    Parameters
    ----------
    kind : type
        The class.
    state : dict
        Attributes by name, as a model file has them.

    Returns
    -------
    state : dict
        The same, where the class has all its former parameters.
    """
    known = {
        name
        for name, parameter in inspect.signature(kind.__init__).parameters.items()  # type: ignore[misc]
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    current = dict(state)
    for name, (new_name, new_values) in _PARAMETERS.get(kind.__name__, {}).items():
        if name in current and name not in known:
            value = current.pop(name)
            current[new_name] = new_values.get(value, value)
    if kind.__name__ == "CNNEmotionClassifier" and "network_params" not in known:
        given = {name: current.pop(name, None) for name in _NETWORK_PARAMETERS}
        given = {name: value for name, value in given.items() if value is not None}
        given |= current.pop("network_params", None) or {}
        current |= {f"network__{name}": value for name, value in given.items()}
    return current
