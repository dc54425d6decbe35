"""Decoder: JSON and arrays as estimators again, without running anything that a file says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from ..networks._onnx_runtime import check_graph
from ..networks._trained_network import TrainedNetwork
from ._allowed import AllowList, UntrustedError, with_public_modules
from ._container import Contents
from ._former_names import current_state
from ._machine_params import NotKept, machine_defaults

# What may be in several places. Others are not looked up: they could grow without end.
_NUMBERED = {"array", "objects", "network", "bunch", "random_state", "function", "skops"}


class Decoder:
    """Nodes to objects; whatever a node may not name or hold raises.

    Parameters
    ----------
    contents : Contents
        Arrays and networks.
    allowed : AllowList
        The names that a node may have.
    """

    def __init__(self, contents: Contents, allowed: AllowList) -> None:
        self.contents = contents
        self._allowed = allowed
        self.networks: list[TrainedNetwork] = []
        self._seen: dict[int, Any] = {}
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "float": self._float,
            "tuple": lambda items: tuple(map(self.value, items)),
            "set": lambda items: set(map(self.value, items)),
            "frozenset": lambda items: frozenset(map(self.value, items)),
            "dict": lambda items: {self.value(k): self.value(v) for k, v in items},
            "bunch": self._bunch,
            "path": str,
            "scalar": lambda name: self.contents.array(name)[()],
            "array": self.contents.array,
            "objects": self._objects,
            "network": self._network,
            "random_state": self._random_state,
            "function": NotKept,
            "skops": self._skops,
        }

    def value(self, node: Any) -> Any:
        """The value of a node."""
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if "same" in node:
            return self._seen[node["same"]]
        (kind,) = node.keys() - {"number"}
        if kind == "estimator":
            return self._estimator(node[kind], node["number"])
        found = self._kinds[kind](node[kind])
        if kind in _NUMBERED:
            self._seen[node["number"]] = found
        return found

    def _estimator(self, content: Any, number: int) -> Any:
        name, state = content
        kind = self._allowed.class_of(name)
        # Not __init__ and not __setstate__: no code of a class sees what a file says.
        estimator: Any = object.__new__(kind)
        self._seen[number] = estimator
        values = current_state(kind, self._state(state))
        vars(estimator).update(values | machine_defaults(kind, values))
        return estimator

    def _state(self, state: Any) -> dict[str, Any]:
        return {key: self.value(item) for key, item in state.items()}

    def _bunch(self, items: Any) -> Any:
        kind = self._allowed.class_of("sklearn.utils.Bunch")
        return kind(**{key: self.value(item) for key, item in items})

    def _float(self, text: Any) -> float:
        if text not in ("nan", "inf", "-inf"):
            raise ValueError(f"{text!r:.20} is no number")
        return float(text)

    def _objects(self, content: Any) -> np.ndarray:
        shape, items = content
        array = np.empty(len(items), dtype=object)
        array[:] = self.value(items)
        return array.reshape(shape)

    def _network(self, content: Any) -> TrainedNetwork:
        entry, weights = content
        config = with_public_modules(json.loads(self.contents.text(f"{entry}.json")))
        if unknown := self._allowed.unknown_in(config):
            raise UntrustedError(unknown)
        graph = self.contents.entries.get(f"{entry}.onnx")
        if graph is not None:
            check_graph(graph, len(weights))
        arrays = [self.contents.array(name) for name in weights]
        self.networks.append(TrainedNetwork(json.dumps(config), arrays, graph))
        return self.networks[-1]

    def _random_state(self, state: Any) -> np.random.RandomState:
        random_state = np.random.RandomState()
        state = self.value(state)
        if not 0 <= state[2] <= len(state[1]):  # it would be read from there
            raise ValueError("it has a random state of no place")
        random_state.set_state(state)
        return random_state

    def _skops(self, entry: Any) -> Any:
        from . import _compiled  # which imports scikit-learn

        return _compiled.load(self.contents.entries[entry], self._allowed)
