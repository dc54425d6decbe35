"""From the parameters of a CNNEmotionClassifier to its trained networks."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np

from .._utils._hashing import identify
from .._utils._param_validation import Allowed, check_value, did_you_mean, integer, number
from .._version import __version__
from ..exceptions import ParameterError
from ..networks import _architectures as networks
from ..networks._batches import Draws, DrawSettings
from ..networks._optimization import TrainingSettings
from ..networks._rows import without_nan
from ..networks._tensorflow import keras, tf
from ..networks._train import History, train
from ..networks._trained_network import TrainedNetwork

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
_PREFIX = "network__"
_Settings = TypeVar("_Settings", TrainingSettings, DrawSettings)
# Parameters without effect on the result.
_IGNORED_PARAMS = ("callbacks", "checkpoint", "verbose")


def fit_networks(
    classifier: Any,
    values: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    seeds: Sequence[int],
) -> tuple[list[TrainedNetwork], list[History]]:
    """Train a network from each of the seeds.

    Parameters
    ----------
    classifier : CNNEmotionClassifier
        Its parameters, already checked.
    values : ndarray of shape (n_clips, n_views, ...)
        Features.
    targets : ndarray of shape (n_clips, n_classes)
        One-hot classes.
    weights : ndarray of shape (n_clips,)
        Weights of the clips.
    training, validation : ndarray of int
        Which clips to train on and which to watch.
    seeds : sequence of int
        Seeds of the networks.

    Returns
    -------
    networks : list of TrainedNetwork
    histories : list of dict
    """
    build = network_builder(classifier, values.shape[2:], targets.shape[1])
    draw_settings = settings_of(classifier, DrawSettings)
    watched = None
    if len(validation):
        # The clean view, because prediction sees no other.
        rows = without_nan(values[validation, 0])
        watched = (rows, targets[validation], weights[validation].astype(np.float32))
    paths: list[Path | None] = [None] * len(seeds)
    if classifier.checkpoint is not None:
        digest = _digest(classifier, values, targets, weights, training)
        folder = Path(classifier.checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{digest}-{i}.npz" for i in range(len(seeds))]
    trained = [
        train(
            Draws(values, targets, weights, training, draw_settings, int(seed)),
            watched,
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
        # Also what a process left that was killed while it wrote.
        for path in folder.glob(f"*{digest}-*.npz"):
            path.unlink()
    return [network for network, _ in trained], [history for _, history in trained]


def settings_of(classifier: Any, kind: type[_Settings]) -> _Settings:
    """The parameters of a classifier that are fields of a dataclass."""
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    return kind(**{field.name: _plain(getattr(classifier, field.name)) for field in fields})


def network_builder(
    classifier: Any, input_shape: tuple[int, ...], n_classes: int
) -> Callable[[], keras.Model]:
    """A function that builds the network of a classifier for inputs of a shape.

    Raises
    ------
    ParameterError
        The architecture lacks a parameter, or a function of the user's builds a network that
        cannot be trained or kept.
    """
    function, params = check_network_params(classifier)
    meta = networks.NetworkMeta(tuple(input_shape), n_classes)

    def build() -> keras.Model:
        return function(meta, **params)

    if function is classifier.architecture:
        _check_can_be_kept(build(), _name(function), n_classes)
    return build


def check_network_params(classifier: Any) -> tuple[Callable[..., keras.Model], dict[str, Any]]:
    """The function that builds the network, and the parameters that the user has set."""
    architecture = classifier.architecture
    is_named = isinstance(architecture, str)
    function = networks.ARCHITECTURES[architecture] if is_named else architecture
    params = {
        name.removeprefix(_PREFIX): value
        for name, value in classifier.get_params(deep=False).items()
        if name.startswith(_PREFIX) and value is not None
    }
    accepted = list(inspect.signature(function).parameters.values())[1:]
    names = [p.name for p in accepted if p.kind is not p.VAR_KEYWORD]
    for name, value in params.items():
        if name not in names and len(names) == len(accepted):
            raise ParameterError(
                f"architecture {_name(architecture)} has no parameter {_PREFIX}{name}, only "
                f"{', '.join(_PREFIX + n for n in names) or 'none'}"
                f"{did_you_mean(_PREFIX + name, [_PREFIX + n for n in names])}"
            )
        if is_named:
            check_value(_PREFIX + name, value, *_ALLOWED[name])
    return function, {name: _plain(value) for name, value in params.items()}


def _check_can_be_kept(model: Any, name: str, n_classes: int) -> None:
    """Raise ParameterError for a user's network that could not be trained or loaded again."""
    if not isinstance(model, keras.Model):
        raise ParameterError(f"architecture {name} must return a keras.Model, got {model!r}")
    # A Sequential model without an Input has no shape at all.
    shape = getattr(model, "output_shape", None)
    if shape != (None, n_classes):
        raise ParameterError(
            f"architecture {name} must return probabilities of shape (None, {n_classes}), got "
            f"{shape}"
        )
    try:
        keras.models.model_from_json(model.to_json())
    except Exception as error:
        # What Keras raises depends on the layer; the reason comes last, with a long explanation.
        reason = str(error).rpartition("Exception encountered: ")[2].split(". ")[0]
        raise ParameterError(
            f"architecture {name} has a layer that Keras cannot load again; register it with "
            f"keras.saving.register_keras_serializable() ({reason})"
        ) from error


def _name(architecture: Any) -> str:
    if isinstance(architecture, str):
        return repr(architecture)
    return getattr(architecture, "__qualname__", repr(architecture))


def _plain(value: Any) -> Any:
    """Numbers of Python's own: Keras knows no NumPy scalars, which searches bring."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def _digest(classifier: Any, *arrays: np.ndarray) -> str:
    """What names the checkpoints of one fit: its parameters and data, and who trains."""
    params = {
        name: identify(value)
        for name, value in classifier.get_params(deep=False).items()
        if name not in _IGNORED_PARAMS
    }
    return joblib.hash((params, __version__, keras.__version__, tf.__version__, arrays))
