"""Former names in model files of earlier versions of skser, and parameters that are newer."""

from __future__ import annotations

import inspect
from typing import Any

CLASSES = {
    "skser.augmented_classifier.AugmentedClassifier": "skser.classifiers.AugmentedClassifier",
    "skser.classifier.CNNEmotionClassifier": "skser.classifiers.CNNEmotionClassifier",
    "skser.loader.AudioLoader": "skser.audio.AudioLoader",
    "skser.voting.SoftVotingClassifier": "skser.classifiers.SoftVotingClassifier",
}
# fmt: off
_NETWORK_PARAMETERS = (
    "filters", "kernel_size", "pool_size", "projection_units", "recurrent_units",
    "attention_units", "dense_units", "dropout", "dense_dropout",
)
# fmt: on


def current_state(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """Attributes of an estimator in a model file, under the current names of its parameters.

    A parameter of skser's classes that the file lacks, because it is newer, has its default.
    """
    if not kind.__module__.startswith("skser."):
        return state
    if kind.__name__ == "CNNEmotionClassifier":
        state = _current_network(state)
    parameters = inspect.signature(kind.__init__).parameters.values()  # type: ignore[misc]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return state | {name: value for name, value in defaults.items() if name not in state}


def _current_network(state: dict[str, Any]) -> dict[str, Any]:
    current = dict(state)
    if "views" in current:
        views = current.pop("views")
        current["view_sampling"] = "one" if views == "sample" else views
    # None was the default of the architecture.
    network = {name: current.pop(name, None) for name in _NETWORK_PARAMETERS}
    network = {name: value for name, value in network.items() if value is not None}
    network |= current.pop("network_params", None) or {}
    return current | {f"network__{name}": value for name, value in network.items()}
