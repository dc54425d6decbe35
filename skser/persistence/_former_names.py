"""Names in model files of earlier versions of skser, and their current names."""

from __future__ import annotations

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
    """Attributes of an estimator in a model file, under the current names of its parameters."""
    if kind.__name__ != "CNNEmotionClassifier":
        return state
    current = dict(state)
    if "views" in current:
        views = current.pop("views")
        current["view_sampling"] = "one" if views == "sample" else views
    current.setdefault("warm_start", False)
    # None was the default of the architecture.
    network = {name: current.pop(name, None) for name in _NETWORK_PARAMETERS}
    network = {name: value for name, value in network.items() if value is not None}
    network |= current.pop("network_params", None) or {}
    return current | {f"network__{name}": value for name, value in network.items()}
