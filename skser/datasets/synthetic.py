"""A corpus of synthetic emotional speech, made on the spot: no download, no licence to ask for."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import soundfile
from sklearn.utils import check_random_state

from .._utils._param_validation import (
    BOOLEAN,
    RANDOM_STATE,
    check_parameters,
    did_you_mean,
    integer,
    number_range,
)
from ..exceptions import ParameterError
from ._corpus import EMOTIONS, make_corpus
from ._speech._phones import make_sentence
from ._speech._utterance import say
from ._speech._voices import draw_habit, make_voice

__all__ = ["make_emotional_speech"]

_CORPUS = "synthetic"
_SYLLABLES_PER_SECOND = 4.0  # of recording, silences included
_ALLOWED = {
    "n_speakers": [integer(1, 99)],
    "n_sentences": [integer(1, 99)],
    "n_takes": [integer(1, 99)],
    "sr": [integer(8_000, 48_000)],
    "duration": [number_range(0.5, 30.0)],
    "random_state": [RANDOM_STATE],
    "return_X_y": [BOOLEAN],
}


class _Clip(NamedTuple):
    """A row of the frame."""

    emotion: str
    speaker: str
    corpus: str
    gender: str
    sentence: str
    take: str


_DESCR = """\
Synthetic emotional speech (skser.datasets.make_emotional_speech)

{n_clips} recordings: {n_speakers} speakers, {n_emotions} emotions ({emotions}),
{n_sentences} sentences, {n_takes} takes of each, {low:g} to {high:g} s at {sr} Hz.

