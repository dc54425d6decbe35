"""Encoder: estimators as JSON and arrays, without pickle.

A node is plain JSON (None, bool, int, float, text, list), or an object with a key that says what it
is: ``{"tuple": [...]}``, ``{"array": "arrays/3.npy"}``, ``{"estimator": [name, state]}``. What is
one object in memory is written once, and is one again after loading.
"""

from __future__ import annotations

import json
import math
from pathlib import PurePath
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from .._utils._parameters import Parameters
from ..exceptions import ModelError
from ..networks._trained_network import TrainedNetwork
from ._allowed import AllowList, full_name, name_of, with_public_modules
from ._container import ARRAY_KINDS, Contents
from ._machine_params import NotKept, machine_defaults

# Large attributes without a use in prediction, by class.
_LEFT_OUT = {"LinearDiscriminantAnalysis": ("covariance_",)}


class _CannotKeepError(ModelError):
    """Neither as plain data nor by skops."""


class Encoder:
    """Objects to nodes; arrays and networks go to ``contents``.

    Attributes
    ----------
    networks : list of TrainedNetwork
        Networks, in the order of their entries.
    untrusted : set of str
        Names that only a caller of `load` who trusts them can load.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.networks: list[TrainedNetwork] = []
        self.untrusted: set[str] = set()
        self._seen: dict[int, tuple[int, Any]] = {}

    def node(self, value: Any, name: str) -> Any:
        """The node of a value; ``name`` is where it is, for messages."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if isinstance(value, list):
            return [self.node(item, name) for item in value]
        if type(value) in (tuple, set, frozenset):
            items = sorted(value) if not isinstance(value, tuple) else value
            return {type(value).__name__: [self.node(item, name) for item in items]}
        if type(value) is dict:
            return {
                "dict": [
                    [self.node(k, name), self.node(v, f"{name}[{k!r}]")] for k, v in value.items()
                ]
            }
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
            return {"scalar": self._array(np.asarray(value))}
        return self._once(value, name)

    def _once(self, value: Any, name: str) -> Any:
        """The node of what may be in several places."""
        if id(value) in self._seen:
            return {"same": self._seen[id(value)][0]}
        # The value is kept, so that no other gets its address.
        number = len(self._seen)
        self._seen[id(value)] = (number, value)
        kind, content = self._described(value, name)
        return {kind: content, "number": number}

    def _described(self, value: Any, name: str) -> tuple[str, Any]:
        if type(value) is np.ndarray and value.dtype.kind in ARRAY_KINDS + "O":
            if value.dtype == object:
                return "objects", [list(value.shape), self.node(value.ravel().tolist(), name)]
            return "array", self._array(value)
        if isinstance(value, TrainedNetwork):
            return "network", self._network(value)
        if isinstance(value, Bunch):
            return "bunch", [[k, self.node(v, f"{name}.{k}")] for k, v in value.items()]
        if isinstance(value, np.random.RandomState):
            return "random_state", self.node(value.get_state(legacy=True), name)
        if isinstance(value, (BaseEstimator, Parameters)):
            return self._estimator(value, name)
        if isinstance(value, NotKept):
            return "function", value.name
        raise ModelError(f"{name} is a {full_name(type(value))}, which a model file cannot hold")

    def _estimator(self, value: Any, name: str) -> tuple[str, Any]:
        kind = type(value)
        known = name_of(kind)
        left_out = _LEFT_OUT.get(kind.__name__, ())
        state = {k: v for k, v in vars(value).items() if k not in left_out}
        state |= machine_defaults(kind, state)
        if not isinstance(state.get("cv"), (int, type(None))):
            state["cv"] = None  # how it was divided in training
        if callable(state.get("architecture")):
            # The network is kept as what the function built.
            state["architecture"] = NotKept(state["architecture"])
        if known is None:
            self.untrusted.add(full_name(kind))
        if known is None or not known.startswith("sklearn."):
            return "estimator", [known or full_name(kind), self._state(state, name)]
        before = len(self.contents.entries), len(self._seen), len(self.networks)
        untrusted = set(self.untrusted)
        try:
            return "estimator", [known, self._state(state, name)]
        except _CannotKeepError:
            raise
        except ModelError as error:
            # Compiled parts, such as those of a tree: skops knows them.
            self._forget_since(*before)
            self.untrusted = untrusted
            return "skops", self._skops(value, error)

    def _state(self, state: dict[str, Any], name: str) -> dict[str, Any]:
        return {key: self.node(item, f"{name}.{key}") for key, item in state.items()}

    def _forget_since(self, n_entries: int, n_seen: int, n_networks: int) -> None:
        for entry in list(self.contents.entries)[n_entries:]:
            del self.contents.entries[entry]
        for address in list(self._seen)[n_seen:]:
            del self._seen[address]
        del self.networks[n_networks:]

    def _skops(self, value: Any, why: ModelError) -> str:
        from . import _compiled

        try:
            content, untrusted = _compiled.dump(value)
        except Exception as error:
            # What skops does not know raises almost anything.
            raise _CannotKeepError(str(why)) from error
        self.untrusted |= untrusted
        entry = f"skops/{len(self.contents.entries)}.skops"
        self.contents.entries[entry] = content
        return entry

    def _network(self, network: TrainedNetwork) -> list[Any]:
        config = with_public_modules(json.loads(network.config))
        config.pop("compile_config", None)  # without a use in prediction
        self.untrusted |= AllowList().unknown_in(config)
        entry = f"networks/{len(self.networks)}"
        self.networks.append(network)
        self.contents.entries[f"{entry}.json"] = json.dumps(config, indent=1).encode()
        return [entry, [self._array(weight) for weight in network.weights]]

    def _array(self, array: np.ndarray) -> str:
        entry = f"arrays/{len(self.contents.entries)}.npy"
        self.contents.put_array(entry, array)
        return entry
