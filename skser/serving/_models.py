"""ServedModel: a model file that answers requests."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from .._utils._types import PathLike
from ..audio._info import checking, describe
from ..audio._recordings import inspect_recording
from ..exceptions import (
    AudioError,
    DataError,
    DownloadError,
    ExtractionError,
    ModelError,
    ParameterError,
    SkserError,
)
from ..inference import TrainingAudio
from ..inference._silence import SilenceWatch
from ..inference._timeline import as_table, stream_rows
from ..inference._timeline_audio import LongRecording
from ..inference._window_predictor import window_loader
from ..persistence import _container, load, load_card
from ..persistence._info import describe_model, info_in
from ..persistence._light import light_form
from ..recipes._steps import loader_of
from ._limits import Limits
from ._problems import FAILED, Problem
from ._uploads import Upload
from ._workers import Cancelled

_log = logging.getLogger("skser.serving")

_PASSES = 5  # a recording is decoded that often at most: its header, its levels, its windows
_ROWS_AT_ONCE = 16  # of a timeline


class TooLongError(AudioError):
    """A recording is longer than the service allows."""


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
        self.info = describe_model(path, manifest)
        self.pipeline = load(path, runtime=runtime, trusted=trusted)  # type: ignore[arg-type]
        if not hasattr(self.pipeline, "predict_proba"):
            raise ModelError(f"{path}: holds no pipeline that gives probabilities")
        self.emotions = [str(label) for label in self.pipeline.classes_]
        info = info_in(path, manifest)
        audio = None if info is None else info.audio
        self.training = None if audio is None else TrainingAudio.from_dict(audio)
        light = None if runtime == "tensorflow" else light_form(path, manifest, entries)
        self._predict: Callable[[bytes], np.ndarray] = (
            (lambda content: self.pipeline.predict_proba([content])[0])
            if light is None
            else light.predict_proba
        )
        self._warm_up()

    @property
    def identity(self) -> dict[str, Any]:
        """Name and hash, in each answer."""
        return {"name": self.name, "sha256": self.sha256}

    def answers(
        self,
        uploads: Sequence[Upload],
        limits: Limits,
        cancelled: Event,
        *,
        abstain_below: float | None,
    ) -> list[dict[str, Any]]:
        """Predictions of recordings, with the errors of unusable ones; Problem without others."""
        answers, errors = [], []
        for upload in uploads:
            answer = dict(_NO_ANSWER, file=upload.name)
            try:
                with checking(_bound(limits, cancelled)):
                    answer |= self._answer(upload.content, limits, abstain_below)
            except SkserError as error:
                errors.append(problem_of(error, upload))
                answer["error"] = errors[-1].detail
            except Exception:  # of the model, which others may not hear of
                _log.exception("a prediction failed")
                errors.append(Problem(500, FAILED, file=upload.name))
                answer["error"] = FAILED
            answers.append(answer)
        if len(errors) == len(answers):
            raise errors[0]
        return answers

    def timeline(
        self, upload: Upload, limits: Limits, cancelled: Event, **parameters: Any
    ) -> Iterator[pd.DataFrame]:
        """The result of `predict_timeline`, in parts, as soon as they are predicted."""
        bound = _bound(limits, cancelled)
        try:
            with checking(bound):
                _check_duration(upload.content, limits)
                loader = window_loader(self.pipeline, parameters["window"])
                recording = LongRecording.of(upload.content, loader.sr)
                _, rows = stream_rows(self.pipeline, recording, **parameters)
            while True:
                with checking(bound):  # not around the yield, which another context may end
                    part = list(islice(rows, _ROWS_AT_ONCE))
                if not part:
                    return
                if cancelled.is_set():
                    raise Cancelled
                yield as_table(part, self.pipeline.classes_.tolist())
        except SkserError as error:
            raise problem_of(error, upload) from error

    def _answer(
        self, content: bytes, limits: Limits, abstain_below: float | None
    ) -> dict[str, Any]:
        duration = _check_duration(content, limits)
        probabilities, silence, reasons = self._measured(content)
        answer = {"duration": round(duration, 3), "silence": silence}
        if silence:
            return answer
        best = int(probabilities.argmax())
        abstained = bool(probabilities[best] < (abstain_below or 0.0))
        rounded = [round(float(p), 4) for p in probabilities]
        return answer | {
            "emotion": None if abstained else self.emotions[best],
            "probabilities": dict(zip(self.emotions, rounded, strict=True)),
            "ood_reasons": list(reasons),
            "abstained": abstained,
        }

    def _warm_up(self) -> None:
        """Predict once, so that encoders are loaded and functions compiled before threads do."""
        import soundfile

        file = io.BytesIO()
        noise = np.random.default_rng(0).normal(0.0, 0.1, 32_000)
        soundfile.write(file, noise, 16_000, format="WAV")
        with suppress(AudioError):  # the loader may have an offset
            self._measured(file.getvalue())

    def _measured(self, content: bytes) -> tuple[np.ndarray, bool, tuple[str, ...]]:
        """Probabilities, whether the recording is silent, and why it is out of distribution.

        The recording is decoded once for all three.
        """
        silence = SilenceWatch(loader_of(self.pipeline))
        reasons: dict[str | bytes, tuple[str, ...]] = {}
        with ExitStack() as stack:
            stack.enter_context(silence.watching())
            if self.training is not None:
                stack.enter_context(self.training.watch(reasons))
            probabilities = self._predict(content)
        known = reasons.get(content, ())
        if self.training is not None and content not in reasons:
            known = self.training.ood_reasons(content)
        return probabilities, silence.is_silent(content), known


_NO_ANSWER: dict[str, Any] = {
    "file": None,
    "emotion": None,
    "probabilities": None,
    "duration": None,
    "silence": None,
    "ood_reasons": [],
    "abstained": False,
    "error": None,
}


def _bound(limits: Limits, cancelled: Event) -> Callable[[float], None]:
    """A check that stops decoding when nobody waits, or when the header said less than there is."""
    n_seconds = 0.0

    def check(seconds: float) -> None:
        nonlocal n_seconds
        if cancelled.is_set():
            raise Cancelled
        n_seconds += seconds
        if n_seconds > _PASSES * limits.duration_s + 1:
            raise TooLongError(f"is longer than {limits.duration_s:g} s")

    check(0.0)
    return check


def _check_duration(content: bytes, limits: Limits) -> float:
    """Length in seconds, from the header."""
    duration = inspect_recording(content).duration
    if duration > limits.duration_s:
        raise TooLongError(
            f"{describe(content)}: has {duration:.1f} s, allowed are {limits.duration_s:g} s"
        )
    return duration


def problem_of(error: SkserError, upload: Upload) -> Problem:
    """What a client is told of an error."""
    if isinstance(error, (DownloadError, ModelError, ExtractionError)):
        raise error  # of the service, not of the recording
    bad = isinstance(error, (DataError, ParameterError, ImportError))
    status = 413 if isinstance(error, TooLongError) else 422 if bad else 500
    detail = str(error).replace(f"{describe(upload.content)}: ", "")
    return Problem(status, detail, file=upload.name)


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
