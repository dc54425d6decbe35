"""Encoder: estimators to JSON and arrays, without pickle.

A node is plain JSON (None, bool, int, float, str, list), or an object whose key names its kind:
``{"tuple": [...]}``, ``{"array": "arrays/3.npy"}``, ``{"estimator": [name, state]}``. An object
that occurs in several places is written once and numbered, so that loading restores one object.
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
from ..embeddings import SpeechEmbedding
from ..embeddings._encoders import encoder_of
from ..exceptions import ModelError
from ..networks._not_kept import NotKept
from ..networks._trained_network import TrainedNetwork
from . import _compiled
from ._allowed import AllowList, full_name, name_of, use_public_modules
from ._container import ARRAY_KINDS, encode_array
from ._decoder import Node, machine_defaults
from ._requests import ATTRIBUTE, plain_requests

# Large attributes that prediction does not use, by class.
_UNUSED_AT_PREDICT = {"LinearDiscriminantAnalysis": ("covariance_",)}


class Encoder:
    """Turns objects into nodes, entries of a model file, and names that `load` has to trust.

    ``include_encoder`` puts the pre-trained encoder of each SpeechEmbedding in.
    """

    def __init__(self, *, include_encoder: bool = False) -> None:
        self.entries: dict[str, bytes] = {}
        self.networks: list[TrainedNetwork] = []
        self.untrusted: set[str] = set()
        self._seen: dict[int, tuple[int, object]] = {}
        self._include_encoder = include_encoder
        self._graphs: dict[bytes, bytes] = {}

    def node(self, value: Any, name: str) -> Node:
        """The node of a value; ``name`` is its path in the pipeline, for messages."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if isinstance(value, list):
            return [self.node(item, name) for item in value]
        if type(value) in (tuple, set, frozenset):
            items = value if type(value) is tuple else sorted(value)
            return {type(value).__name__: [self.node(item, name) for item in items]}
        if type(value) is dict:
            items = [(k, v, f"{name}[{k!r}]") for k, v in value.items()]
            return {"dict": [[self.node(k, name), self.node(v, path)] for k, v, path in items]}
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if isinstance(value, np.generic) and value.dtype.kind in "biufSU":
            return {"scalar": self._array(np.asarray(value))}
        if id(value) in self._seen:
            return {"same": self._seen[id(value)][0]}
        # Keeping the value keeps its id from being used again.
        number = len(self._seen)
        self._seen[id(value)] = (number, value)
        kind, content = self._described(value, name)
        return {kind: content, "number": number}

    def _described(self, value: object, name: str) -> tuple[str, Node]:
        """Kind and content of an object that may occur in several places."""
        if type(value) is np.ndarray and value.dtype == object:
            return "objects", [list(value.shape), self.node(value.ravel().tolist(), name)]
        if type(value) is np.ndarray and value.dtype.kind in ARRAY_KINDS:
            return "array", self._array(value)
        if type(value) is bytes:
            return "bytes", self._put(f"bytes/{len(self.entries)}.bin", value)
        if isinstance(value, TrainedNetwork):
            return "network", self._network(value)
        if isinstance(value, Bunch):
            return "bunch", list(self._state(value, name).items())
        if isinstance(value, np.random.RandomState):
            return "random_state", self.node(value.get_state(legacy=True), name)
        if isinstance(value, (BaseEstimator, Parameters)):
            return self._estimator(value, name)
        if isinstance(value, NotKept):
            return "function", value.name
        raise ModelError(f"{name} is a {full_name(type(value))}, which a model file cannot contain")

    def _estimator(self, value: BaseEstimator | Parameters, name: str) -> tuple[str, Node]:
        kind = type(value)
        known = name_of(kind)
        unused = _UNUSED_AT_PREDICT.get(kind.__name__, ())
        state = {key: item for key, item in vars(value).items() if key not in unused}
        state |= machine_defaults(kind, state)
        if not isinstance(state.get("cv"), (int, type(None))):
            state["cv"] = None  # a splitter, of use in training alone
        if ATTRIBUTE in state:
            state[ATTRIBUTE] = plain_requests(state[ATTRIBUTE])
        if callable(state.get("architecture")):
            # The network that the function built is kept.
            state["architecture"] = NotKept(state["architecture"])
        if self._include_encoder and isinstance(value, SpeechEmbedding) and "encoder_" in state:
            state["encoder_"] = state["encoder_"] | {"graph": self._graph(value)}
        if known is None:
            self.untrusted.add(full_name(kind))
        before = dict(self.entries), dict(self._seen), self.networks[:], set(self.untrusted)
        try:
            return "estimator", [known or full_name(kind), self._state(state, name)]
        except ModelError as error:
            if not str(known).startswith("sklearn."):
                raise
            self.entries, self._seen, self.networks, self.untrusted = before
            return "skops", self._skops(value, error)

    def _skops(self, estimator: BaseEstimator, reason: ModelError) -> str:
        """The entry of an estimator with compiled parts, such as trees."""
        try:
            content, untrusted = _compiled.dump(estimator)
        except Exception:
            # For objects it does not know, skops raises almost anything.
            raise reason from None
        self.untrusted |= untrusted
        return self._put(f"skops/{len(self.entries)}.skops", content)

    def _state(self, state: dict[str, Any], name: str) -> dict[str, Node]:
        return {key: self.node(item, f"{name}.{key}") for key, item in state.items()}

    def _network(self, network: TrainedNetwork) -> Node:
        config = json.loads(network.config)
        use_public_modules(config)
        config.pop("compile_config", None)  # of use in training alone
        self.untrusted |= AllowList().unknown_in(config)
        entry = f"networks/{len(self.networks)}"
        self.networks.append(network)
        self._put(f"{entry}.json", json.dumps(config, indent=1).encode())
        return [entry, [self._array(weight) for weight in network.weights]]

    def _graph(self, embedding: SpeechEmbedding) -> bytes:
        """The encoder in ONNX: one object for several steps that share it."""
        graph = encoder_of(embedding).read_graph()
        return self._graphs.setdefault(graph, graph)

    def _array(self, array: np.ndarray) -> str:
        return self._put(f"arrays/{len(self.entries)}.npy", encode_array(array))

    def _put(self, entry: str, content: bytes) -> str:
        self.entries[entry] = content
        return entry
