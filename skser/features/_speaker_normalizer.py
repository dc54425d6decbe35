"""SpeakerNormalizer: zero mean and unit variance for each speaker."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._utils._blocks import blocks_of
from .._utils._functional import average_statistics
from .._utils._labels import check_speakers
from .._utils._param_validation import (
    BOOLEAN,
    NONE,
    check_is_fitted,
    check_parameters,
    integer,
    one_of,
)
from ..exceptions import DataError, ParameterError
from ._augmented_features import AugmentedFeatures, Features
from ._checks import by_view, check_features
from ._on_disk import FeaturesOnDisk
from ._scaler import Standardizer, mean_and_scale

Statistics = tuple[np.ndarray, np.ndarray]

_UNKNOWN = object()  # is no speaker of fit


class SpeakerNormalizer(Standardizer):
    """Standardise features by the mean and standard deviation of their speaker.

    It removes differences between voices, which are larger than those between emotions, and
    replaces :class:`FeatureScaler`. Pass speakers as ``groups`` to `fit` and `predict`, by
    scikit-learn's metadata routing.

    The statistics of a new speaker are those of their first clips (``n_calibration``) or of all
    clips to be labelled (``transductive``), which a recogniser in use does not have at once.
    Neither needs labels, but report with every score which one you used.

    Parameters
    ----------
    n_calibration : int or None, default=None
        Number of first clips in a call of `transform` that give the statistics of a new speaker;
        they should have several emotions. None allows only the speakers of `fit`.
    transductive : bool, default=False
        Compute the statistics of each speaker from all their clips in a call of `transform`.
    unknown : {"error", "average"}, default="error"
        "average" standardises clips of a new speaker, and clips without ``groups``, by the mean
        of the statistics of the speakers of `fit`, which all count alike.

    prior_clips : int, default=0
        Number of clips that the mean of the statistics of all speakers counts in those of each
        speaker in `fit`, so that a few clips do not decide alone.

    Attributes
    ----------
    statistics_ : dict of {speaker : (mean, scale)}
        Arrays of shape (n_views, n_features) for the speakers of `fit`.
    n_features_in_ : int
        Number of features.

    Notes
    -----
    Augmentation changes voices, so each view has separate statistics. `fit` ignores NaN (padding
    of sequences), `transform` preserves it.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import SpeakerNormalizer
    >>> X = np.array([[100.0], [120.0], [200.0], [240.0]])
    >>> normalizer = SpeakerNormalizer(transductive=True)
    >>> normalizer.fit_transform(X, groups=["ann", "ann", "bob", "bob"]).ravel()
    array([-1.,  1., -1.,  1.])

    Any groups of clips may take the place of speakers, such as the corpora of
    :func:`skser.recipes.standardize_by_corpus`:

    >>> normalizer = SpeakerNormalizer(unknown="average")
    >>> normalizer.fit(X, groups=["emodb", "emodb", "emovo", "emovo"]).transform([[165.0]])
    array([[0.]])
    """

    _allowed = {
        "n_calibration": [integer(1), NONE],
        "transductive": [BOOLEAN],
        "unknown": [one_of("error", "average")],
        "prior_clips": [integer(0)],
    }

    unknown: Literal["error", "average"] = "error"  # default for older pickles

    # scikit-learn then routes `groups` here without set_fit_request.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {"groups": True}
    __metadata_request__transform: ClassVar[dict[str, Any]] = {"groups": True}

    def __init__(
        self,
        *,
        n_calibration: int | None = None,
        transductive: bool = False,
        unknown: Literal["error", "average"] = "error",
        prior_clips: int = 0,
    ) -> None:
        self.n_calibration = n_calibration
        self.transductive = transductive
        self.unknown = unknown
        self.prior_clips = prior_clips

    def fit(
        self, X: Features, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> SpeakerNormalizer:
        """Compute the mean and standard deviation of each feature for each speaker.

        Parameters
        ----------
        X : array of shape (n_clips, ..., n_features) or AugmentedFeatures
            Features.
        y : None
            Ignored.
        groups : array of shape (n_clips,)
            The speaker of each clip.

        Returns
        -------
        self : SpeakerNormalizer
            The fitted normalizer.

        Raises
        ------
        ParameterError
            A parameter is not allowed, or ``groups`` is None.
        DataError
            The features are infinite or of a wrong shape, or a speaker has a single vector.
        """
        check_parameters(self)
        values = by_view(X, check_features(self, X, reset=True, allow_nan=True))
        groups = self._check_groups(groups, len(values))
        speakers, counts = np.unique(groups, return_counts=True)
        self.statistics_ = {
            speaker: _statistics(values[groups == speaker], speaker)
            for speaker in speakers.tolist()
        }
        if self.prior_clips:
            average = average_statistics(self.statistics_)
            self.statistics_ = {
                speaker: _shrunk(own, average, n / (n + self.prior_clips))
                for (speaker, own), n in zip(self.statistics_.items(), counts, strict=True)
            }
        return self

    def transform(
        self, X: Features, groups: ArrayLike | None = None
    ) -> np.ndarray | AugmentedFeatures:
        """Standardise the clips of each speaker.

        Parameters
        ----------
        X : array of shape (n_clips, ..., n_features) or AugmentedFeatures
            Features.
        groups : array of shape (n_clips,) or None, default=None
            The speaker of each clip; None only with ``unknown="average"``.

        Returns
        -------
        X : array or AugmentedFeatures
            Standardised features of the same kind and shape.

        Raises
        ------
        NotFittedError
            `fit` was not called.
        ParameterError
            ``groups`` is None with ``unknown="error"``.
        DataError
            A speaker is new, or has fewer clips than ``n_calibration``.
        """
        check_is_fitted(self, "statistics_")
        values = check_features(self, X, reset=False, allow_nan=True)
        views = by_view(X, values)
        of_speakers = list(self._rows_of_speakers(groups, len(values)))
        statistics = [self._statistics_of(speaker, views, rows) for speaker, rows in of_speakers]
        if isinstance(values, FeaturesOnDisk):
            number = np.zeros(len(values), int)
            for i, (_, rows) in enumerate(of_speakers):
                number[rows] = i
            means, scales = (np.stack(each) for each in zip(*statistics, strict=True))
            scaled = values.standardized(means, scales, number)
        else:
            scaled = np.empty_like(views)
            shape = (-1, *[1] * (views.ndim - 3), values.shape[-1])  # of the statistics
            for (_, rows), (mean, scale) in zip(of_speakers, statistics, strict=True):
                for block in blocks_of(len(rows), math.prod(views.shape[1:])):
                    part = views[rows[block]] - mean.reshape(shape)
                    part /= scale.reshape(shape)
                    scaled[rows[block]] = part
            scaled = scaled.reshape(values.shape)
        return AugmentedFeatures(scaled) if isinstance(X, AugmentedFeatures) else scaled

    def fit_transform(
        self, X: Features, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> np.ndarray | AugmentedFeatures:
        """Fit to clips and standardise them.

        Parameters
        ----------
        X : array of shape (n_clips, ..., n_features) or AugmentedFeatures
            Features.
        y : None
            Ignored.
        groups : array of shape (n_clips,)
            The speaker of each clip.

        Returns
        -------
        X : array or AugmentedFeatures
            Standardised features of the same kind and shape.
        """
        return self.fit(X, y, groups).transform(X, groups)

    def _rows_of_speakers(
        self, groups: ArrayLike | None, n_clips: int
    ) -> Iterator[tuple[object, np.ndarray]]:
        """Each speaker and the rows of their clips; one unknown speaker without ``groups``."""
        if groups is None and self.unknown == "average":
            yield _UNKNOWN, np.arange(n_clips)
            return
        groups = self._check_groups(groups, n_clips)
        for speaker in np.unique(groups).tolist():
            yield speaker, np.flatnonzero(groups == speaker)

    def _statistics_of(self, speaker: object, values: np.ndarray, rows: np.ndarray) -> Statistics:
        """Mean and scale of a speaker, for each view of ``values`` or for the clean view.

        ``rows`` are those of the speaker.
        """
        if self.transductive:
            return _statistics(values[rows], speaker)
        if speaker in self.statistics_ or self.unknown == "average":
            of_fit = self.statistics_.get(speaker)
            mean, scale = average_statistics(self.statistics_) if of_fit is None else of_fit
            n_views = len(mean) if values.shape[1] == len(mean) else 1
            return mean[:n_views], scale[:n_views]
        if self.n_calibration is None:
            raise DataError(
                f"groups must be speakers of fit, got {speaker!r}; set n_calibration, "
                "transductive=True or unknown='average' for new speakers"
            )
        if len(rows) < self.n_calibration:
            raise DataError(
                f"groups must have n_calibration={self.n_calibration} clips of each new speaker, "
                f"got {len(rows)} of {speaker!r}"
            )
        return _statistics(values[rows[: self.n_calibration]], speaker)

    def _check_groups(self, groups: ArrayLike | None, n_clips: int) -> np.ndarray:
        if groups is None:
            alias = self.get_metadata_routing().fit.requests.get("groups")
            name, unit = (alias, "group") if isinstance(alias, str) else ("groups", "speaker")
            raise ParameterError(
                f"{name} must be the {unit} of each clip, got None; in a pipeline, call "
                f"sklearn.set_config(enable_metadata_routing=True) and pass {name} to fit and "
                "predict"
            )
        return check_speakers(groups, n_clips)

    def _check_together(self) -> None:
        if self.transductive and self.n_calibration is not None:
            raise ParameterError(
                f"n_calibration must be None with transductive=True, got {self.n_calibration}"
            )
        if self.unknown == "average" and (self.transductive or self.n_calibration is not None):
            raise ParameterError(
                "unknown must be 'error' with n_calibration or transductive=True, got 'average'"
            )


def _shrunk(own: Statistics, average: Statistics, share: float) -> Statistics:
    """Mean and scale between a speaker's own and the average."""
    mean = share * own[0] + (1 - share) * average[0]
    variance = share * own[1] ** 2 + (1 - share) * average[1] ** 2
    return mean.astype(own[0].dtype), np.sqrt(variance).astype(own[1].dtype)


def _statistics(values: np.ndarray, speaker: object) -> Statistics:
    """Mean and scale, (n_views, n_features) each, of clips (n_clips, n_views, ..., n_features)."""
    if len(values) == 1 and values.ndim == 3:
        raise DataError(
            f"groups must have at least two clips of each speaker, got one sample of {speaker!r}, "
            "which equals its mean"
        )
    mean, scale, _ = mean_and_scale(values, by_view=True)
    return mean.astype(values.dtype), scale.astype(values.dtype)
