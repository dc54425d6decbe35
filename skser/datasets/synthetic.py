"""A corpus of synthetic emotional speech, without download or licence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import soundfile
from sklearn.utils import check_random_state

from .._utils._files import written_whole
from .._utils._param_validation import (
    BOOLEAN,
    NONE,
    RANDOM_STATE,
    Allowed,
    check_value,
    integer,
    number_range,
    one_of,
)
from .._utils._types import PathLike, RandomState
from ..exceptions import ParameterError
from ._corpus import EMOTIONS, make_corpus, make_waveform_corpus
from ._speech._phones import make_sentence
from ._speech._utterance import say
from ._speech._voices import draw_habit, make_voice

_CORPUS = "synthetic"
_SYLLABLES_PER_SECOND = 4.0  # of recording, silences included
_FOLDER = Allowed(
    "the path of a folder",
    lambda value: isinstance(value, str | os.PathLike) and not Path(value).expanduser().is_file(),
)


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

{content}

A source-filter synthesiser says nonsense sentences. The emotions follow published acoustic
correlates of acted speech, with random variation between speakers and utterances. The corpus is
for examples, tests and benchmarks of speed: scores on it say nothing about people.
"""


def make_emotional_speech(
    data_home: PathLike | None = None,
    *,
    n_speakers: int = 8,
    emotions: Sequence[str] = ("neutral", "happy", "sad", "angry", "fear", "disgust"),
    n_sentences: int = 3,
    n_takes: int = 2,
    sr: int = 16000,
    duration: tuple[float, float] = (1.5, 2.5),
    random_state: RandomState = None,
    return_X_y: bool = False,
) -> Any:
    """Make a corpus of synthetic emotional speech.

    A formant synthesiser [1]_ with Rosenberg's glottal pulse [2]_ says nonsense sentences, with
    the vowels of [3]_. Speakers differ in sex, pitch, vocal-tract length, voice quality, rate of
    speech, expressiveness and microphone. Emotions change pitch, rate, pauses, level, spectrum,
    voice quality, articulation and formants in the directions that [4]_, [5]_, [6]_, [7]_, [8]_
    and [9]_ report. Random variation between speakers and utterances makes emotions overlap.

    A clip depends only on ``random_state``, ``sr``, ``duration``, its speaker, emotion, sentence
    and take: a smaller corpus is a part of a larger one.

    Parameters
    ----------
    data_home : str, path or None, default=None
        Folder for 16-bit WAV files, in a folder per speaker; existing files are replaced. None
        writes nothing and returns waveforms.
    n_speakers : int, default=8
        Number of speakers, female and male in turn.
    emotions : sequence of str, default=("neutral", "happy", "sad", "angry", "fear", "disgust")
        Any of :data:`~skser.datasets.EMOTIONS`.
    n_sentences : int, default=3
        Number of sentences; every speaker says each with every emotion.
    n_takes : int, default=2
        Number of repetitions.
    sr : int, default=16000
        Sampling rate in Hz.
    duration : tuple of two floats, default=(1.5, 2.5)
        Shortest and longest clip in seconds.
    random_state : int, RandomState or None, default=None
        Seed; an int gives the same corpus in every call.
    return_X_y : bool, default=False
        Return ``(paths, target)``, or ``(waveforms, target)``, instead of a Bunch.

    Returns
    -------
    speech : Bunch or tuple
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths; only if ``data_home`` is given.
        - waveforms : list of ndarray of shape (n_samples,), float32. Clips with samples in
          [-1, 1]; only if ``data_home`` is None.
        - sr : int. Sampling rate in Hz.
        - target : ndarray of shape (n_clips,), str. Emotions.
        - groups : ndarray of shape (n_clips,), str. Speakers, such as "synthetic-f01" (female) or
          "synthetic-m02" (male).
        - frame : DataFrame. The columns path (of files), emotion, speaker, corpus, gender,
          sentence and take.
        - DESCR : str. Description.

    Raises
    ------
    ParameterError
        A parameter has an invalid value.

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
    >>> from skser.datasets import make_emotional_speech
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
    counts = {"n_speakers": n_speakers, "n_sentences": n_sentences, "n_takes": n_takes}
    for name, count in counts.items():
        check_value(name, count, integer(1, 99))
    check_value("data_home", data_home, _FOLDER, NONE)
    check_value("sr", sr, integer(8_000, 48_000))
    check_value("duration", duration, number_range(0.5, 30.0))
    check_value("random_state", random_state, RANDOM_STATE)
    check_value("return_X_y", return_X_y, BOOLEAN)
    names = _check_emotions(emotions)
    if isinstance(random_state, int | np.integer):
        seed = int(random_state)
    else:
        seed = int(check_random_state(random_state).randint(2**31))
    speakers = [("female" if i % 2 else "male", i) for i in range(1, n_speakers + 1)]
    sentences, takes = range(1, n_sentences + 1), range(1, n_takes + 1)
    clips = [
        _Clip(emotion, f"{_CORPUS}-{gender[0]}{i:02d}", _CORPUS, gender, f"s{s:02d}", f"t{t:02d}")
        for (gender, i), emotion, s, t in product(speakers, names, sentences, takes)
    ]
    waveforms = _waveforms(clips, duration, sr, seed)
    content = (
        f"{len(clips)} recordings: {n_speakers} speakers, {len(names)} emotions"
        f" ({', '.join(names)}),\n{n_sentences} sentences, {n_takes} takes of each,"
        f" {duration[0]:g} to {duration[1]:g} s at {sr} Hz."
    )
    frame = pd.DataFrame(clips)
    folder = None if data_home is None else Path(data_home).expanduser()
    descr = _DESCR.format(content=content)
    if folder is None:
        speech = make_waveform_corpus(frame, descr, list(waveforms), sr)
    else:
        # Clips are made one at a time, so that the files' content is never in memory together.
        speech = make_corpus(frame.assign(path=_write(clips, waveforms, folder, sr)), descr)
        speech.sr = sr
    if return_X_y:
        return speech.waveforms if folder is None else speech.paths, speech.target
    return speech


def _check_emotions(emotions: Sequence[str]) -> list[str]:
    is_list = np.iterable(emotions) and not isinstance(emotions, str)
    names = [str(name) for name in emotions] if is_list else []
    if not names or len(set(names)) < len(names):
        raise ParameterError(f"emotions must be a list of different emotions, got {emotions!r}")
    for name in names:
        check_value("emotions", name, one_of(*EMOTIONS))
    return names


def _generator(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the names alone, not on previous draws."""
    return np.random.default_rng([seed, *"/".join(names).encode()])


def _waveforms(
    clips: list[_Clip], duration: tuple[float, float], sr: int, seed: int
) -> Iterator[np.ndarray]:
    n_syllables = max(2, round(_SYLLABLES_PER_SECOND * (duration[0] + duration[1]) / 2))
    for clip in clips:
        sentence = make_sentence(n_syllables, _generator(seed, "sentence", clip.sentence))
        voice = make_voice(clip.gender, _generator(seed, "voice", clip.speaker))
        habit = draw_habit(_generator(seed, "habit", clip.speaker, clip.emotion))
        rng = _generator(seed, "clip", clip.speaker, clip.emotion, clip.sentence, clip.take)
        yield say(sentence, voice, clip.emotion, habit, duration, sr, rng)


def _write(clips: list[_Clip], waveforms: Iterator[np.ndarray], folder: Path, sr: int) -> list[str]:
    paths = []
    for clip, waveform in zip(clips, waveforms, strict=True):
        name = f"{clip.speaker}_{clip.emotion}_{clip.sentence}_{clip.take}.wav"
        path = folder / clip.speaker / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            soundfile.write(temporary, waveform, sr, subtype="PCM_16")
        paths.append(str(path))
    return paths
