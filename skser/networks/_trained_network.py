"""TrainedNetwork: a trained network as plain data, which pickles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ModelError, SkserError
from . import _forks  # noqa: F401 (sees forks from now on)

if TYPE_CHECKING:
    import keras


class TrainedNetwork:
    """Configuration and weights of a network.

    The first call of `probabilities` imports Keras and traces the graph.

    Parameters
    ----------
    config : str
        Configuration of the network in Keras' JSON.
    weights : list of ndarray
        Its weights, in Keras' order.
    graph : bytes or None, default=None
        The same network in ONNX, without weights.

    Attributes
    ----------
    runtime : {"tensorflow", "onnx"}
        Library that predicts.
    is_from_file : bool
        Whether it was loaded from a model file.
    """

    # Defaults for older pickles.
    graph: bytes | None = None
    runtime = "tensorflow"
    is_from_file = False

    def __init__(self, config: str, weights: list[np.ndarray], graph: bytes | None = None) -> None:
        self.config = config
        self.weights = weights
        self.graph = graph
        self._function: Callable[[np.ndarray], np.ndarray] | None = None

    def to_keras(self) -> keras.Model:
        """The network as a new Keras model."""
        from ._predict import build_model

        with _raising_model_error(
            "; one that a newer Keras saved may need that version, which `skser info` shows"
        ):
            return build_model(self.config, self.weights)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Probabilities (n_rows, n_classes) in float64, each row with sum 1."""
        if self._function is None:
            with _raising_model_error():
                self._function = self._make_function()
        probabilities = self._function(rows).astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def _make_function(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.runtime == "onnx":
            from ._onnx_runtime import OnnxFunction

            assert self.graph is not None
            return OnnxFunction(self.graph, self.weights)
        from ._predict import PredictionFunction

        return PredictionFunction(self.to_keras())

    def __getstate__(self) -> dict[str, Any]:
        # The traced function belongs to its process.
        return {**vars(self), "_function": None}


@contextmanager
def _raising_model_error(advice: str = "") -> Iterator[None]:
    """Raise ModelError for a network that cannot be loaded."""
    try:
        yield
    except SkserError:
        raise
    except Exception as error:
        # Keras and onnxruntime raise almost any error for a damaged file. Keras puts the
        # cause last.
        reason = " ".join(str(error).rpartition("Exception encountered: ")[2].split())
        raise ModelError(f"the network cannot be loaded ({reason:.200}){advice}") from error
