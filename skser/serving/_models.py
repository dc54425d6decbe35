"""ServedModel: a model file that answers requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .._utils._types import PathLike
from ..audio._clip_reader import Excerpt, watching
from ..audio._info import describe
from ..audio._recordings import Recording, inspect_recording
from ..audio._streaming import frame_levels
from ..exceptions import AudioError, ModelError, ParameterError, SkserError
from ..inference import TrainingAudio, predict_timeline
from ..persistence import _container, load, load_card
from ..persistence._info import info_in
from ..persistence._light import light_form
from ._problems import Problem

_SILENCE = -70.0  # dB of full scale, of the loudest 20 ms; recorder noise is below


class Upload(NamedTuple):
    """A recording of a request, with the name that the client gave it."""

    name: str | None
    content: bytes


class ServedModel:
    """A model file, loaded once, that predicts in any number of threads.

    It predicts without scikit-learn's steps if the file allows, which takes a third less time.
    """

    def __init__(
        self, path: PathLike, *, runtime: str = "auto", trusted: Sequence[str] = ()
    ) -> None:
        self.path = Path(path)
        self.name = self.path.stem
        manifest, entries = _container.read(path)
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.card = load_card(path)
        info = info_in(path, manifest)
        self.info = None if info is None else info.to_dict()
        self.pipeline = load(path, runtime=runtime, trusted=trusted)  # type: ignore[arg-type]
        if not hasattr(self.pipeline, "predict_proba"):
            raise ModelError(f"{path}: holds no pipeline that gives probabilities")
        self.classes = [str(label) for label in self.pipeline.classes_]
        self.training = (
            None if info is None or info.audio is None else TrainingAudio.from_dict(info.audio)
        )
        light = None if runtime == "tensorflow" else light_form(path, manifest, entries)
        self._predict: Callable[[bytes], np.ndarray] = (
            (lambda content: self.pipeline.predict_proba([content])[0])
            if light is None
            else light.predict_proba
        )

    @property
    def identity(self) -> dict[str, str]:
        """Name and hash, in each answer."""
        return {"name": self.name, "sha256": self.sha256}

    def answer(
        self, upload: Upload, *, abstain_below: float | None, duration_s: float
    ) -> dict[str, Any]:
        """The prediction of a recording, or the error of an unusable one."""
        answer: dict[str, Any] = {
            "file": upload.name,
            "emotion": None,
            "probabilities": None,
            "duration": None,
            "silent": None,
            "out_of_distribution": [],
            "abstained": False,
            "error": None,
        }
        try:
            duration = check_duration(upload.content, duration_s)
            probabilities, loudest, reasons = self._measure(upload.content)
        except SkserError as error:
            return {**answer, "error": reason_of(error, upload.content)}
        best = int(probabilities.argmax())
        abstained = abstain_below is not None and probabilities[best] < abstain_below
        return {
            **answer,
            "emotion": None if abstained else self.classes[best],
            "probabilities": dict(
                zip(self.classes, np.round(probabilities, 4).tolist(), strict=True)
            ),
            "duration": round(duration, 3),
            "silent": loudest < _SILENCE,
            "out_of_distribution": list(reasons),
            "abstained": bool(abstained),
        }

    def timeline(self, content: bytes, **parameters: Any) -> pd.DataFrame:
        """The result of `predict_timeline`."""
        return predict_timeline(self.pipeline, content, **parameters)

    def _measure(self, content: bytes) -> tuple[np.ndarray, float, tuple[str, ...]]:
        """Probabilities, the level of the loudest 20 ms, and reasons; it is decoded once."""
        reasons: dict[str | bytes, tuple[str, ...]] = {}
        levels: list[float] = []

        def listen(_: Recording, waveform: np.ndarray, excerpt: Excerpt) -> None:
            levels.append(float(frame_levels([waveform], excerpt[0])[0].max()))

        with ExitStack() as watches:
            watches.enter_context(watching(listen))
            if self.training is not None:
                watches.enter_context(self.training.watch(reasons))
            probabilities = self._predict(content)
        if not levels:
            raise AudioError("the loader put silence in place of the recording")
        known = reasons.get(content)
        if known is None and self.training is not None:
            known = self.training.ood_reasons(content)
        return probabilities, max(levels), known or ()


def check_duration(content: bytes, duration_s: float) -> float:
    """Length in seconds from the header, or Problem if it is too long."""
    recording = inspect_recording(content)
    if recording.duration > duration_s:
        raise Problem(
            413, f"the recording has {recording.duration:.1f} s, allowed are {duration_s:g} s"
        )
    return recording.duration


def reason_of(error: SkserError, content: bytes) -> str:
    """The message of an error, without the name ``<N bytes>``."""
    return str(error).removeprefix(f"{describe(content)}: ")


def load_models(paths: Sequence[PathLike | ServedModel]) -> dict[str, ServedModel]:
    """Models by name; the first one is the default."""
    loaded = [path if isinstance(path, ServedModel) else ServedModel(path) for path in paths]
    if not loaded:
        raise ParameterError("models must be a sequence of at least one model file, got none")
    models: dict[str, ServedModel] = {}
    for model in loaded:
        if model.name in models:
            raise ParameterError(
                f"models must have different names, got {models[model.name].path} and {model.path}"
            )
        models[model.name] = model
    return models


def to_json(content: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
