"""Answers: recordings in, and for each its probabilities or what is wrong with it, one by one.

Nothing is kept but what is being worked on, and a recording that cannot be read costs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .exceptions import AudioError, SkserError

if TYPE_CHECKING:
    from .familiarity import TrainingAudio

_AT_ONCE = 64


class Answer(NamedTuple):
    """What is said of a recording."""

    file: str
    probabilities: np.ndarray | None
    error: str | None = None
    unlike: tuple[str, ...] = ()


def answers(model: Any, files: Iterable[str]) -> Iterator[Answer]:
    """Answers of a fitted pipeline, a few recordings at a time."""
    remaining = iter(files)
    while some := list(islice(remaining, _AT_ONCE)):
        yield from _answer_some(model, some)


def one_by_one(ask: Callable[[str], np.ndarray], files: Iterable[str]) -> Iterator[Answer]:
    """Answers of a function of one recording."""
    return (_answer_one(ask, file) for file in files)


def _answer_some(model: Any, files: list[str]) -> Iterator[Answer]:
    try:
        found = model.predict_proba(files)
    except SkserError:
        # One of them at least cannot be used: each alone tells which.
        return one_by_one(lambda file: model.predict_proba([file])[0], files)
    return (Answer(file, row) for file, row in zip(files, found, strict=True))


def _answer_one(ask: Callable[[str], np.ndarray], file: str) -> Answer:
    try:
        return Answer(file, ask(file))
    except SkserError as error:
        return Answer(file, None, str(error).removeprefix(f"{file}: "))


def with_doubts(found: Iterable[Answer], training: TrainingAudio) -> Iterator[Answer]:
    """The same answers; where a recording is unlike all training recordings, with what is."""
    return (_with_doubts(answer, training) for answer in found)


def _with_doubts(answer: Answer, training: TrainingAudio) -> Answer:
    if answer.probabilities is None:
        return answer
    try:
        return answer._replace(unlike=training.unlike(answer.file))
    except AudioError as error:  # for which the loader put silence
        return Answer(answer.file, None, str(error).removeprefix(f"{answer.file}: "))
