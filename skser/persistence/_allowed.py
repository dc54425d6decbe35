"""What a model file may name: estimators of skser and scikit-learn, and layers of Keras.

Nothing else is imported or made, whatever a file says.
"""

from __future__ import annotations

import importlib
from typing import Any

_OF_SKSER = {
    "skser.augmentation": ("Augmenter",),
    "skser.augmented_classifier": ("AugmentedClassifier",),
    "skser.calibration": ("TemperatureScaledClassifier",),
    "skser.classifier": ("CNNEmotionClassifier",),
    "skser.features": (
        "MFCC",
        "RMS",
        "Chroma",
        "ChromaCQT",
        "FeatureScaler",
        "FeatureUnionExtractor",
        "MelSpectrogram",
        "Pitch",
        "SpeakerNormalizer",
        "SpectralBandwidth",
        "SpectralCentroid",
        "SpectralContrast",
        "SpectralFlatness",
        "SpectralRolloff",
        "Tonnetz",
        "ZeroCrossingRate",
    ),
    "skser.loader": ("AudioLoader",),
    "skser.voting": ("SoftVotingClassifier",),
}
_OF_SKLEARN = (
    "calibration",
    "compose",
    "cross_decomposition",
    "decomposition",
    "discriminant_analysis",
    "dummy",
    "ensemble",
    "feature_selection",
    "gaussian_process",
    "impute",
    "kernel_approximation",
    "linear_model",
    "model_selection",
    "multiclass",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "pipeline",
    "preprocessing",
    "random_projection",
    "semi_supervised",
    "svm",
    "tree",
)
_KERAS_LAYERS = {
    "Activation",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "GroupQueryAttention",
    "Identity",
    "InputLayer",
    "LSTM",
    "LSTMCell",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RNN",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpectralNormalization",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
}
# Parts of scikit-learn's estimators that are no estimators, and are kept by skops.
SKLEARN_PARTS = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{kernel}"
        for kernel in (
            "ConstantKernel",
            "DotProduct",
            "Exponentiation",
            "Matern",
            "Product",
            "RBF",
            "RationalQuadratic",
            "Sum",
            "WhiteKernel",
        )
    ),
    "sklearn.metrics._dist_metrics.EuclideanDistance32",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance32",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance32",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
]
_KERAS_PARTS = ("keras.initializers", "keras.regularizers", "keras.constraints")
_KERAS_NAMES = {"__keras_tensor__", "DTypePolicy", "Functional", "Sequential"}
_SKSER_LAYERS = {
    "AttentiveStatistics",
    "FrameMask",
    "MaskedBatchNormalization",
    "RelativeToClip",
    "ShortenMask",
}


def name_of(kind: type) -> str | None:
    """The name by which a class may be in a file; None if it may not be."""
    for module, names in _OF_SKSER.items():
        if kind.__name__ in names and kind.__module__.startswith(module):
            return f"{module}.{kind.__name__}"
    package, _, rest = kind.__module__.partition(".")
    public = rest.partition(".")[0]
    if package == "sklearn" and public in _OF_SKLEARN:
        name = f"sklearn.{public}.{kind.__name__}"
        return name if _sklearn_class(public, kind.__name__) is kind else None
    return None


def class_of(name: str) -> type:
    """The class of a name; ValueError if a file may not name it."""
    module, _, kind = name.rpartition(".")
    if kind in _OF_SKSER.get(module, ()):
        return getattr(importlib.import_module(module), kind)
    package, _, public = module.partition(".")
    if name == "sklearn.utils.Bunch":
        return importlib.import_module(module).Bunch
    if package == "sklearn" and public in _OF_SKLEARN:
        found = _sklearn_class(public, kind)
        if found is not None:
            return found
    raise ValueError(f"it names {name!r}, which a model file may not")


def _sklearn_class(public: str, name: str) -> type | None:
    """An estimator that scikit-learn shows in one of its public modules."""
    from sklearn.base import BaseEstimator

    module = importlib.import_module(f"sklearn.{public}")
    found = None if name.startswith("_") else vars(module).get(name)
    is_estimator = isinstance(found, type) and issubclass(found, BaseEstimator)
    return found if is_estimator and found.__module__.startswith(module.__name__) else None


def check_network(config: Any) -> None:
    """Raise ValueError if the description of a network names what may not be made."""
    if isinstance(config, list):
        for item in config:
            check_network(item)
    elif isinstance(config, dict):
        if "class_name" in config or "registered_name" in config or "module" in config:
            _check_layer(config)
        for item in config.values():
            check_network(item)


def _check_layer(config: dict[str, Any]) -> None:
    module, name = config.get("module"), config.get("class_name")
    registered = config.get("registered_name")
    is_ours = module == "skser._layers" and name in _SKSER_LAYERS
    is_keras = (
        (module == "keras.layers" and name in _KERAS_LAYERS)
        or (module in _KERAS_PARTS and str(name)[:1].isupper())
        or (name in _KERAS_NAMES and module in (None, "keras", "keras.src.models.functional"))
    )
    if is_ours and registered == f"skser>{name}":
        return
    if is_keras and registered in (None, name):
        return
    raise ValueError(f"its network names {module}.{name}, which a model file may not")