Made by a source-filter synthesiser; the sentences are nonsense and nobody has spoken them. The
emotions follow acoustic correlates that were published for acted speech, with random variation
between speakers and utterances. The corpus is for examples, tests and benchmarks of speed: scores
on it say nothing about people.
"""


def make_emotional_speech(
    data_home: str | os.PathLike[str] | None = None,
    *,
    n_speakers: int = 8,
    emotions: Sequence[str] = ("neutral", "happy", "sad", "angry", "fear", "disgust"),
    n_sentences: int = 3,
    n_takes: int = 2,
    sr: int = 16000,
    duration: tuple[float, float] = (1.5, 2.5),
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    """Make a corpus of synthetic emotional speech.

    A formant synthesiser [1]_ with Rosenberg's glottal pulse [2]_ says nonsense sentences, with
    the vowels of [3]_. Speakers differ in sex, pitch, vocal-tract length, voice quality, rate of
    speech, expressiveness and microphone. Emotions change the mean, range and end of the pitch,
    rate, pauses, level, high-frequency energy, jitter and shimmer, breathiness, articulation,
    tremor and formants, in the directions that [4]_, [5]_, [6]_, [7]_, [8]_ and [9]_ report, and
    vary from speaker to speaker and from utterance to utterance, so that emotions overlap.

    Every clip has a random generator of its own, seeded by ``random_state``, speaker, emotion,
    sentence and take: fewer speakers, emotions, sentences or takes give the same clips, only
    fewer. Another ``sr`` or ``duration`` makes other clips.

    Parameters
    ----------
    data_home : str, path or None, default=None
        Folder to write 16-bit WAV files to, below one folder per speaker; files of the same name
        are replaced. None writes nothing and returns waveforms.
    n_speakers : int, default=8
        How many speakers, women and men in turn.
    emotions : sequence of str, default=("neutral", "happy", "sad", "angry", "fear", "disgust")
        Any of neutral, calm, happy, sad, angry, fear, disgust, surprise and boredom.
    n_sentences : int, default=3
        How many sentences; every speaker says each of them with every emotion.
    n_takes : int, default=2
        How many times.
    sr : int, default=16000
        Sampling rate in Hz.
    duration : tuple of two floats, default=(1.5, 2.5)
        Shortest and longest clip in seconds. Sentences are made for their mean.
    random_state : int, RandomState or None, default=None
        An int gives the same corpus in every call.
    return_X_y : bool, default=False
        Return ``(paths, target)``, or ``(waveforms, target)``, in place of a Bunch.

    Returns
    -------
    speech : Bunch
        With the attributes

        paths : ndarray of shape (n_clips,), object
            Paths of the files, as str; only where ``data_home`` is given.
        waveforms : list of ndarray of shape (n_samples,), float32
            The clips, full scale being 1; only where ``data_home`` is None.
        sr : int
            Their sampling rate in Hz.
        target : ndarray of shape (n_clips,), str
            Emotions.
        groups : ndarray of shape (n_clips,), str
            Speakers, as ``"synthetic-f01"`` (a woman) or ``"synthetic-m02"`` (a man).
        frame : DataFrame of shape (n_clips, 6) or (n_clips, 7)
            Columns ``path`` (where there are files), ``emotion``, ``speaker``, ``corpus``,
            ``gender``, ``sentence`` and ``take``.
        DESCR : str
            What the corpus is.

    Raises
    ------
    ParameterError
        A parameter has a value that is not allowed.

    References
    ----------
    .. [1] D. H. Klatt, "Software for a cascade/parallel formant synthesizer", Journal of the
       Acoustical Society of America 67(3), 1980.
    .. [2] A. E. Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels",
       Journal of the Acoustical Society of America 49(2B), 1971.
    .. [3] G. E. Peterson and H. L. Barney, "Control methods used in a study of the vowels",
       Journal of the Acoustical Society of America 24(2), 1952.
    .. [4] K. R. Scherer, "Vocal affect expression: a review and a model for future research",
       Psychological Bulletin 99(2), 1986.
    .. [5] I. R. Murray and J. L. Arnott, "Toward the simulation of emotion in synthetic speech: a
       review of the literature on human vocal emotion", Journal of the Acoustical Society of
       America 93(2), 1993.
    .. [6] R. Banse and K. R. Scherer, "Acoustic profiles in vocal emotion expression", Journal of
       Personality and Social Psychology 70(3), 1996.
    .. [7] P. N. Juslin and P. Laukka, "Communication of emotions in vocal expression and music
       performance: different channels, same code?", Psychological Bulletin 129(5), 2003.
    .. [8] K. R. Scherer, "Vocal communication of emotion: a review of research paradigms", Speech
       Communication 40(1-2), 2003.
    .. [9] V. C. Tartter, "Happy talk: perceptual and acoustic effects of smiling on speech",
       Perception & Psychophysics 27(1), 1980.

    Examples
    --------
    >>> from skser.datasets.synthetic import make_emotional_speech
    >>> speech = make_emotional_speech(
    ...     n_speakers=2, emotions=["happy", "sad"], n_sentences=1, n_takes=1, random_state=0
    ... )
    >>> speech.frame[["emotion", "speaker", "gender", "sentence"]]
      emotion        speaker  gender sentence
    0   happy  synthetic-f01  female      s01
    1     sad  synthetic-f01  female      s01
    2   happy  synthetic-m02    male      s01
    3     sad  synthetic-m02    male      s01
    >>> len(speech.waveforms), speech.waveforms[0].dtype
    (4, dtype('float32'))
    """
    check_parameters(
        SimpleNamespace(
            _allowed=_ALLOWED,
            n_speakers=n_speakers,
            n_sentences=n_sentences,
            n_takes=n_takes,
            sr=sr,
            duration=duration,
            random_state=random_state,
            return_X_y=return_X_y,
        )
    )
    names = _check_emotions(emotions)
    folder = None if data_home is None else _check_folder(data_home)
    clips = _plan(n_speakers, names, n_sentences, n_takes)
    waveforms = _waveforms(clips, duration, sr, _seed(random_state))
    description = _DESCR.format(
        n_clips=len(clips),
        n_speakers=n_speakers,
        n_emotions=len(names),
        emotions=", ".join(names),
        n_sentences=n_sentences,
        n_takes=n_takes,
        low=duration[0],
        high=duration[1],
        sr=sr,
    )
    frame = pd.DataFrame(clips)
    # Clips are made one at a time, and as files they are never in memory together.
    frame["path"] = "" if folder is None else _write(clips, waveforms, folder, sr)
    speech = make_corpus(frame, description)
    speech.sr = sr
    if folder is None:
        del speech["paths"], speech.frame["path"]
        speech.waveforms = list(waveforms)
    if return_X_y:
        return speech.waveforms if folder is None else speech.paths, speech.target
    return speech


def _check_emotions(emotions: Sequence[str]) -> list[str]:
    allowed = ", ".join(EMOTIONS)
    names = list(emotions) if np.iterable(emotions) and not isinstance(emotions, str) else []
    if not names:
        raise ParameterError(f"emotions must be a list of some of {allowed}, got {emotions!r}")
    for name in names:
        if name not in EMOTIONS:
            hint = did_you_mean(name, EMOTIONS)
            raise ParameterError(f"emotions must be some of {allowed}, got {name!r}{hint}")
    if len(set(names)) < len(names):
        raise ParameterError(f"emotions must differ from each other, got {names!r}")
    return [str(name) for name in names]


def _check_folder(data_home: str | os.PathLike[str]) -> Path:
    if not isinstance(data_home, (str, os.PathLike)):
        raise ParameterError(f"data_home must be a str, a path or None, got {data_home!r}")
    folder = Path(data_home).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"data_home must be a folder, got the file {str(folder)!r}")
    return folder


def _seed(random_state: int | np.random.RandomState | None) -> int:
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(2**31))
    return int(random_state)


def _generator(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on names only, not on what else is drawn."""
    return np.random.default_rng([seed, *"/".join(names).encode()])


