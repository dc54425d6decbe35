"""The first message of a live session: its key, the form of its audio and the rows it wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .._utils._param_validation import (
    NONE,
    check_value,
    did_you_mean,
    integer,
    number,
    one_of,
)
from ..audio._inspection import MAX_SR, MIN_SR
from ..exceptions import ParameterError
from ._limits import LONGEST_SMOOTHING
from ._problems import Problem

_MOST_CHARACTERS = 4096
_MOST_CHANNELS = 32
_AUDIO = {"format": None, "sr": None, "channels": 1}
_TIMING = {"window": 3.0, "hop": 1.0, "smoothing": 3.0, "top_db": 40.0}
_ALLOWED = {
    "format": (one_of("pcm16", "container"),),
    # Memory and work of a session grow with these.
    "window": (number(0.1, 60),),
    "hop": (number(0.1, 60),),
    "smoothing": (number(0, LONGEST_SMOOTHING), NONE),
    "top_db": (number(0, 200, open_low=True), NONE),
}
_PCM = {"sr": (integer(MIN_SR, MAX_SR),), "channels": (integer(1, _MOST_CHANNELS),)}


@dataclass(frozen=True)
class LiveSettings:
    """What a client wants of a session."""

    timing: dict[str, Any]  # parameters of LiveTimeline
    sr: int | None  # of PCM; None for a container
    n_channels: int
    api_key: str | None = field(default=None, repr=False)


def read_settings(content: str | bytes) -> LiveSettings:
    """The settings in a message, or Problem."""
    given = _read_object(content)
    api_key = given.pop("api_key", None)
    if not isinstance(api_key, str | None):
        raise Problem(422, "api_key must be a string")
    known = _AUDIO | _TIMING
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            raise Problem(422, f"{name!r:.80} is no setting of a session{hint}")
    values = known | given
    is_pcm = values["format"] == "pcm16"
    try:
        for name, kinds in (_ALLOWED | (_PCM if is_pcm else {})).items():
            check_value(name, values[name], *kinds)
    except ParameterError as error:
        raise Problem(422, str(error)) from None
    if not is_pcm and (extra := given.keys() & _PCM):
        raise Problem(422, f"{min(extra)} is for pcm16 alone; a container has its own")
    return LiveSettings(
        timing={name: values[name] for name in _TIMING},
        sr=values["sr"] if is_pcm else None,
        n_channels=values["channels"],
        api_key=api_key,
    )


def _read_object(content: str | bytes) -> dict[str, Any]:
    wanted = 'the first message must be JSON as {"format": "pcm16", "sr": 16000, "channels": 1}'
    if isinstance(content, bytes):
        raise Problem(422, f"{wanted}, got a binary message")
    if len(content) > _MOST_CHARACTERS:
        raise Problem(422, f"{wanted}, of at most {_MOST_CHARACTERS} characters")
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        raise Problem(422, f"{wanted}, got other text") from None
    if not isinstance(given, dict):
        raise Problem(422, f"{wanted}, got a {type(given).__name__}")
    return given


def is_end(content: str) -> bool:
    """Whether a message ends the audio."""
    try:
        return len(content) < _MOST_CHARACTERS and json.loads(content) == {"type": "end"}
    except (ValueError, RecursionError):
        return False
