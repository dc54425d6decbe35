"""Predictions from a model file, without scikit-learn and TensorFlow if the file allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils._param_validation import check_value, one_of
from ..exceptions import ModelError, SkserError
from ..features.dsp._loops import each_without_numba
from ..persistence import _container
from ..persistence._any_model import is_joblib, load_model
from ..persistence._info import info_in
from ..persistence._save_load import RUNTIMES
from ._batches import Prediction, flag_out_of_distribution, predict_each, predict_in_batches

if TYPE_CHECKING:
    from ..persistence import ModelInfo

_FEW = 16  # recordings that take as long in NumPy as numba takes to load


class OpenModel(NamedTuple):
    """Emotions of a model file, and its predictions of recordings as they are asked for."""

    classes: list[str]
    predict: Callable[[Iterable[Any]], Iterator[Prediction]]


def open_model(
    model: Path,
    *,
    runtime: str = "auto",
    trusted: Sequence[str] = (),
    n_recordings: int | None = None,
) -> OpenModel:
    """Load a model file to predict any number of times, or ``n_recordings`` once."""
    check_value("--runtime", runtime, one_of(*RUNTIMES))
    light, info = None, None
    if model.is_file() and not is_joblib(model):
        manifest, contents = _container.read(model)
        info = info_in(model, manifest)
        if runtime != "tensorflow":
            from ..persistence._light import light_form

            light = light_form(model, manifest, contents)
    loaded = light or load_model(model, runtime=runtime, trusted=trusted)

    def predict(recordings: Iterable[Any]) -> Iterator[Prediction]:
        with raising_model_error(model):
            if light is None:
                yield from _flagged(predict_in_batches(loaded, recordings), info)
                return
            predictions = _flagged(predict_each(light.predict_proba, recordings), info)
            is_few = n_recordings is not None and n_recordings <= _FEW
            yield from each_without_numba(predictions) if is_few else predictions

    return OpenModel([str(label) for label in loaded.classes_], predict)


def _flagged(predictions: Iterable[Prediction], info: ModelInfo | None) -> Iterator[Prediction]:
    """The same predictions, out-of-distribution ones flagged if the training audio is known."""
    if info is None or info.audio is None:
        return iter(predictions)
    from ._training_audio import TrainingAudio

    return flag_out_of_distribution(predictions, TrainingAudio.from_dict(info.audio))


@contextmanager
def raising_model_error(model: Path) -> Iterator[None]:
    """Raise ModelError for an unexpected error of an inconsistent model."""
    try:
        yield
    except SkserError:
        raise
    except Exception as error:
        reason = " ".join(repr(error).split())
        raise ModelError(f"{model}: cannot predict ({reason:.300})") from error
