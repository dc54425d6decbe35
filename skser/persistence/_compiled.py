"""Estimators with compiled parts, such as trees, in skops' format.

skops creates only harmless objects, but follows the indices in a tree without a check.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator

from ._allowed import AllowList, UntrustedError, full_name, name_of
from ._decoder import machine_defaults


def dump(estimator: BaseEstimator) -> tuple[bytes, set[str]]:
    """An estimator of scikit-learn in skops' format, and the names in it that need trust."""
    content = skops.io.dumps(estimator)
    return content, _untrusted(content, AllowList())


def load(content: bytes, allowed: AllowList) -> BaseEstimator:
    """Load what `dump` wrote."""
    _check_size(content)
    if untrusted := _untrusted(content, allowed):
        raise UntrustedError(untrusted)
    estimator = skops.io.loads(content, trusted=allowed.sklearn_parts)
    if name_of(type(estimator)) is None:
        raise ValueError(f"a {full_name(type(estimator))} is in the place of an estimator")
    for part in _parts(estimator, set()):
        if isinstance(part, BaseEstimator):
            vars(part).update(machine_defaults(type(part), vars(part)))
        else:
            _check_links(part)
    return estimator


def _untrusted(content: bytes, allowed: AllowList) -> set[str]:
    """Names that need trust; ValueError for a part of skser, which skops would leave unchecked."""
    names = set(skops.io.get_untrusted_types(data=content))
    if own := sorted(name for name in names if name.startswith("skser.")):
        raise ValueError(f"holds {', '.join(own)} in a part of scikit-learn")
    return names.difference(allowed.sklearn_parts)


def _check_size(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        is_packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if is_packed or sum(entry.file_size for entry in entries) > len(content):
            raise ValueError("a part unpacks to more than its size")


def _parts(value: object, seen: set[int]) -> Iterator[Any]:
    """All estimators and compiled parts in a value."""
    if id(value) in seen:
        return
    seen.add(id(value))
    items: Iterable[object] = ()
    if isinstance(value, (list, tuple, set)):
        items = value
    elif isinstance(value, dict):
        items = value.values()
    elif isinstance(value, np.ndarray) and value.dtype == object:
        items = value.ravel().tolist()
    elif type(value).__module__.startswith("sklearn."):
        yield value
        items = getattr(value, "__dict__", {}).values()
    for item in items:
        yield from _parts(item, seen)


def _check_links(part: Any) -> None:
    """Raise ValueError for a tree with an index outside it."""
    if hasattr(part, "get_arrays"):  # a tree of neighbors
        data, order, nodes, _ = map(np.asarray, part.get_arrays())
        first, last = nodes["idx_start"], nodes["idx_end"]
        is_inside = ((order >= 0) & (order < len(data))).all() and len(order) == len(data)
        is_inside &= ((first >= 0) & (last <= len(data))).all()
    else:
        if hasattr(part, "children_left"):
            is_leaf = part.children_left == -1
            children = [part.children_left, part.children_right]
            features, n_features = part.feature, part.n_features
        elif getattr(getattr(part, "nodes", None), "dtype", None) is not None:
            is_leaf = part.nodes["is_leaf"].astype(bool)
            children = [part.nodes["left"], part.nodes["right"]]
            features, n_features = part.nodes["feature_idx"], np.iinfo(np.int32).max
        else:
            return
        inner = np.flatnonzero(~is_leaf)
        is_inside = ((features[inner] >= 0) & (features[inner] < n_features)).all()
        for child in children:
            is_inside &= ((child[inner] > inner) & (child[inner] < len(is_leaf))).all()
    if not is_inside:
        raise ValueError("a tree has an index outside it")
