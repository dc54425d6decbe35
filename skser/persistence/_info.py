"""ModelInfo: what a model was trained on, how good it is on whom, and what it is not."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..exceptions import DataError, ModelError
from . import _container

__all__ = ["ModelInfo", "load_card", "load_info"]

LIMITS = (
    "Emotion labels are categories that actors were asked to play, or that listeners chose, and "
    "not facts about a person: nobody's feelings can be read off a voice.",
    "Voices, languages, microphones and rooms unlike those of the training recordings are "
    "answered worse than the scores say, and every recording gets an answer.",
    "Not for decisions about people, such as hiring, schooling, insurance, health or policing.",
)


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model, beside the model itself.

    Parameters
    ----------
    emotions : dict of {str : int}
        Training recordings of each emotion.
    corpora : tuple of str, default=()
        Names of the corpora.
    licences : tuple of str, default=()
        Licences of the corpora, in their order.
    n_speakers : int or None, default=None
        Speakers; None if they are not known.
    score : dict or None, default=None
        ``protocol``, and ``uar``, ``low`` and ``high`` (95 % of a bootstrap over speakers) of the
        same pipeline on recordings that it was not trained on. None if it was not evaluated.
    audio : dict or None, default=None
        What the training audio is like; see :class:`skser.inference.TrainingAudio`.

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
        cls, speech: Any, *, evaluation: Any = None, audio: dict[str, Any] | None = None
    ) -> ModelInfo:
        """What is known of a model trained on a corpus.

        Parameters
        ----------
        speech : Bunch
            What a loader of :mod:`skser.datasets` returned: all that the model was trained on.
        evaluation : Evaluation or None, default=None
            Scores of the same pipeline.
        audio : dict or None, default=None
            What the training audio is like.

        Returns
        -------
        info : ModelInfo
        """
        frame = speech.frame
        counts = frame["emotion"].value_counts().sort_index()
        names = frame["corpus"].dropna().unique() if "corpus" in frame else ()
        return cls(
            emotions={str(emotion): int(n) for emotion, n in counts.items()},
            corpora=tuple(map(str, names)),
            licences=tuple(licences_in(speech.DESCR)),
            n_speakers=None if speech.groups is None else len(set(speech.groups)),
            score=None if evaluation is None else score_of(evaluation),
            audio=audio,
        )

    @classmethod
    def nothing_known(cls) -> ModelInfo:
        """Of a model that was saved without."""
        return cls(emotions={})

    @property
    def n_recordings(self) -> int:
        """Training recordings in all."""
        return sum(self.emotions.values())

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self) | {"corpora": list(self.corpora), "licences": list(self.licences)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ModelInfo:
        """From what `to_dict` gave; DataError for anything else."""
        known = {field.name for field in fields(cls)}
        is_known = isinstance(content, Mapping) and {"emotions"} <= set(content) <= known
        if not is_known or not _is_sound(content):
            raise DataError("what a model was trained on must be what ModelInfo.to_dict gives")
        tuples = {name: tuple(content.get(name, ())) for name in ("corpora", "licences")}
        return cls(**{**content, **tuples})

    def __str__(self) -> str:
        emotions = ", ".join(f"{name} {n}" for name, n in self.emotions.items())
        speakers = (
            "speakers not known" if self.n_speakers is None else f"{self.n_speakers} speakers"
        )
        trained = (
            f"{self.n_recordings} recordings, {speakers}, of "
            f"{', '.join(self.corpora) or 'a corpus without a name'} ({emotions})"
        )
        lines = [
            f"trained on: {trained if self.emotions else 'not said when the model was saved'}",
            *(f"licence of the data: {licence}" for licence in self.licences),
            f"score: {told_score(self.score)}",
            *(f"limit: {limit}" for limit in LIMITS),
        ]
        return "\n".join(lines)


def load_info(path: str | os.PathLike[str]) -> ModelInfo | None:
    """What a model file says of its training, without loading the model.

    Parameters
    ----------
    path : str or path
        A file that `skser.save` wrote.

    Returns
    -------
    info : ModelInfo or None
        None if the file was saved without.

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    return read_manifest(path)[1]


def load_card(path: str | os.PathLike[str]) -> str:
    """The model card in a model file, in Markdown.

    Parameters
    ----------
    path : str or path
        A file that `skser.save` wrote.

    Returns
    -------
    card : str

    Raises
    ------
    ModelError
        The file is missing or damaged.
    """
    _, contents = _container.read(path)
    text = contents.entries.get(_container.CARD, b"").decode(errors="replace")
    # A terminal would do what other characters say.
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def read_manifest(path: str | os.PathLike[str]) -> tuple[dict[str, Any], ModelInfo | None]:
    """What a model file says of itself, and of its training."""
    manifest, _ = _container.read(path)
    return manifest, info_in(path, manifest)


def info_in(path: str | os.PathLike[str], manifest: dict[str, Any]) -> ModelInfo | None:
    """What the manifest of a model file says of its training."""
    try:
        known = manifest.get("info")
        return None if known is None else ModelInfo.from_dict(known)
    except Exception as error:
        raise ModelError(f"{path}: does not tell what it was trained on ({error})") from error


def _is_sound(content: Mapping[str, Any]) -> bool:
    """Whether all that `ModelInfo.to_dict` gives is of the kind that it gives."""
    emotions, score, audio = (content.get(name) for name in ("emotions", "score", "audio"))
    texts = [text for name in ("corpora", "licences") for text in content.get(name, ())]
    n_speakers = content.get("n_speakers")
    return (
        isinstance(emotions, dict)
        and all(isinstance(n, int) for n in emotions.values())
        and all(isinstance(text, str) and text.isprintable() for text in (*texts, *emotions))
        and (n_speakers is None or isinstance(n_speakers, int))
        and (score is None or _is_score(score))
        and (audio is None or isinstance(audio, dict))
    )


def _is_score(score: Any) -> bool:
    if not isinstance(score, dict) or set(score) != {"protocol", "uar", "low", "high"}:
        return False
    limits = [score[name] for name in ("low", "high") if score[name] is not None]
    numbers = all(isinstance(number, float) for number in (score["uar"], *limits))
    return numbers and len(limits) != 1 and str(score["protocol"]).isprintable()


def score_of(evaluation: Any) -> dict[str, Any]:
    """The score of an evaluation, as it is kept."""
    row = evaluation.to_frame().loc["uar"]
    found = {"uar": row["pooled"], "low": row["low"], "high": row["high"]}
    numbers = {name: None if value != value else float(value) for name, value in found.items()}
    return {"protocol": evaluation.protocol, **numbers}


def told_score(score: dict[str, Any] | None) -> str:
    if score is None:
        return "not evaluated; `skser evaluate` tells how good it is on new speakers"
    limits = "" if score["low"] is None else f" (95 % {score['low']:.3f} to {score['high']:.3f})"
    return f"unweighted average recall {score['uar']:.3f}{limits}: {score['protocol']}"


def licences_in(description: str) -> list[str]:
    """What descriptions of corpora say after ``Licence:``, each to the end of its paragraph."""
    found = re.findall(r"^Licence: (.+?)(?:\n\n|\Z)", description, re.MULTILINE | re.DOTALL)
    return [" ".join(text.split()) for text in found]
