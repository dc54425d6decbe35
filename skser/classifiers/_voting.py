"""SoftVotingClassifier: the weighted mean of the probabilities of several pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Bunch, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples

from .._utils._functional import soft_vote
from .._utils._labels import check_labels
from .._utils._param_validation import check_is_fitted
from ..audio import Clips
from ..exceptions import ParameterError

__all__ = ["SoftVotingClassifier"]

Samples = ArrayLike | Clips


class SoftVotingClassifier(ClassifierMixin, _BaseComposition):
    """Average the probabilities of pipelines that see the same clips.

    It differs from `sklearn.ensemble.VotingClassifier` with ``voting="soft"`` in two ways: members
    are fitted on the original labels, so that ``class_weight`` can name them, and metadata such as
    speakers or ``sample_weight`` reach them by scikit-learn's routing alone, also in `predict`.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The members: classifiers with ``predict_proba``, or pipelines that end in one. "drop" in
        place of an estimator leaves it out.
    weights : sequence of float or None, default=None
        Weights of the members' probabilities; None gives all the same.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    named_estimators_ : Bunch
        The fitted members by their names.
    weights_ : ndarray of shape (n_members,)
        The weights of the fitted members, with sum 1.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skser.classifiers import SoftVotingClassifier
    >>> X, y = np.array([[0.0], [0.2], [0.8], [1.0]]), ["calm", "calm", "sad", "sad"]
    >>> vote = SoftVotingClassifier([("bayes", GaussianNB()), ("logistic", LogisticRegression())])
    >>> vote.fit(X, y).predict([[0.9]])
    array(['sad'], dtype='<U4')
    """

    def __init__(
        self,
        estimators: list[tuple[str, BaseEstimator | str]],
        *,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.estimators = estimators
        self.weights = weights

    @property
    def named_estimators(self) -> Bunch:
        """The members by their names."""
        return Bunch(**dict(self.estimators))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters of the vote and its members.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the members and their parameters.

        Returns
        -------
        params : dict
            Values by name.
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: object) -> SoftVotingClassifier:
        """Set parameters of the vote and its members.

        Parameters
        ----------
        **params : dict
            Values by name. The name of a member replaces the member.

        Returns
        -------
        self : SoftVotingClassifier
            The vote itself.
        """
        return self._set_params("estimators", **params)

    def fit(self, X: Samples, y: ArrayLike, **params: object) -> SoftVotingClassifier:
        """Fit every member.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, ...)
            Input of the members.
        y : array of shape (n_clips,)
            Labels.
        **params : dict
            Metadata, such as ``groups``, for the members that request it.

        Returns
        -------
        self : SoftVotingClassifier
            The fitted vote.

        Raises
        ------
        ParameterError
            There are no members, or not one valid weight for each.
        DataError
            The labels are invalid.
        """
        weights = self._check_weights()
        routed = process_routing(self, "fit", **params)
        self.classes_ = np.unique(check_labels(y, _num_samples(X)))
        self.named_estimators_ = Bunch()
        for name, estimator in self._members():
            # Set before the fit, so that a callback finds the steps before its network.
            self.named_estimators_[name] = member = clone(estimator)
            self.estimators_ = list(self.named_estimators_.values())
            member.fit(X, y, **routed[name]["fit"])
        self.weights_ = weights / weights.sum()
        return self

    def predict_proba(self, X: Samples, **params: object) -> np.ndarray:
        """Predict the weighted mean of the members' probabilities.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, ...)
            Input of the members.
        **params : dict
            Metadata, such as ``groups``, for the members that request it.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self, "weights_")
        routed = process_routing(self, "predict_proba", **params)
        probabilities = [
            member.predict_proba(X, **routed[name]["predict_proba"])
            for name, member in self.named_estimators_.items()
        ]
        return soft_vote(probabilities, self.weights_)

    def predict(self, X: Samples, **params: object) -> np.ndarray:
        """Predict the most probable labels.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, ...)
            Input of the members.
        **params : dict
            Metadata, such as ``groups``, for the members that request it.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
            The labels.
        """
        best = self.predict_proba(X, **params).argmax(axis=1)
        return self.classes_[best]

    def get_metadata_routing(self) -> MetadataRouter:
        """Get the metadata that the members request.

        Returns
        -------
        routing : MetadataRouter
            The requests.
        """
        router = MetadataRouter(owner=self)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for caller in ("predict", "predict_proba"):
            mapping.add(caller=caller, callee="predict_proba")
        return router.add(**dict(self._members()), method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(member).input_tags for _, member in self._members()]
        tags.input_tags.sparse = all(member.sparse for member in members)
        return tags

    def _members(self) -> list[tuple[str, Any]]:
        return [(name, member) for name, member in self.estimators if member != "drop"]

    def _check_weights(self) -> np.ndarray:
        """The weights of the members, not normalised."""
        weights = [1] * len(self.estimators) if self.weights is None else self.weights
        if len(weights) != len(self.estimators):
            raise ParameterError(
                f"weights must be one for each of {len(self.estimators)} estimators, got "
                f"{weights!r}"
            )
        if not self._members():
            raise ParameterError(f"estimators must have at least one member, got {self.estimators}")
        is_member = [member != "drop" for _, member in self.estimators]
        member_weights = np.asarray(weights, dtype=float)[is_member]
        if not (member_weights.min() >= 0 and member_weights.sum() > 0):
            raise ParameterError(f"weights must not be negative, nor all be 0, got {weights!r}")
        return member_weights
