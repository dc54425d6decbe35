"""ModelInfo: training data, score and limits of a model."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from .._utils._types import PathLike
from ..embeddings._description import EncoderDescription
from ..exceptions import DataError, ModelError
from . import _container

if TYPE_CHECKING:
    from sklearn.utils import Bunch

LIMITS = (
    "Emotion labels are categories that actors were asked to play, or that listeners chose. They "
    "are not facts about a person: a voice does not show what somebody feels.",
    "On voices, languages, microphones and rooms that differ from the training recordings, "
    "predictions are worse than the score says, and every recording gets a prediction.",
    "Not for decisions about people, such as hiring, schooling, insurance, health or policing.",
)


@dataclass(frozen=True)
class ModelInfo:
    """Training data and score of a model.

    Parameters
    ----------
    emotions : dict of {str : int}
        Number of training recordings of each emotion.
    corpora : tuple of str, default=()
        Names of the corpora.
    licences : tuple of str, default=()
        Licences of the corpora, in their order.
    n_speakers : int or None, default=None
        Number of speakers, or None if unknown.
    score : dict or None, default=None
        ``protocol``, ``uar``, and its 95 % confidence limits ``low`` and ``high`` (bootstrap over
        speakers), for the same pipeline on recordings not used in training. None without an
        evaluation.
    audio : dict or None, default=None
        Properties of the training audio; see :class:`skser.inference.TrainingAudio`.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.persistence import ModelInfo
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> info = ModelInfo.of(speech)
    >>> info.emotions, info.n_speakers
    ({'angry': 12, 'sad': 12}, 2)
    """

    emotions: dict[str, int]
    corpora: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    n_speakers: int | None = None
    score: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None

    @classmethod
    def of(
        cls, speech: Bunch, *, evaluation: Any = None, audio: dict[str, Any] | None = None
    ) -> ModelInfo:
        """Information on a model trained on a corpus.

        Parameters
        ----------
        speech : Bunch
            The training data, as a loader of :mod:`skser.datasets` returns it.
        evaluation : Evaluation or None, default=None
            Scores of the same pipeline.
        audio : dict or None, default=None
            Properties of the training audio.

        Returns
        -------
        info : ModelInfo
            The information.
        """
        frame = speech.frame
        counts = frame["emotion"].value_counts().sort_index()
        names = frame["corpus"].dropna().unique() if "corpus" in frame else ()
        score = None
        if evaluation is not None:
            row = evaluation.to_frame().loc["uar", ["pooled", "low", "high"]].astype(float)
            uar, low, high = (None if math.isnan(value) else value for value in row.tolist())
            score = {"protocol": evaluation.protocol, "uar": uar, "low": low, "high": high}
        # A licence ends with its paragraph.
        licences = re.findall(r"^Licence: (.+?)(?:\n\n|\Z)", speech.DESCR, re.M | re.S)
        return cls(
            emotions={str(emotion): int(n) for emotion, n in counts.items()},
            corpora=tuple(map(str, names)),
            licences=tuple(" ".join(text.split()) for text in licences),
            n_speakers=None if speech.groups is None else len(set(speech.groups)),
            score=score,
            audio=audio,
        )

    def after(self, previous: ModelInfo) -> ModelInfo:
        """Information on a model that was trained on other recordings before.

        Parameters
        ----------
        previous : ModelInfo
            Information on the model before.

        Returns
        -------
        info : ModelInfo
            All recordings, corpora and licences; no score. Audio is that of the new recordings.
        """
        names = sorted({*previous.emotions, *self.emotions})
        counts = (previous.n_speakers, self.n_speakers)
        return replace(
            self,
            emotions={n: previous.emotions.get(n, 0) + self.emotions.get(n, 0) for n in names},
            corpora=tuple(dict.fromkeys((*previous.corpora, *self.corpora))),
            licences=tuple(dict.fromkeys((*previous.licences, *self.licences))),
            n_speakers=None if None in counts else sum(counts),  # type: ignore[arg-type]
            score=None,
        )

    @property
    def n_recordings(self) -> int:
        """Number of training recordings."""
        return sum(self.emotions.values())

    def to_dict(self) -> dict[str, Any]:
        """The information as plain JSON.

        Returns
        -------
        content : dict
            Fields by name.
        """
        return asdict(self) | {"corpora": list(self.corpora), "licences": list(self.licences)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ModelInfo:
        """The information that `to_dict` returned.

        Parameters
        ----------
        content : dict
            Fields by name.

        Returns
        -------
        info : ModelInfo
            The information.

        Raises
        ------
        DataError
            ``content`` has other fields, or values of other types.
        """
        try:
            is_sound = set(content) <= {field.name for field in fields(cls)} and _is_sound(content)
        except (AttributeError, KeyError, TypeError):
            is_sound = False
        if not is_sound:
            raise DataError("information on a model must be what ModelInfo.to_dict returns")
        tuples = {name: tuple(content.get(name, ())) for name in ("corpora", "licences")}
        return cls(**{**content, **tuples})

    def __str__(self) -> str:
        n_speakers = "an unknown number of" if self.n_speakers is None else self.n_speakers
        training = (
            f"{self.n_recordings} recordings, {n_speakers} speakers, of "
            f"{', '.join(self.corpora) or 'an unnamed corpus'} ({emotion_counts(self)})"
        )
        lines = [
            f"trained on: {training if self.emotions else 'not recorded'}",
            *(f"licence of the data: {licence}" for licence in self.licences),
            f"score: {describe_score(self)}",
            *(f"limit: {limit}" for limit in LIMITS),
        ]
        return "\n".join(lines)


def load_info(path: PathLike) -> ModelInfo | None:
    """Read the training data and score in a model file, without loading the model.

    Parameters
    ----------
    path : str or path
        A file that `skser.save` wrote.

    Returns
    -------
    info : ModelInfo or None
        None if the file was saved without it.

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    return info_in(path, _container.read(path)[0])


