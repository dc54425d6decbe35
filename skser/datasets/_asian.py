"""Corpora of Asian languages by their names: BAVED, ESD, ShEMO, SUBESCO, TurEV-DB and URDU."""

from __future__ import annotations

import re

from ._names import NamedCorpus

_GENDER = {"F": "female", "M": "male"}
_MEN_OF_ESD = (4, 5, 6, 8, 10, 11, 12, 13, 14, 20)

# Names: README.md (in DagsHub/audio-datasets) and the list of files of
# 40uf411/Basic-Arabic-Vocal-Emotions-Dataset on GitHub.
BAVED = NamedCorpus(
    name="baved",
    pattern=re.compile(
        r"/(?P<speaker>\d+)-(?P<gender>[fm])-(?P<age>\d+)-(?P<word>[0-6])-(?P<emotion>[012])"
        r"-(?P<number>\d+)$"
    ),
    example="0-m-21-0-1-105.wav",
    codes={
        "gender": {"f": "female", "m": "male"},
        "emotion": {"0": "low", "1": "normal", "2": "high"},
    },
    descr="""\
BAVED: the basic Arabic vocal emotions dataset

61 people (16 women, 45 men; Arabic) speak seven words at three levels of emotion: 1935 recordings.
The labels are these levels: "low" (as if tired), "normal" (neutral) and "high" (any strong emotion,
such as anger or joy).

Citation: Basic Arabic Vocal Emotions Dataset (BAVED). GitHub (40uf411) and Kaggle (a13x10).
Source: https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset
Licence: public; no formal licence was found with the original release
""",
)

# Folders, names and genders: README.md of HLTSingapore/Emotional-Speech-Data and
# datasets/ESD/process.py of Strong-AI-Lab/emotion on GitHub.
ESD = NamedCorpus(
    name="esd",
    pattern=re.compile(
        r"/(?P<emotion>Angry|Happy|Neutral|Sad|Surprise)/(?:(?P<part>train|evaluation|test)/)?"
        r"(?P<speaker>00(?:0[1-9]|1\d|20))_(?P<utterance>\d{6})$"
    ),
    example="0011/Angry/0011_000351.wav",
    codes={
        "emotion": {
            "Angry": "angry",
            "Happy": "happy",
            "Neutral": "neutral",
            "Sad": "sad",
            "Surprise": "surprise",
        },
    },
    genders={f"{n:04d}": "male" if n in _MEN_OF_ESD else "female" for n in range(1, 21)},
    descr="""\
ESD: the emotional speech database

Ten speakers of Mandarin (0001 to 0010) and ten of English (0011 to 0020), five women and five men
of each, speak 350 sentences with five emotions: 35000 recordings. The column part is the folder
train, evaluation or test; since every speaker is in all three, it is no split for new speakers.

Citation: K. Zhou, B. Sisman, R. Liu and H. Li (2022). Emotional voice conversion: Theory, databases
and ESD. Speech Communication 137, 1-18. doi:10.1016/j.specom.2021.11.006
Source: https://github.com/HLTSingapore/Emotional-Speech-Data
Licence: for research, after a signed form
""",
)

# Names: datasets/ShEMO/process.py of Strong-AI-Lab/emotion and the list of files in
# emo-box/EmoBox on GitHub.
SHEMO = NamedCorpus(
    name="shemo",
    pattern=re.compile(
        r"/(?P<speaker>(?P<gender>[FM])\d\d)(?P<emotion>[AFHNSW])(?P<utterance>\d{2,3})$"
    ),
    example="F01A01.wav",
    codes={
        "gender": _GENDER,
        "emotion": {
            "A": "angry",
            "F": "fear",
            "H": "happy",
            "N": "neutral",
            "S": "sad",
            "W": "surprise",
        },
    },
    descr="""\
ShEMO: the Sharif emotional speech database

3000 utterances of radio plays by 87 speakers of Persian, with six emotions; there are few with
fear.

Citation: O. Mohamad Nezami, P. Jamshid Lou and M. Karami (2019). ShEMO: a large-scale validated
database for Persian speech emotion detection. Language Resources and Evaluation 53(1), 1-16.
doi:10.1007/s10579-018-9427-x
Source: https://github.com/mansourehk/ShEMO
Licence: public; no formal licence was found with the original release
""",
)

