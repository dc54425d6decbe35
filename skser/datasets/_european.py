"""Corpora of European languages by their names: AESDD, CaFE, emoUERJ, eNTERFACE, MESD and nEMO."""

from __future__ import annotations

import re

from ._names import NamedCorpus

NOUNS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprise",
}

# Names: the README of the release (as Markdown in the Hugging Face data set EdwardLin2023/AESDD),
# and the list of files in emo-box/EmoBox on GitHub, which has (01) for (1) too.
AESDD = NamedCorpus(
    name="aesdd",
    pattern=re.compile(
        r"/(?P<emotion>[adfhs])(?P<sentence>\d\d) \(0?(?P<speaker>[1-9]\d?)\)(?P<take>[a-z]?)$"
    ),
    example="a03 (4).wav",
    codes={"emotion": {"a": "angry", "d": "disgust", "f": "fear", "h": "happy", "s": "sad"}},
    descr="""\
AESDD: the acted emotional speech dynamic database

Actors (five in the first version, six now; Greek) speak 19 sentences and one improvised one with
five emotions, without a neutral one: about 600 recordings.

Citation: N. Vryzas, R. Kotsakis, A. Liatsou, C. A. Dimoulas and G. Kalliris (2018). Speech emotion
recognition for performance interaction. Journal of the Audio Engineering Society 66(6), 457-467.
doi:10.17743/jaes.2018.0036
Source: http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/
Licence: public; no formal licence was found with the original release
""",
)

# Names: Readme.txt of the release (in michen00/multilingual_speech_valence_classification_datasets
# on GitHub).
CAFE = NamedCorpus(
    name="cafe",
    pattern=re.compile(
        r"/(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<intensity>[12])"
        r"-(?P<sentence>[1-6])$"
    ),
    example="01-C-1-1.wav",
    codes={
        "emotion": {
            "C": "angry",
            "D": "disgust",
            "J": "happy",
            "N": "neutral",
            "P": "fear",
            "S": "surprise",
            "T": "sad",
        },
        "intensity": {"1": "low", "2": "high"},
    },
    genders={f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 13)},
    descr="""\
CaFE: a Canadian French emotional speech dataset

Twelve actors (six women, six men; 15 to 64 years old) speak six sentences with seven emotions,
each but neutral at two intensities: 936 recordings.

Citation: P. Gournay, O. Lahaie and R. Lefebvre (2018). A Canadian French emotional speech dataset.
ACM Multimedia Systems Conference, 399-402. doi:10.1145/3204949.3208121
Source: https://zenodo.org/records/1478765
Licence: CC BY-NC-SA 4.0, no commercial use
""",
)

# Names: the page of the record on Zenodo.
EMOUERJ = NamedCorpus(
    name="emouerj",
    pattern=re.compile(r"/(?P<speaker>(?P<gender>[mw])0[1-4])(?P<emotion>[ahns])(?P<take>\d\d)$"),
    example="w04a11.wav",
    codes={
        "gender": {"m": "male", "w": "female"},
        "emotion": {"a": "angry", "h": "happy", "n": "neutral", "s": "sad"},
    },
    descr="""\
emoUERJ: an emotional speech database in Portuguese

Eight actors (four women, four men; Brazilian Portuguese) speak sentences that they chose from ten
with four emotions: 377 recordings (happy 91, angry 94, sad 100, neutral 92).

Citation: R. G. Bastos Germano, M. Pompeu Tcheou, F. da Rocha Henriques and S. Pinto Gomes Junior
(2021). emoUERJ: an emotional speech database in Portuguese. Zenodo. doi:10.5281/zenodo.5427549
Source: https://zenodo.org/records/5427549
Licence: CC BY 4.0, commercial use is allowed
""",
)