def info_in(path: PathLike, manifest: dict[str, Any]) -> ModelInfo | None:
    """The information in the manifest of a model file."""
    try:
        content = manifest.get("info")
        return None if content is None else ModelInfo.from_dict(content)
    except Exception as error:
        raise ModelError(f"{path}: has unreadable information ({error})") from error


def encoders_in(path: PathLike, manifest: dict[str, Any]) -> list[EncoderDescription]:
    """The pre-trained encoders that the manifest of a model file names."""
    try:
        return [EncoderDescription.from_dict(item) for item in manifest.get("encoders", ())]
    except Exception as error:
        raise ModelError(f"{path}: has an unreadable encoder ({error})") from error


def describe_model(path: PathLike, manifest: dict[str, Any]) -> dict[str, Any]:
    """Labels, versions, training data and encoders of a model file, for JSON."""
    known, encoders = info_in(path, manifest), encoders_in(path, manifest)
    content = {
        "classes": manifest["classes"],
        "versions": manifest["versions"],
        "info": None if known is None else known.to_dict(),
    }
    if encoders:
        content["encoders"] = [encoder.to_dict() for encoder in encoders]
    return content


def _is_sound(content: Mapping[str, Any]) -> bool:
    """Whether the values have the types that `ModelInfo.to_dict` returns."""
    emotions, score = content["emotions"], content.get("score")
    texts = [text for name in ("corpora", "licences") for text in content.get(name, ())]
    if score is not None:
        limits = [score["low"], score["high"]]
        numbers = [score["uar"], *(limits if limits != [None, None] else [])]
        texts.append(score["protocol"])
        if len(score) != 4 or not all(isinstance(number, float) for number in numbers):
            return False
    return (
        all(isinstance(n, int) for n in emotions.values())
        and all(isinstance(text, str) and text.isprintable() for text in (*texts, *emotions))
        and isinstance(content.get("n_speakers"), (int, type(None)))
        and isinstance(content.get("audio"), (dict, type(None)))
    )


def emotion_counts(info: ModelInfo) -> str:
    return ", ".join(f"{name} {n}" for name, n in info.emotions.items())


def describe_score(info: ModelInfo | None) -> str:
    if info is None or info.score is None:
        return "not evaluated; `skser evaluate` measures the score on new speakers"
    score = info.score
    limits = "" if score["low"] is None else f" (95 % {score['low']:.3f} to {score['high']:.3f})"
    return f"unweighted average recall {score['uar']:.3f}{limits}: {score['protocol']}"
