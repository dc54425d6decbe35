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
from ..networks._forks import check_not_forked
from ..networks._not_kept import NotKept
from ..networks._optimization import TrainingSettings
from ..networks._rows import with_frames, without_nan
from ..networks._tensorflow import keras
from ..networks._train import History, train
from ..networks._trained_network import TrainedNetwork
from ..networks._warm_start import Start, difference
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
_MAX_ROUNDING = 0.01  # of a sum of probabilities, which may be in 16 bits
# Parameters without effect on the networks.
_IGNORED_PARAMS = ("callbacks", "checkpoint", "verbose", "warm_start")


def fit_networks(
    classifier: CNNEmotionClassifier,
    values: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
    seeds: Sequence[int],
    previous: Sequence[TrainedNetwork],
    known: np.ndarray,
) -> tuple[list[TrainedNetwork], list[History]]:
    """Train a network from each seed on one-hot ``targets``; ``training`` are indices.

    The first of them begin with the weights of the ``previous`` networks, whose classes are the
    columns ``known`` of the targets.
    """
    check_not_forked()
    former = [network.to_keras() for network in previous[: len(seeds)]]
    starts = [Start(model.get_weights(), known) for model in former]
    input_shape = values.shape[2:]
    if former:
        # A network for one length crops or pads other sequences, as in prediction.
        sizes = zip(former[0].input_shape[1:], input_shape, strict=True)
        input_shape = tuple(n if size is None else size for size, n in sizes)
        build = continuing_builder(classifier, former, input_shape, targets.shape[1])
    else:
        build = network_builder(classifier, input_shape, targets.shape[1])
    draw_settings = settings_of(classifier, DrawSettings)
    monitored = None
    if len(validation):
        # The clean view, as in prediction.
        rows = without_nan(values[validation, 0])
        rows = with_frames(rows, input_shape[0]) if rows.ndim == 3 else rows
        monitored = (rows, targets[validation], weights[validation].astype(np.float32))
    paths: list[Path | None] = [None] * len(seeds)
    if classifier.checkpoint is not None:
        params = classifier.get_params(deep=False)
        parts = {name: value for name, value in params.items() if name not in _IGNORED_PARAMS}
        data = {"X": values, "targets": targets, "weights": weights, "training": training}
        begun = {f"start {i}": list(start) for i, start in enumerate(starts)}
        digest = fingerprint({**parts, **data, **begun}, parameter="checkpoint")
        folder = Path(classifier.checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{digest}-{i}.npz" for i in range(len(seeds))]
    from_scratch = [None] * (len(seeds) - len(starts))
    trained = [
        train(
            Draws(values, targets, weights, training, draw_settings, int(seed)),
            monitored,
            build=build,
            start=start,
            settings=settings_of(classifier, TrainingSettings),
            callbacks=classifier.callbacks or (),
            checkpoint=path,
            seed=int(seed),
            verbose=classifier.verbose,
        )
        for seed, path, start in zip(seeds, paths, [*starts, *from_scratch], strict=True)
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
        _check_model(build(), _name(function), meta)
    return build


def continuing_builder(
    classifier: CNNEmotionClassifier,
    former: Sequence[keras.Model],
    input_shape: tuple[int, ...],
    n_classes: int,
) -> Callable[[], keras.Model]:
    """A function that builds a network for the weights of ``former`` ones, as `network_builder`."""
    architecture = classifier.architecture
    if isinstance(architecture, NotKept):
        config, n_known = former[0].to_json(), former[0].output_shape[-1]
        if n_classes > n_known:
            raise ParameterError(
                f"architecture is the function {architecture.name}, which the model file does not "
                f"contain: set it again before fitting new classes, got {n_classes} instead of "
                f"{n_known}"
            )
        if classifier.dtype_policy != "float32":
            raise ParameterError(
                f"dtype_policy must be 'float32' while architecture is the function "
                f"{architecture.name}, which the model file does not contain, got "
                f"{classifier.dtype_policy!r}"
            )
        return lambda: keras.models.model_from_json(config)
    build = network_builder(classifier, input_shape, n_classes)
    new = build()
    for model in former:
        if reason := difference(new, model):
            raise ParameterError(
                "warm_start=True continues with the network of the previous fit, but architecture "
                f"{_name(architecture)} now has {reason}"
            )
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


def _check_model(model: object, name: str, meta: networks.NetworkMeta) -> None:
    """Raise ParameterError for a user's network that cannot be trained or loaded again."""
    if not isinstance(model, keras.Model):
        raise ParameterError(f"architecture {name} must return a keras.Model, got {model!r}")
    # A Sequential model without an Input has no shape.
    shape = getattr(model, "output_shape", None)
    if shape != (None, meta.n_classes):
        raise ParameterError(
            f"architecture {name} must return probabilities of shape (None, {meta.n_classes}), got "
            f"{shape}"
        )
    shape, allowed = model.input_shape, (None, *meta.input_shape)
    is_one = isinstance(shape, tuple) and len(shape) == len(allowed)
    if not is_one or any(n not in (None, m) for n, m in zip(shape, allowed, strict=True)):
        raise ParameterError(
            f"architecture {name} must take inputs of shape {allowed}, as meta.input_shape, got "
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
    _check_probabilities(model, name, meta)


def _check_probabilities(model: keras.Model, name: str, meta: networks.NetworkMeta) -> None:
    """Raise ParameterError for a network whose outputs for any input are no probabilities."""
    rows = np.random.default_rng(0).random((2, *meta.input_shape), dtype=np.float32)
    outputs = keras.ops.convert_to_numpy(model(rows, training=False)).astype(np.float64)
    total = outputs.sum(axis=1)
    # Comparisons with NaN are false: other features may give numbers.
    if (outputs < 0).any() or (np.abs(total - 1) > _MAX_ROUNDING).any():
        raise ParameterError(
            f"architecture {name} must return probabilities, such as those of a softmax, got "
            f"outputs from {outputs.min():.3g} to {outputs.max():.3g} with a sum of {total[0]:.3g}"
        )


def _name(architecture: object) -> str:
    if isinstance(architecture, str):
        return repr(architecture)
    return getattr(architecture, "__qualname__", repr(architecture))


def _plain(value: object) -> Any:
    """Python's own numbers: searches pass NumPy scalars, which Keras refuses."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value