# Folders: datasets/eNTERFACE/process.py of Strong-AI-Lab/emotion and data/enterface of
# emo-box/EmoBox on GitHub. File names have typing errors and call subject 11 s12 (a recipe of
# another toolkit counts 23), so the folders are read. Subject 6 is not cut into sentences.
ENTERFACE = NamedCorpus(
    name="enterface",
    pattern=re.compile(
        r"/subject (?P<speaker>\d+)/(?P<emotion>anger|disgust|fear|happiness|sadness|surprise)"
        r"/sentence (?P<sentence>[1-5])/[^/]+$"
    ),
    example="subject 1/anger/sentence 1/s1_an_1.avi",
    codes={"emotion": {noun: emotion for noun, emotion in NOUNS.items() if noun != "neutral"}},
    passed_over=re.compile(r"/subject 6/"),
    descr="""\
eNTERFACE'05: an audio-visual emotion database

42 people of 14 nations (81 % men; English) react to six stories with one of six emotions, in five
sentences for each: the words give the emotion away. The archive has 44 folders: that of subject 6
is left out, as its files are whole sessions, and that of subject 23 lacks three recordings.

Citation: O. Martin, I. Kotsia, B. Macq and I. Pitas (2006). The eNTERFACE'05 audio-visual emotion
database. ICDE Workshops 2006. doi:10.1109/ICDEW.2006.145
Source: https://enterface.net/enterface05/emotion.html
Licence: MIT, says the database's page
""",
)

# Names: datasets/mesd/1.0.0/convert.py of audeering/datasets and datasets/MESD/process.py of
# Strong-AI-Lab/emotion on GitHub.
MESD = NamedCorpus(
    name="mesd",
    pattern=re.compile(
        r"/(?P<emotion>Anger|Disgust|Fear|Happiness|Neutral|Sadness)_(?P<speaker>[CFM])"
        r"_(?P<word_corpus>[AB])_(?P<word>[^/]+)$"
    ),
    example="Anger_C_A_abajo.wav",
    codes={
        "emotion": {noun.capitalize(): emotion for noun, emotion in NOUNS.items()},
        "speaker": {"C": "child", "F": "female", "M": "male"},
    },
    descr="""\
MESD: the Mexican emotional speech database

Three women, two men and six children (Mexican Spanish) speak single words with six emotions: 864
recordings. Names give the kind of voice, not the speaker: the groups are these three kinds.

Citation: M. M. Duville, L. M. Alonso-Valerdi and D. I. Ibarra-Zarate (2021). Mexican emotional
speech database based on semantic, frequency, familiarity, concreteness, and cultural shaping of
affective prosody. Data 6(12), 130. doi:10.3390/data6120130
Source: https://data.mendeley.com/datasets/cy34mh68j9/5
Licence: CC BY 4.0, commercial use is allowed
""",
)

# Names, speakers and genders: README.md, data.tsv and the list of files of amu-cai/nEMO on GitHub.
NEMO = NamedCorpus(
    name="nemo",
    pattern=re.compile(
        r"/(?P<speaker>EB0|IC0|KD0|KS0|MK0|MP0|SM0|TP0|WR0)"
        r"_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_(?P<sentence>\d+)$"
    ),
    example="EB0_anger_1.wav",
    codes={"emotion": {**NOUNS, "surprised": "surprise"}},
    genders={
        **dict.fromkeys(["EB0", "IC0", "KD0", "MK0"], "female"),
        **dict.fromkeys(["KS0", "MP0", "SM0", "TP0", "WR0"], "male"),
    },
    descr="""\
nEMO: a dataset of emotional speech in Polish

Nine actors (four women, five men; 23 to 28 years old) speak 90 Polish sentences with six emotions:
4481 recordings.

Citation: I. Christop (2024). nEMO: Dataset of emotional speech in Polish. LREC-COLING 2024.
https://aclanthology.org/2024.lrec-main.1059
Source: https://github.com/amu-cai/nEMO
Licence: CC BY-NC-SA 4.0, no commercial use
""",
)

EUROPEAN = (AESDD, CAFE, EMOUERJ, ENTERFACE, MESD, NEMO)
