"""SoftVotingClassifier: the weighted mean of the probabilities of several pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import Bunch, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples

from .._utils._functional import soft_vote
from .._utils._labels import check_labels
from .._utils._param_validation import check_is_fitted
from ..exceptions import ParameterError

__all__ = ["SoftVotingClassifier"]


class SoftVotingClassifier(ClassifierMixin, _BaseComposition):
    """Average the probabilities of pipelines that see the same clips.

    It is `sklearn.ensemble.VotingClassifier` with ``voting="soft"`` but for two things: members are
    fitted on the labels themselves, so that a ``class_weight`` names them, and metadata, such as
    speakers or ``sample_weight``, reach them by scikit-learn's routing alone, in `predict` too.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        The members: classifiers with ``predict_proba``, or pipelines that end in one. "drop" leaves
        one out.
    weights : sequence of float or None, default=None
        Weights of the members' probabilities; None weighs all alike.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    named_estimators_ : Bunch
        The fitted members by their names.
    weights_ : ndarray of shape (n_members,)
        Their weights, with sum 1.
    classes_ : ndarray of shape (n_classes,)
        The labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skser.classifiers._voting import SoftVotingClassifier
    >>> X, y = np.array([[0.0], [0.2], [0.8], [1.0]]), ["calm", "calm", "sad", "sad"]
    >>> vote = SoftVotingClassifier([("bayes", GaussianNB()), ("logistic", LogisticRegression())])
    >>> vote.fit(X, y).predict([[0.9]])
    array(['sad'], dtype='<U4')
    """

    def __init__(
        self, estimators: list[tuple[str, Any]], *, weights: Sequence[float] | None = None
    ) -> None:
        self.estimators = estimators
        self.weights = weights

    @property
    def named_estimators(self) -> Bunch:
        """The members by their names."""
        return Bunch(**dict(self.estimators))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the vote and, if ``deep``, of its members."""
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> SoftVotingClassifier:
        """Set parameters of the vote or its members; a member's name replaces all of it."""
        return self._set_params("estimators", **params)

    def fit(self, X: Any, y: Any, **params: Any) -> SoftVotingClassifier:
        """Fit every member.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, ...)
            What the members take.
        y : array of shape (n_clips,)
            Labels.
        **params : dict
            Metadata, such as ``groups``, for those members that ask for it.

        Returns
        -------
        self : SoftVotingClassifier
        """
        members = self._members()
        routed = process_routing(self, "fit", **params)
        self.classes_ = np.unique(check_labels(y, _num_samples(X)))
        self.named_estimators_ = Bunch()
        for name, one in members:
            # Set before it is fitted, so that a callback finds the steps before its network.
            self.named_estimators_[name] = member = clone(one)
            self.estimators_ = list(self.named_estimators_.values())
            member.fit(X, y, **routed[name]["fit"])
        weights = [1.0] * len(self.estimators) if self.weights is None else self.weights
        kept = [w for w, (_, one) in zip(weights, self.estimators, strict=True) if one != "drop"]
        self.weights_ = np.asarray(kept, dtype=float) / sum(kept)
        return self

    def predict_proba(self, X: Any, **params: Any) -> np.ndarray:
        """Weighted mean of the members' probabilities.

        Parameters
        ----------
        X : Clips or array of shape (n_clips, ...)
            What the members take.
        **params : dict
            Metadata, such as ``groups``, for those members that ask for it.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        check_is_fitted(self, "weights_")
        routed = process_routing(self, "predict_proba", **params)
        probabilities = [
            member.predict_proba(X, **routed[name]["predict_proba"])
            for name, member in self.named_estimators_.items()
        ]
        return soft_vote(probabilities, self.weights_)

    def predict(self, X: Any, **params: Any) -> np.ndarray:
        """Labels of clips; parameters as in `predict_proba`."""
        best = self.predict_proba(X, **params).argmax(axis=1)
        return self.classes_[best]

    def get_metadata_routing(self) -> MetadataRouter:
        """Which member asks for which metadata."""
        router = MetadataRouter(owner=self)
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for caller in ("predict", "predict_proba"):
            mapping.add(caller=caller, callee="predict_proba")
        for name, member in self.estimators:
            if member != "drop":
                router.add(**{name: member}, method_mapping=mapping)
        return router

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(one).input_tags for _, one in self.estimators if one != "drop"]
        tags.input_tags.sparse = all(member.sparse for member in members)
        return tags

    def _members(self) -> list[tuple[str, Any]]:
        members = [(name, one) for name, one in self.estimators if one != "drop"]
        if not members:
            raise ParameterError(f"estimators must have at least one member, got {self.estimators}")
        weights = self.weights
        if weights is not None and len(weights) != len(self.estimators):
            raise ParameterError(
                f"weights must be one for each of {len(self.estimators)} estimators, got "
                f"{weights!r}"
            )
        if weights is not None and not (min(weights) >= 0 and sum(weights) > 0):
            raise ParameterError(f"weights must not be negative, nor all be 0, got {weights!r}")
        return members