# Names: the card of the Hugging Face data set sustcsenlp/bn_emotion_speech_corpus and
# datasets/SUBESCO/process.py of Strong-AI-Lab/emotion on GitHub.
SUBESCO = NamedCorpus(
    name="subesco",
    pattern=re.compile(
        r"/(?P<speaker>(?P<gender>[FM])_\d\d)_(?P<actor>[A-Z]+)_S_(?P<sentence>10|[1-9])"
        r"_(?P<emotion>ANGRY|DISGUST|FEAR|HAPPY|NEUTRAL|SAD|SURPRISE)_(?P<take>[1-5])\]?$"
    ),  # the published F_02_MONIKA_S_2_SURPRISE_3].wav has a bracket
    example="F_02_MONIKA_S_1_NEUTRAL_5.wav",
    codes={
        "gender": _GENDER,
        "emotion": {
            "ANGRY": "angry",
            "DISGUST": "disgust",
            "FEAR": "fear",
            "HAPPY": "happy",
            "NEUTRAL": "neutral",
            "SAD": "sad",
            "SURPRISE": "surprise",
        },
    },
    descr="""\
SUBESCO: the SUST Bangla emotional speech corpus

20 actors (ten women, ten men; Bangla) speak ten sentences with seven emotions, five times each:
7000 recordings.

Citation: S. Sultana, M. S. Rahman, M. R. Selim and M. Z. Iqbal (2021). SUST Bangla Emotional Speech
Corpus (SUBESCO): An audio-only emotional speech corpus for Bangla. PLoS ONE 16(4), e0250173.
doi:10.1371/journal.pone.0250173
Source: https://zenodo.org/records/4526477
Licence: CC BY 4.0, commercial use is allowed
""",
)

# Names: the list of files of Xeonen/TurEV-DB on GitHub: kz is in the folder Angry, sk in Calm, mt
# in Happy and hl in Sad.
TUREV_DB = NamedCorpus(
    name="turev_db",
    pattern=re.compile(
        r"/(?P<speaker>1157|1234|1358|1984|6783|7895)_(?P<emotion>hl|kz|mt|sk)_(?P<word>[^/_]+)$"
    ),
    example="1157_kz_beste.wav",
    codes={"emotion": {"hl": "sad", "kz": "angry", "mt": "happy", "sk": "calm"}},
    descr="""\
TurEV-DB: the Turkish emotion-voice database

Six speakers of Turkish say 82 words with four emotions: over 1700 recordings.

Citation: S. F. Canpolat, Z. Ormanoglu and D. Zeyrek (2020). Turkish Emotion Voice Database
(TurEV-DB). SLTU and CCURL 2020, 368-375. https://aclanthology.org/2020.sltu-1.52
Source: https://github.com/Xeonen/TurEV-DB
Licence: CC BY-NC-ND 4.0, no commercial use
""",
)

# Names: the list of files of siddiquelatif/URDU-Dataset and datasets/URDU/process.py of
# Strong-AI-Lab/emotion on GitHub.
URDU = NamedCorpus(
    name="urdu",
    pattern=re.compile(
        r"/(?P<speaker>S(?P<gender>[FM])\d+)_F(?P<utterance>\d+)_(?P<emotion>[AHNS])"
        r"(?P<number>\d+)$"
    ),
    example="SM1_F10_A010.wav",
    codes={
        "gender": _GENDER,
        "emotion": {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"},
    },
    descr="""\
URDU: emotional utterances of Urdu talk shows

38 people (11 women, 27 men) in television talk shows, with four emotions, 100 recordings of each.

Citation: S. Latif, A. Qayyum, M. Usman and J. Qadir (2018). Cross lingual speech emotion
recognition: Urdu vs. western languages. arXiv:1812.10411
Source: https://github.com/siddiquelatif/URDU-Dataset
Licence: for research only, says the README of the release
""",
)

ASIAN = (BAVED, ESD, SHEMO, SUBESCO, TUREV_DB, URDU)
