"""Names allowed in a model file: estimators of skser and scikit-learn, layers of Keras, and names
that the caller trusts. Nothing else is imported or created.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..exceptions import ParameterError
from ..features.blocks._named import DEFAULT_BLOCKS
from ._former_names import CLASSES as FORMER_CLASSES

# Public names, which stay when modules move.
_CLASSES = {
    "skser.audio.AudioLoader",
    "skser.augmentation.Augmenter",
    "skser.calibration.TemperatureScaledClassifier",
    "skser.classifiers.AugmentedClassifier",
    "skser.classifiers.BlockVotingClassifier",
    "skser.classifiers.CNNEmotionClassifier",
    "skser.classifiers.SoftVotingClassifier",
    "skser.classifiers.WeightedLinearDiscriminant",
    "skser.embeddings.SpeechEmbedding",
    "skser.features.FeatureScaler",
    "skser.features.FeatureStore",
    "skser.features.FeatureUnionExtractor",
    "skser.features.SpeakerNormalizer",
    "sklearn.utils.Bunch",
}
BLOCKS = {f"skser.features.{block.__name__}": block for block in DEFAULT_BLOCKS.values()}
_NAMES = {name.rpartition(".")[2]: name for name in (*_CLASSES, *BLOCKS)}
_KERNELS = (
    *("ConstantKernel", "DotProduct", "Exponentiation", "Matern", "Product", "RBF"),
    *("RationalQuadratic", "Sum", "WhiteKernel"),
)
# Parts of common classifiers of scikit-learn, under skops' names.
_SKLEARN_PARTS = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(f"sklearn.gaussian_process.kernels.{kernel}" for kernel in _KERNELS),
    *(
        f"sklearn.metrics._dist_metrics.{metric}Distance{bits}"
        for metric in ("Euclidean", "Manhattan", "Minkowski")
        for bits in (32, 64)
    ),
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
]
_LAYERS_MODULE = "skser.networks"
# fmt: off
# Parts of the networks of `skser.networks`, by module.
_KERAS = {
    None: {"__keras_tensor__"},
    "keras": {"DTypePolicy", "Functional", "Sequential"},
    "keras.src.models.functional": {"Functional"},
    "keras.initializers": {"GlorotUniform", "Ones", "Orthogonal", "Zeros"},
    "keras.layers": {
        "Add", "AveragePooling1D", "BatchNormalization", "Bidirectional", "Concatenate",
        "Conv1D", "Conv2D", "Dense", "Dropout", "Flatten", "InputLayer", "LSTM",
        "MaxPooling1D", "ReLU", "Reshape", "SpatialDropout1D", "SpatialDropout2D",
        "ZeroPadding1D", "ZeroPadding2D"
    },
    _LAYERS_MODULE: {
        "AttentiveStatistics", "FrameMask", "MaskedBatchNormalization", "RelativeToClip",
        "ShortenMask",
    },
}
# fmt: on
_REGISTERED = "skser>"
JSON = dict[str, Any] | list[Any]


class UntrustedError(ValueError):
    """A model file contains names that are neither allowed nor trusted."""

    def __init__(self, names: Iterable[str]) -> None:
        names = sorted(names)
        super().__init__(
            f"contains {', '.join(names)}, unknown to skser; if you trust that code, load the file "
            f"with trusted={names}, but never a file from a stranger"
        )


class AllowList:
    """Names known to skser, and names that the caller trusts."""

    def __init__(self, trusted: Sequence[str | type] = ()) -> None:
        if isinstance(trusted, str) or not all(isinstance(item, (str, type)) for item in trusted):
            raise ParameterError(
                f"trusted must be a sequence of classes or of their names, got {trusted!r}"
            )
        self._trusted = {
            item if isinstance(item, str) else full_name(item): item for item in trusted
        }
        # Names of which skops may create objects.
        self.sklearn_parts = [*_SKLEARN_PARTS, *self._trusted]

    def class_of(self, name: str) -> type:
        """The class of a name; UntrustedError, before any import, for an unknown name."""
        if kind := _known_class(FORMER_CLASSES.get(name, name)):
            return kind
        if name not in self._trusted:
            raise UntrustedError([name])
        trusted = self._trusted[name]
        return pkgutil.resolve_name(trusted) if isinstance(trusted, str) else trusted

    def unknown_in(self, network: JSON) -> set[str]:
        """Names in Keras' configuration of a network that are neither allowed nor trusted."""
        keys = ("class_name", "registered_name", "module")
        named = [config for config in _configs(network) if not config.keys().isdisjoint(keys)]
        return {_keras_name(config) for config in named if not self._knows(config)}

    def _knows(self, config: dict[str, Any]) -> bool:
        module, name = config.get("module"), config.get("class_name")
        registered = config.get("registered_name")
        if module == _LAYERS_MODULE:
            return name in _KERAS[module] and registered == f"{_REGISTERED}{name}"
        # Keras looks for a registered name first, then in the module.
        is_own = module is not None and not str(module).startswith("keras")
        if registered not in (None, name) and not (is_own and str(registered).endswith(f">{name}")):
            return False
        return name in _KERAS.get(module, ()) or _keras_name(config) in self._trusted


def name_of(kind: type) -> str | None:
    """The public name of a class that every model file may contain, or None."""
    package, module = f"{kind.__module__}.".split(".")[:2]
    if package == "skser" and "saved_as" in vars(kind):
        return str(vars(kind)["saved_as"])
    name = _NAMES.get(kind.__name__, f"{package}.{module}.{kind.__name__}")
    return name if _known_class(name) is kind else None


def full_name(kind: type) -> str:
    """Name of a class with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def use_public_modules(network: JSON) -> None:
    """Set the module of skser's layers, which Keras finds by registered name, to the public one."""
    for config in _configs(network):
        if str(config.get("registered_name")).startswith(_REGISTERED):
            config["module"] = _LAYERS_MODULE


def _configs(network: JSON) -> Iterator[dict[str, Any]]:
    """All objects in JSON."""
    if isinstance(network, dict):
        yield network
    for item in network.values() if isinstance(network, dict) else network:
        if isinstance(item, (dict, list)):
            yield from _configs(item)


def _keras_name(config: dict[str, Any]) -> str:
    name = config.get("class_name")
    return f"{config.get('module')}.{config.get('config') if name == 'function' else name}"


def _known_class(name: str) -> type | None:
    """The class of a name that needs no trust, or None."""
    if name in BLOCKS:
        return BLOCKS[name]
    module, _, kind = name.rpartition(".")
    if name in _CLASSES:
        return getattr(importlib.import_module(module), kind)
    import sklearn

    package, _, public = module.partition(".")
    if package != "sklearn" or public not in sklearn.__all__ or kind.startswith("_"):
        return None
    estimator = vars(importlib.import_module(module)).get(kind)
    is_estimator = isinstance(estimator, type) and issubclass(estimator, sklearn.base.BaseEstimator)
    return estimator if is_estimator and estimator.__module__.startswith(module) else None
