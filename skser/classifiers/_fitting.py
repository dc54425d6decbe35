"""Training of the networks of a CNNEmotionClassifier."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .._utils._hashing import fingerprint
from .._utils._param_validation import Allowed, check_value, did_you_mean, integer, number
from ..exceptions import ParameterError
from ..networks import _architectures as networks
from ..networks._batches import Draws, DrawSettings
from ..networks._optimization import TrainingSettings
from ..networks._rows import without_nan
from ..networks._tensorflow import keras
from ..networks._train import History, train
from ..networks._trained_network import TrainedNetwork
from ._network_params import PREFIX, network_params

if TYPE_CHECKING:
    from ._cnn import CNNEmotionClassifier

_SIZES = Allowed(
    "a sequence of integers of at least 1",
    lambda value: (
        isinstance(value, (Sequence, np.ndarray))
        and not isinstance(value, str)
        and len(value) > 0
        and all(integer(1).accepts(n) for n in value)
    ),
)
# Parameters of the architectures.
_ALLOWED = {
    "filters": [_SIZES],
    "kernel_size": [integer(1, 1000)],
    "pool_size": [integer(1, 1000)],
    "projection_units": [integer(1)],
    "recurrent_units": [integer(1)],
    "attention_units": [integer(1)],
    "dense_units": [integer(1), _SIZES],
    "dropout": [number(0, 0.95)],
    "dense_dropout": [number(0, 0.95)],
}
_Settings = TypeVar("_Settings", TrainingSettings, DrawSettings)
# Parameters without effect on the networks.
_IGNORED_PARAMS = ("callbacks", "checkpoint", "verbose")


def fit_networks(
    classifier: CNNEmotionClassifier,
    values: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    seeds: Sequence[int],
) -> tuple[list[TrainedNetwork], list[History]]:
    """Train a network from each seed on one-hot ``targets``; ``training`` are indices."""
    build = network_builder(classifier, values.shape[2:], targets.shape[1])
    draw_settings = settings_of(classifier, DrawSettings)
    monitored = None
    if len(validation):
        # The clean view, as in prediction.
        rows = without_nan(values[validation, 0])
        monitored = (rows, targets[validation], weights[validation].astype(np.float32))
    paths: list[Path | None] = [None] * len(seeds)
    if classifier.checkpoint is not None:
        params = classifier.get_params(deep=False)
        parts = {name: value for name, value in params.items() if name not in _IGNORED_PARAMS}
        data = {"X": values, "targets": targets, "weights": weights, "training": training}
        digest = fingerprint({**parts, **data}, parameter="checkpoint")
        folder = Path(classifier.checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{digest}-{i}.npz" for i in range(len(seeds))]
    trained = [
        train(
            Draws(values, targets, weights, training, draw_settings, int(seed)),
            monitored,
            build=build,
            settings=settings_of(classifier, TrainingSettings),
            callbacks=classifier.callbacks or (),
            checkpoint=path,
            seed=int(seed),
            verbose=classifier.verbose,
        )
        for seed, path in zip(seeds, paths, strict=True)
    ]
    if classifier.checkpoint is not None:
        # Also the temporary files of killed processes.
        for path in folder.glob(f"*{digest}-*.npz"):
            path.unlink()
    return [network for network, _ in trained], [history for _, history in trained]


def settings_of(classifier: CNNEmotionClassifier, kind: type[_Settings]) -> _Settings:
    """The parameters of a classifier that a dataclass has as fields."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return kind(**{field.name: _plain(getattr(classifier, field.name)) for field in fields})


def network_builder(
    classifier: CNNEmotionClassifier, input_shape: tuple[int, ...], n_classes: int
) -> Callable[[], keras.Model]:
    """A function that builds the network; ParameterError if it cannot be trained or saved."""
    function, params = check_network_params(classifier)
    meta = networks.NetworkMeta(tuple(input_shape), n_classes)

    def build() -> keras.Model:
        return function(meta, **params)

    if function is classifier.architecture:
        _check_can_be_saved(build(), _name(function), n_classes)
    return build


def check_network_params(
    classifier: CNNEmotionClassifier,
) -> tuple[Callable[..., keras.Model], dict[str, Any]]:
    """The function that builds the network, and its parameters without the prefix."""
    architecture = classifier.architecture
    function = (
        networks.ARCHITECTURES[architecture] if isinstance(architecture, str) else architecture
    )
    params = {name: v for name, v in network_params(vars(classifier)).items() if v is not None}
    _, *accepted = inspect.signature(function).parameters.values()
    names = [PREFIX + p.name for p in accepted if p.kind is not p.VAR_KEYWORD]
    for name, value in params.items():
        if name not in names and len(names) == len(accepted):
            raise ParameterError(
                f"architecture {_name(architecture)} has no parameter {name}, only "
                f"{', '.join(names) or 'none'}{did_you_mean(name, names)}"
            )
        if isinstance(architecture, str):
            check_value(name, value, *_ALLOWED[name.removeprefix(PREFIX)])
    return function, {name.removeprefix(PREFIX): _plain(v) for name, v in params.items()}


def _check_can_be_saved(model: object, name: str, n_classes: int) -> None:
    """Raise ParameterError for a user's network that cannot be trained or loaded again."""
    if not isinstance(model, keras.Model):
        raise ParameterError(f"architecture {name} must return a keras.Model, got {model!r}")
    # A Sequential model without an Input has no shape.
    shape = getattr(model, "output_shape", None)
    if shape != (None, n_classes):
        raise ParameterError(
            f"architecture {name} must return probabilities of shape (None, {n_classes}), got "
            f"{shape}"
        )
    try:
        keras.models.model_from_json(model.to_json())
    except Exception as error:
        # The error depends on the layer; the reason is its last part.
        reason = str(error).rpartition("Exception encountered: ")[2].split(". ")[0]
        raise ParameterError(
            f"architecture {name} has a layer that Keras cannot load again; register it with "
            f"keras.saving.register_keras_serializable() ({reason})"
        ) from error


def _name(architecture: object) -> str:
    if isinstance(architecture, str):
        return repr(architecture)
    return getattr(architecture, "__qualname__", repr(architecture))


def _plain(value: object) -> Any:
    """Python's own numbers: searches pass NumPy scalars, which Keras refuses."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value
