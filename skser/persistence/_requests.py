"""Metadata requests of estimators, such as ``set_fit_request(groups="domains")``, as plain dicts.

The decoder uses it, also without scikit-learn, which is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.utils.metadata_routing import MetadataRequest

ATTRIBUTE = "_metadata_request"  # scikit-learn's name
Requests = dict[str, dict[str, Any]]
_METHODS = (
    *("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba"),
    *("decision_function", "score", "split", "transform", "inverse_transform"),
)


def plain_requests(requests: MetadataRequest) -> Requests:
    """Requests by method and parameter."""
    by_method = {name: dict(getattr(requests, name).requests) for name in _METHODS}
    return {name: aliases for name, aliases in by_method.items() if aliases}


def restored_requests(kind: type, by_method: Requests) -> MetadataRequest:
    """The requests of an estimator of a class."""
    from sklearn.utils.metadata_routing import MetadataRequest

    requests = MetadataRequest(owner=kind.__name__)
    for name, aliases in by_method.items():
        if name not in _METHODS:
            raise ValueError(f"{name!r} is no method with metadata")
        for parameter, alias in aliases.items():
            getattr(requests, name).add_request(param=parameter, alias=alias)
    return requests
