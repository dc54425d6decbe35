"""Decoder: JSON and arrays to estimators, without running any code that a file names."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..networks._not_kept import NotKept
from ..networks._onnx_runtime import check_graph
from ..networks._trained_network import TrainedNetwork
from ._allowed import AllowList, UntrustedError, use_public_modules
from ._container import decode_array
from ._former_names import current_state
from ._requests import ATTRIBUTE, restored_requests

Node = None | bool | int | float | str | list[Any] | dict[str, Any]
# Kinds that "same" may refer to. Others could grow without end.
_NUMBERED = {"array", "bytes", "objects", "network", "bunch", "random_state", "function", "skops"}
# A file must not choose where another machine writes.
_MACHINE_PARAMS = ("memory", "n_jobs", "verbose", "callbacks", "checkpoint", "device")


class Decoder:
    """Turns nodes into objects; a node with an unknown name or kind raises."""

    def __init__(self, entries: dict[str, bytes], allowed: AllowList) -> None:
        self.entries = entries
        self._allowed = allowed
        self.networks: list[TrainedNetwork] = []
        self._seen: dict[int, Any] = {}
        self._kinds: dict[str, Callable[[Any], object]] = {
            "float": {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}.__getitem__,
            "tuple": lambda items: tuple(map(self.value, items)),
            "set": lambda items: set(map(self.value, items)),
            "frozenset": lambda items: frozenset(map(self.value, items)),
            "dict": lambda items: {self.value(k): self.value(v) for k, v in items},
            "bunch": self._bunch,
            "path": str,
            "scalar": lambda entry: self._array(entry)[()],
            "array": self._array,
            "bytes": self.entries.__getitem__,
            "objects": self._objects,
            "network": self._network,
            "random_state": self._random_state,
            "function": NotKept,
            "skops": self._skops,
        }

    def value(self, node: Node) -> Any:
        """The value of a node."""
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if "same" in node:
            return self._seen[node["same"]]
        (kind,) = node.keys() - {"number"}
        if kind == "estimator":
            name, state = node[kind]
            return self._estimator(name, state, node["number"])
        value = self._kinds[kind](node[kind])
        if kind in _NUMBERED:
            self._seen[node["number"]] = value
        return value

    def _estimator(self, name: str, state: dict[str, Node], number: int) -> object:
        kind = self._allowed.class_of(name)
        # Neither __init__ nor __setstate__ runs, so no code sees the file's values.
        estimator: object = object.__new__(kind)
        self._seen[number] = estimator
        values = current_state(kind, self._values(state))
        if ATTRIBUTE in values:
            values[ATTRIBUTE] = restored_requests(kind, values[ATTRIBUTE])
        vars(estimator).update(values | machine_defaults(kind, values))
        return estimator

    def _values(self, state: dict[str, Node]) -> dict[str, Any]:
        return {key: self.value(item) for key, item in state.items()}

    def _array(self, entry: str) -> np.ndarray:
        return decode_array(self.entries[entry])

    def _bunch(self, items: list[tuple[str, Node]]) -> object:
        return self._allowed.class_of("sklearn.utils.Bunch")(**self._values(dict(items)))

    def _objects(self, content: tuple[list[int], list[Node]]) -> np.ndarray:
        shape, items = content
        array = np.empty(len(items), dtype=object)
        array[:] = self.value(items)
        return array.reshape(shape)

    def _network(self, content: tuple[str, list[str]]) -> TrainedNetwork:
        entry, weights = content
        config = json.loads(self.entries[f"{entry}.json"])
        use_public_modules(config)
        if unknown := self._allowed.unknown_in(config):
            raise UntrustedError(unknown)
        graph = self.entries.get(f"{entry}.onnx")
        if graph is not None:
            check_graph(graph, len(weights))
        arrays = [self._array(weight) for weight in weights]
        network = TrainedNetwork(json.dumps(config), arrays, graph)
        network.is_from_file = True
        self.networks.append(network)
        return network

    def _random_state(self, node: Node) -> np.random.RandomState:
        random_state = np.random.RandomState()
        state = self.value(node)
        if not 0 <= state[2] <= len(state[1]):  # NumPy would read there
            raise ValueError("a random state has a position outside its key")
        random_state.set_state(state)
        return random_state

    def _skops(self, entry: str) -> object:
        from . import _compiled  # imports scikit-learn

        return _compiled.load(self.entries[entry], self._allowed)


def machine_defaults(kind: type, state: dict[str, Any]) -> dict[str, Any]:
    """Defaults of the machine-specific parameters in an estimator's state."""
    parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    names = [name for name in _MACHINE_PARAMS if name in state and name in parameters]
    return {name: parameters[name].default for name in names}
