"""CNNEmotionClassifier: a convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight

from ._checks import check_features, check_labels
from ._validation import (
    NONE,
    RANDOM_STATE,
    VERBOSE,
    Allowed,
    check_is_fitted,
    check_parameters,
    integer,
    number,
    one_of,
)
from .exceptions import DataError
from .views import AugmentedFeatures

__all__ = ["CNNEmotionClassifier"]

_FILTERS = Allowed(
    "a sequence of integers of at least 1",
    lambda value: (
        isinstance(value, (Sequence, np.ndarray))
        and not isinstance(value, str)
        and len(value) > 0
        and all(integer(1).accepts(n) for n in value)
    ),
)


class CNNEmotionClassifier(ClassifierMixin, BaseEstimator):
    """Classify vectors or sequences of features with a small convolutional network.

    Sequences are convolved over time and pooled over their real frames (NaN frames are padding).
    Vectors are convolved over neighbouring features. Augmented features are trained on view by
    view, and their probabilities averaged in `predict`.

    Parameters
    ----------
    filters : sequence of int, default=(64, 64, 128)
        Filters of each convolutional stage.
    kernel_size : int, default=5
        Length of the filters in frames (or features).
    dense_units : int, default=128
        Units of the hidden layer after pooling.
    dropout : float, default=0.3
        Share of units dropped before and after the hidden layer; half of it in each stage.
    epochs : int, default=40
        Passes over the training clips.
    batch_size : int, default=32
        Rows of a gradient step.
    learning_rate : float, default=0.001
        Step size of Adam.
    class_weight : dict, "balanced" or None, default=None
        Weights of the labels, as everywhere in scikit-learn.
    validation_fraction : float, default=0.0
        Share of the clips that is not trained on but watched: ``history_`` then has
        ``val_loss`` and ``val_accuracy``. It is stratified, and all views of a clip are on one
        side.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, dropout, order and validation part. Two fits with one int give equal
        probabilities, unless they are in threads of one process.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of features.
    history_ : dict of list of float
        ``loss`` and ``accuracy`` after each epoch, and ``val_*`` of the validation part.
    network_ : TrainedNetwork
        The trained network as plain data: ``config`` (JSON) and ``weights`` (arrays).

    See Also
    --------
    skser.AugmentedClassifier : Trains any other classifier on augmented features.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import CNNEmotionClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["calm", "angry"], 20)
    >>> X = (y == "angry")[:, None, None] + 0.1 * rng.normal(size=(40, 30, 4))
    >>> classifier = CNNEmotionClassifier(filters=(8,), epochs=10, random_state=0)
    >>> classifier.fit(X, y).predict(np.ones((1, 30, 4)))
    array(['angry'], dtype='<U5')
    """

    _allowed = {
        "filters": [_FILTERS],
        "kernel_size": [integer(1, 1000)],
        "dense_units": [integer(1)],
        "dropout": [number(0, 0.95)],
        "epochs": [integer(1)],
        "batch_size": [integer(1)],
        "learning_rate": [number(0, open_low=True)],
        "class_weight": [
            Allowed("a dict", lambda value: isinstance(value, dict)),
            one_of("balanced"),
            NONE,
        ],
        "validation_fraction": [number(0, 0.9)],
        "random_state": [RANDOM_STATE],
        "verbose": [VERBOSE],
    }

    def __init__(
        self,
        filters: Sequence[int] = (64, 64, 128),
        kernel_size: int = 5,
        dense_units: int = 128,
        dropout: float = 0.3,
        epochs: int = 40,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        class_weight: dict | str | None = None,
        validation_fraction: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.filters = filters
        self.kernel_size = kernel_size
        self.dense_units = dense_units
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CNNEmotionClassifier:
        """Train the network.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features, standardised (see :class:`FeatureScaler`).
        y : array of shape (n_clips,)
            Labels.
        sample_weight : array of shape (n_clips,) or None, default=None
            Weights of the clips.

        Returns
        -------
        self : CNNEmotionClassifier
        """
        from ._keras_backend import train

        check_parameters(self)
        values = self._check_features(X, reset=True)
        labels = check_labels(y, len(values))
        try:
            weight = _check_sample_weight(sample_weight, values[:, 0], ensure_non_negative=True)
            if self.class_weight is not None:
                weight = weight * compute_sample_weight(self.class_weight, labels)
        except ValueError as error:
            raise DataError(str(error)) from None
        self.classes_, encoded = np.unique(labels, return_inverse=True)

        rng = check_random_state(self.random_state)
        training, validation = self._split(encoded, rng)
        rows, targets, weights = _as_rows(X, values, encoded, weight, training)
        watched = _as_rows(X, values, encoded, weight, validation)[:2] if len(validation) else None
        self.network_, self.history_ = train(
            rows,
            targets,
            n_classes=len(self.classes_),
            sample_weight=weights,
            validation=watched,
            network={
                # Keras knows no NumPy scalars, which searches bring.
                "filters": tuple(int(n) for n in self.filters),
                "kernel_size": int(self.kernel_size),
                "dense_units": int(self.dense_units),
                "dropout": float(self.dropout),
            },
            epochs=int(self.epochs),
            batch_size=int(self.batch_size),
            learning_rate=float(self.learning_rate),
            seed=int(rng.randint(np.iinfo(np.int32).max)),
            verbose=self.verbose,
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the labels.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``; averaged over views.
        """
        check_is_fitted(self, "network_")
        values = self._check_features(X, reset=False)
        if isinstance(X, AugmentedFeatures):
            return X.average(self.network_.probabilities(_without_nan(X.flatten())))
        return self.network_.probabilities(_without_nan(values))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable labels.

        Parameters
        ----------
        X : array of shape (n_clips, n_features) or (n_clips, n_frames, n_features), \
                or AugmentedFeatures
            Features.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        check_is_fitted(self, "network_")
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _check_features(self, X: Any, reset: bool) -> np.ndarray:
        """Features as an array; NaN may only fill the frames that pad a sequence."""
        values = check_features(self, X, reset=reset)
        n_axes = values.ndim - isinstance(X, AugmentedFeatures)
        if n_axes > 3:
            raise DataError(
                "X must be of shape (n_clips, n_features) or (n_clips, n_frames, n_features), got "
                f"{values.shape}"
            )
        _check_padding(values, is_sequence=n_axes == 3)
        if reset:
            self._n_axes = n_axes
        elif n_axes != self._n_axes:
            kinds = {2: "vectors", 3: "sequences"}
            raise DataError(f"X must be {kinds[self._n_axes]} as in fit, got {kinds[n_axes]}")
        return values

    def _split(
        self, encoded: np.ndarray, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Clips to train on and clips to watch."""
        everything = np.arange(len(encoded))
        if self.validation_fraction == 0:
            return everything, everything[:0]
        try:
            return train_test_split(
                everything,
                test_size=self.validation_fraction,
                stratify=encoded,
                random_state=rng.randint(np.iinfo(np.int32).max),
            )
        except ValueError as error:
            raise DataError(
                f"validation_fraction={self.validation_fraction:g} of {len(encoded)} clips cannot "
                f"be taken with every class on both sides ({error})"
            ) from None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        tags.classifier_tags.poor_score = False
        return tags


def _as_rows(
    X: Any, values: np.ndarray, encoded: np.ndarray, weight: np.ndarray, clips: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, targets and weights of some clips: a row for each view."""
    if isinstance(X, AugmentedFeatures):
        chosen = X[clips]
        rows, targets = chosen.flatten(), chosen.repeat(encoded[clips])
        return _without_nan(rows), targets, chosen.repeat(weight[clips])
    return _without_nan(values[clips]), encoded[clips], weight[clips]


def _check_padding(values: np.ndarray, is_sequence: bool) -> None:
    """Raise DataError for NaN that does not fill a whole frame, and for infinity."""
    n_missing = np.isnan(values).sum(axis=-1)
    if (n_missing[n_missing > 0] != (values.shape[-1] if is_sequence else 0)).any():
        raise DataError("X must have NaN only where it fills whole frames that pad a sequence")
    if np.isinf(values).any():
        raise DataError("X must not have infinite values")


def _without_nan(rows: np.ndarray) -> np.ndarray:
    """Rows in float32 with padding as zeros, which networks take for padding."""
    return np.nan_to_num(rows.astype(np.float32, copy=False), nan=0.0)
