"""CNNEmotionClassifier: a convolutional network as a scikit-learn classifier."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight

from .._utils._functional import mean_probabilities
from .._utils._labels import all_classes, check_labels
from .._utils._param_validation import check_is_fitted, check_parameters
from ..exceptions import DataError, SkserWarning
from ..features import AugmentedFeatures
from ..features._checks import by_view, check_features, check_padding
from ..networks._rows import BLOCK_SIZE, without_nan
from ._cnn_parameters import ALLOWED, check_together
from ._network_params import NetworkParamsMixin
from ._validation_split import validation_split

if TYPE_CHECKING:
    import keras

__all__ = ["CNNEmotionClassifier"]

Features = ArrayLike | AugmentedFeatures


class CNNEmotionClassifier(NetworkParamsMixin, ClassifierMixin, BaseEstimator):
    """Classify vectors or sequences of features with a neural network.

    Every epoch changes the clips at random: another view of each, stretched in time, louder or
    softer, with masked bands and frames [1]_, mixed in pairs [2]_. The defaults are those of
    :func:`skser.recipes.residual_network`, for standardised log-mel bands.

    Parameters
    ----------
    architecture : {"resnet", "cnn_average_pooling", "cnn512", "cnn_bilstm_attention", "dense", \
            "cnn256"} or callable, default="resnet"
        The network, or a function ``build(meta, **params)`` that returns a ``keras.Model`` from
        ``meta.input_shape`` to ``meta.n_classes`` probabilities.
    epochs : int, default=50
        Passes over the training clips.
    batch_size : int, default=16
        Rows per gradient step.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"}, default="adamw"
        Keras optimizer.
    learning_rate : float, default=0.003
        Highest learning rate of the schedule.
    weight_decay : float, default=0.01
        Decay of the weights; biases and normalisations have none.
    clip_norm : float or None, default=5.0
        Maximum norm of the gradient over all weights.
    schedule : {"cosine", "plateau"} or None, default="cosine"
        Learning rate schedule: half a cosine down to 0, or multiplication by ``plateau_factor``
        after ``plateau_patience`` epochs without a lower loss, or a constant rate.
    warmup : float, default=0.15
        Share of the steps in which the rate of ``"cosine"`` rises first.
    plateau_factor : float, default=0.5
        Factor of ``"plateau"``.
    plateau_patience : int, default=5
        Patience of ``"plateau"`` in epochs.
    early_stopping : int or None, default=None
        Stop after this many epochs without a lower validation loss, and restore the weights of
        the best epoch. None trains all epochs and keeps the last weights.
    label_smoothing : float, default=0.1
        Share of the label spread over all classes.
    mixup : float, default=0.2
        Mixes pairs of clips in a batch, in shares from Beta(mixup, mixup). 0 mixes none.
    frequency_masks : (int, int), default=(2, 10)
        Number of feature bands set to their mean in sequences, and their maximum width, at most a
        quarter of the features each.
    time_masks : (int, int), default=(2, 12)
        Number of spans of frames masked in sequences, and their maximum width, at most a quarter
        of the clip each.
    time_scale : (float, float), default=(0.87, 1.15)
        Range of factors for the length of sequences.
    gain : (float, float), default=(-0.35, 0.35)
        Range of a constant added to all features of a clip, in standard deviations; for log-mel
        bands, a change of level.
    noise : float, default=0.05
        Deviation of the noise added to features, in standard deviations.
    view_sampling : {"one", "all"}, default="one"
        One random view of each clip per epoch, or all views.
    dtype_policy : {"float32", "mixed_float16", "mixed_bfloat16"}, default="float32"
        Keras policy of the training: mixed precision computes in 16 bits, which is faster on most
        GPUs, and keeps weights in 32. Predictions are in float32. See Notes.
    n_networks : int, default=1
        Number of networks trained from different seeds; their probabilities are averaged.
    class_weight : dict, "balanced" or None, default=None
        Weights of the labels, as in scikit-learn.
    validation_fraction : float, default=0.0
        Share of the clips held out for ``val_loss`` and ``val_accuracy`` in ``history_``, with all
        their views. With ``groups`` in `fit`, whole speakers are held out, and the share is rounded
        to a half, a third, a fourth...
    callbacks : list of keras.callbacks.Callback or None, default=None
        Called during training.
    checkpoint : str, path or None, default=None
        Folder for the state of training after each epoch. After an interruption, the same fit (same
        data and parameters) resumes from its last epoch; a complete fit removes its files. It needs
        an int as ``random_state``. The state of ``callbacks`` is not saved.
    warm_start : bool, default=False
        Whether `fit` of a fitted classifier begins with the weights of its networks instead of new
        ones; see Notes.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, dropout, batches and validation clips. Two fits with the same int give
        equal probabilities, unless they run in threads of one process.
    verbose : int, default=0
        1 shows a progress bar.
    **network_params
        Parameters of the architecture with the prefix ``network__``, such as
        ``network__filters=(32, 64)``; see :func:`skser.networks.resnet` and the other functions of
        `skser.networks`. None is the default of the function.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features.
    history_ : dict of list of float
        ``loss`` and ``accuracy`` of the first network after each epoch, ``val_*`` on the validation
        clips, and with ``schedule="plateau"`` the ``learning_rate``.
    histories_ : list of dict
        The histories of all networks.
    networks_ : list of TrainedNetwork
        The trained networks as plain data: ``config`` (JSON) and ``weights`` (arrays).
    model_ : keras.Model
        The first network as a Keras model, built at each access, which imports TensorFlow.
    validation_clips_ : ndarray of int
        Indices of the validation clips.

    See Also
    --------
    skser.AugmentedClassifier : Trains any other classifier on augmented features.

    Notes
    -----
    A GPU that TensorFlow sees is used. With a mixed ``dtype_policy``, normalisations, pooling over
    frames, the output and the loss of skser's architectures are in float32, and with
    ``"mixed_float16"`` the loss is scaled. The last layer of a function's network should have
    ``dtype="float32"``.

    With ``warm_start=True``, `fit` trains the networks of the previous fit, or of the model file,
    for another ``epochs`` epochs. Optimizer, schedule, ``history_`` and the draws of an int
    ``random_state`` start anew. Parameters of training and dropout may change; features and
    architecture may not. With a higher ``n_networks``, the additional networks begin with new
    weights; with a lower one, the last are dropped.

    New labels get new units in the output layer. Labels that are not in ``y`` remain in
    ``classes_``, but are not trained: the loss compares the classes in ``y`` alone [3]_, since the
    network would otherwise learn never to predict the others.

    A clone has no weights to continue from: each fit in a cross-validation, search or vote starts
    anew.

    References
    ----------
    .. [1] D. S. Park et al., "SpecAugment: a simple data augmentation method for automatic speech
       recognition", Interspeech 2019.
    .. [2] H. Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018.
    .. [3] L. Caccia et al., "New insights on reducing abrupt representation change in online
       continual learning", ICLR 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import CNNEmotionClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "angry"], 20)
    >>> X = (y == "angry")[:, None, None] + 0.1 * rng.normal(size=(40, 30, 4))
    >>> classifier = CNNEmotionClassifier(
    ...     network__filters=(8,), epochs=20, batch_size=8, random_state=0
    ... )
    >>> classifier.fit(X, y).predict(np.ones((1, 30, 4)))
    array(['angry'], dtype='<U5')
    """

    _allowed = ALLOWED

    # Metadata routing passes `groups` without a request.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True}

    def __init__(
        self,
        architecture: str | Callable[..., Any] = "resnet",
        *,
        epochs: int = 50,
        batch_size: int = 16,
        optimizer: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw",
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        clip_norm: float | None = 5.0,
        schedule: Literal["cosine", "plateau"] | None = "cosine",
        warmup: float = 0.15,
        plateau_factor: float = 0.5,
        plateau_patience: int = 5,
        early_stopping: int | None = None,
        label_smoothing: float = 0.1,
        mixup: float = 0.2,
        frequency_masks: tuple[int, int] = (2, 10),
        time_masks: tuple[int, int] = (2, 12),
        time_scale: tuple[float, float] = (0.87, 1.15),
        gain: tuple[float, float] = (-0.35, 0.35),
        noise: float = 0.05,
        view_sampling: Literal["one", "all"] = "one",
        dtype_policy: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32",
        n_networks: int = 1,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        validation_fraction: float = 0.0,
        callbacks: list[Any] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        **network_params: object,
    ) -> None:
        self.architecture = architecture
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.schedule = schedule
        self.warmup = warmup
        self.plateau_factor = plateau_factor
        self.plateau_patience = plateau_patience
        self.early_stopping = early_stopping
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.frequency_masks = frequency_masks
        self.time_masks = time_masks
        self.time_scale = time_scale
        self.gain = gain
        self.noise = noise
        self.view_sampling = view_sampling
        self.dtype_policy = dtype_policy
        self.n_networks = n_networks
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self._set_network_params(network_params)

    def fit(
        self,
        X: Features,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> CNNEmotionClassifier:
        """Train the network; with ``warm_start=True``, from the weights of the previous fit.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features, standardised (see :class:`FeatureScaler`).
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips.
        groups : array of shape (n_clips,) or None, default=None
            Speakers, for validation clips of other speakers. In a pipeline, enable scikit-learn's
            metadata routing to pass them.

        Returns
        -------
        self : CNNEmotionClassifier
            The fitted classifier.

        Raises
        ------
        ParameterError
            A parameter has an invalid value, or the architecture has no such parameter, takes
            another input than ``X``, returns no probabilities, or is another than that of the
            weights to continue from.
        DataError
            Features, labels, weights or speakers are invalid, or there are too few clips for
            ``validation_fraction``.

        Warns
        -----
        SkserWarning
            The classifier is from a model file, and ``warm_start=False`` discards its weights.
        """
        from ._fitting import fit_networks

        check_parameters(self)
        previous = getattr(self, "networks_", []) if self.warm_start else []
        try:
            values = self._check_features(X, reset=not previous)
        except DataError as error:
            reason = f"warm_start=True continues the previous fit: {error}" if previous else error
            raise DataError(str(reason)) from None
        labels = check_labels(y, len(values))
        weights = _weights(sample_weight, self.class_weight, labels)
        present, encoded = np.unique(labels, return_inverse=True)
        known = self.classes_ if previous else present
        classes = all_classes(known, present)
        columns = np.searchsorted(classes, present)
        self._warn_of_new_weights()
        if not hasattr(self, "networks_"):
            self.classes_: np.ndarray = classes  # callbacks may predict during the training

        rng = check_random_state(self.random_state)
        training, validation = validation_split(self.validation_fraction, labels, groups, rng)
        self.networks_, self.histories_ = fit_networks(
            self,
            by_view(X, values),
            np.eye(len(classes), dtype=np.float32)[columns[encoded]],
            weights,
            training,
            validation,
            seeds=rng.randint(np.iinfo(np.int32).max, size=self.n_networks),
            previous=previous,
            known=np.searchsorted(classes, known),
        )
        # Set last: after an interruption, a warm start needs the classes of the previous networks.
        self.classes_ = classes
        self.validation_clips_ = validation
        self.history_ = self.histories_[0]
        return self

    def predict_proba(self, X: Features) -> np.ndarray:
        """Predict the probabilities of the labels.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``, averaged over networks and views.
        """
        check_is_fitted(self, "networks_")
        values = by_view(X, self._check_features(X, reset=False))
        return np.concatenate(
            [
                self._probabilities(np.asarray(values[start : start + BLOCK_SIZE]))
                for start in range(0, len(values), BLOCK_SIZE)
            ]
        )

    def predict(self, X: Features) -> np.ndarray:
        """Predict the most probable labels.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            The labels.
        """
        check_is_fitted(self, "networks_")
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def model_(self) -> keras.Model:
        """The first network as a Keras model."""
        check_is_fitted(self, "networks_")
        return self.networks_[0].to_keras()

    def __dir__(self) -> list[str]:
        # scikit-learn's own, and its HTML view, read all attributes: model_ imports TensorFlow.
        names = object.__dir__(self)
        return [name for name in names if name != "model_" and hasattr(self, name)]

    def _check_needs(self, labels: np.ndarray, groups: np.ndarray | None) -> None:
        """Raise DataError if these clips cannot be divided into training and validation."""
        check_parameters(self)
        # The same draws as in fit.
        rng = check_random_state(copy.deepcopy(self.random_state))
        validation_split(self.validation_fraction, labels, groups, rng)

    def _check_together(self) -> None:
        check_together(self)

    def _warn_of_new_weights(self) -> None:
        """Warn if a fit discards the weights of a model file."""
        networks = getattr(self, "networks_", [])
        if not self.warm_start and any(network.is_from_file for network in networks):
            warnings.warn(
                f"{type(self).__name__} is from a model file, and fit starts from new weights; set "
                "warm_start=True to continue from its own",
                SkserWarning,
                stacklevel=3,
            )

    def _probabilities(self, values: np.ndarray) -> np.ndarray:
        """Probabilities of clips, averaged over networks and views."""
        n_clips, n_views, *shape = values.shape
        rows = without_nan(values.reshape(n_clips * n_views, *shape))
        return mean_probabilities(self.networks_, rows).reshape(n_clips, n_views, -1).mean(axis=1)

    def _check_features(self, X: Features, reset: bool) -> np.ndarray:
        """Features as an array, with NaN in padding frames only."""
        values = check_features(self, X, reset=reset)
        n_axes = values.ndim - isinstance(X, AugmentedFeatures)
        if n_axes > 3:
            raise DataError(
                "X must be of shape (n_clips, n_features) or (n_clips, n_frames, n_features), got "
                f"{values.shape}"
            )
        check_padding(values, is_sequence=n_axes == 3)
        if reset:
            self._n_axes = n_axes
        elif n_axes != self._n_axes:
            kinds = {2: "vectors", 3: "sequences"}
            raise DataError(f"X must be {kinds[self._n_axes]} as in fit, got {kinds[n_axes]}")
        return values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        tags.classifier_tags.poor_score = False
        return tags


def _weights(
    sample_weight: ArrayLike | None, class_weight: dict[Any, float] | str | None, labels: np.ndarray
) -> np.ndarray:
    """Weights of clips, also by their labels; DataError if either is invalid."""
    try:
        weights = _check_sample_weight(
            sample_weight, np.empty((len(labels), 1)), ensure_non_negative=True
        )
        if class_weight is not None:
            weights = weights * compute_sample_weight(class_weight, labels)
    except ValueError as error:
        raise DataError(str(error)) from None
    return weights
