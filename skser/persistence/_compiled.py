"""Estimators with compiled parts, such as trees: written and read by skops, and checked.

skops makes only what it knows to be harmless, but follows a node of a tree that points outside of
it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator

from ._allowed import AllowList, UntrustedError, full_name, name_of
from ._machine_params import machine_defaults


def dump(estimator: Any) -> tuple[bytes, set[str]]:
    """An estimator of scikit-learn in skops' format, and what in it has to be trusted."""
    content = skops.io.dumps(estimator)
    return content, _untrusted(content, AllowList())


def load(content: bytes, allowed: AllowList) -> Any:
    """An estimator that `dump` wrote."""
    _check_size(content)
    if untrusted := _untrusted(content, allowed):
        raise UntrustedError(untrusted)
    estimator = skops.io.loads(content, trusted=allowed.sklearn_parts)
    if name_of(type(estimator)) is None:
        raise ValueError(f"it holds a {full_name(type(estimator))} where an estimator should be")
    for part in _parts(estimator, set()):
        if isinstance(part, BaseEstimator):
            vars(part).update(machine_defaults(type(part), vars(part)))
        else:
            _check_links(part)
    return estimator


def _untrusted(content: bytes, allowed: AllowList) -> set[str]:
    return set(skops.io.get_untrusted_types(data=content)).difference(allowed.sklearn_parts)


def _check_size(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        is_packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if is_packed or sum(entry.file_size for entry in entries) > len(content):
            raise ValueError("it has a part that unpacks to more than it is")


def _parts(value: Any, seen: set[int]) -> Iterator[Any]:
    """Estimators, and their compiled parts, however deep."""
    if id(value) in seen:
        return
    seen.add(id(value))
    held: Any = ()
    if isinstance(value, (list, tuple, set)):
        held = value
    elif isinstance(value, dict):
        held = value.values()
    elif isinstance(value, np.ndarray):
        held = value.ravel().tolist() if value.dtype == object else ()
    elif type(value).__module__.startswith("sklearn."):
        yield value
        held = getattr(value, "__dict__", {}).values()
    for item in held:
        yield from _parts(item, seen)


def _check_links(part: Any) -> None:
    """Raise ValueError for a tree with a node that leads out of it."""
    if hasattr(part, "children_left"):
        is_leaf = part.children_left == -1
        links = [part.children_left, part.children_right]
        features, n_features = part.feature, part.n_features
    elif getattr(getattr(part, "nodes", None), "dtype", None) is not None:
        nodes = part.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        links = [nodes["left"], nodes["right"]]
        features, n_features = nodes["feature_idx"], np.iinfo(np.int32).max
    elif hasattr(part, "get_arrays"):
        data, order, nodes, _ = part.get_arrays()
        inside = (np.asarray(order) >= 0) & (np.asarray(order) < len(data))
        ends = (np.asarray(nodes["idx_start"]) >= 0) & (np.asarray(nodes["idx_end"]) <= len(data))
        if not (inside.all() and ends.all() and len(order) == len(data)):
            raise ValueError("it has a tree that leads out of its points")
        return
    else:
        return
    inner = np.flatnonzero(~is_leaf)
    n_nodes = len(is_leaf)
    ok = all(((link[inner] > inner) & (link[inner] < n_nodes)).all() for link in links)
    if not ok or not ((features[inner] >= 0) & (features[inner] < n_features)).all():
        raise ValueError("it has a tree with a node that leads out of it")