def _plan(n_speakers: int, emotions: list[str], n_sentences: int, n_takes: int) -> list[_Clip]:
    return [
        _Clip(
            emotion,
            f"{_CORPUS}-{gender[0]}{number:02d}",
            _CORPUS,
            gender,
            f"s{sentence:02d}",
            f"t{take:02d}",
        )
        for number in range(1, n_speakers + 1)
        for gender in ("female" if number % 2 else "male",)
        for emotion in emotions
        for sentence in range(1, n_sentences + 1)
        for take in range(1, n_takes + 1)
    ]


def _waveforms(
    clips: list[_Clip], duration: tuple[float, float], sr: int, seed: int
) -> Iterator[np.ndarray]:
    n_syllables = max(2, round(_SYLLABLES_PER_SECOND * (duration[0] + duration[1]) / 2))
    sentences = {
        name: make_sentence(n_syllables, _generator(seed, "sentence", name))
        for name in {clip.sentence for clip in clips}
    }
    voices = {
        speaker: make_voice(gender, _generator(seed, "voice", speaker))
        for speaker, gender in {(clip.speaker, clip.gender) for clip in clips}
    }
    for clip in clips:
        habit = draw_habit(_generator(seed, "habit", clip.speaker, clip.emotion))
        rng = _generator(seed, "clip", clip.speaker, clip.emotion, clip.sentence, clip.take)
        sentence, voice = sentences[clip.sentence], voices[clip.speaker]
        yield say(sentence, voice, clip.emotion, habit, duration, sr, rng)


def _write(clips: list[_Clip], waveforms: Iterator[np.ndarray], folder: Path, sr: int) -> list[str]:
    paths = []
    for clip, waveform in zip(clips, waveforms, strict=True):
        name = f"{clip.speaker}_{clip.emotion}_{clip.sentence}_{clip.take}.wav"
        path = folder / clip.speaker / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_wav(path, waveform, sr)
        paths.append(str(path))
    return paths


def _write_wav(path: Path, waveform: np.ndarray, sr: int) -> None:
    """Write under another name, then rename: nobody ever sees half a file."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        soundfile.write(partial, waveform, sr, format="WAV", subtype="PCM_16")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
