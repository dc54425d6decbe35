"""Corpora whose labels are in files of their own: IEMOCAP, MELD and MSP-IMPROV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..exceptions import DataError
from ._names import NamedCorpus

_GENDER = {"F": "female", "M": "male"}

# [6.2901 - 8.2357]  Ses01F_impro01_F000  neu  [2.5000, 2.5000, 2.5000]
_IEMOCAP_LINE = re.compile(
    r"\[[\d.]+ - [\d.]+\]\s+(\w+)\s+([a-z]{3})\s+\[([\d.]+), ([\d.]+), ([\d.]+)\]"
)
# UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:3.000000; V:3.500000; D:3.000000 ; N:4.000000;
_MSP_LINE = re.compile(r"(?:UTD|MSP)-IMPROV-([A-Z0-9-]+)\.\w+;\s*([A-Z])\s*;")

_MELD_FILES = {f"{split}_sent_emo.csv": split for split in ("train", "dev", "test")}
_MELD_COLUMNS = ("Dialogue_ID", "Utterance_ID", "Emotion", "Speaker")


def iemocap_labels(home: Path) -> pd.DataFrame:
    """Labels that most raters agree on and mean ratings, from the folders EmoEvaluation.

    The actor who speaks is the last letter of a name: the letter after the session says who wears
    the markers.
    """
    files = _find(home, "EmoEvaluation/*.txt", "dialog/EmoEvaluation/*.txt")
    lines = [match.groups() for file in files for match in _IEMOCAP_LINE.finditer(_read(file))]
    _check(home, lines, "dialog/EmoEvaluation/*.txt", "Session1 to Session5")
    columns = ["clip", "emotion", "valence", "activation", "dominance"]
    labels = pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(columns[2:], float))
    labels["speaker"] = labels["clip"].str[:5] + labels["clip"].str.rsplit("_", n=1).str[1].str[0]
    return labels


def meld_labels(home: Path) -> pd.DataFrame:
    """Labels and speakers from the three CSV files."""
    rows = []
    for file in _find(home, "*_sent_emo.csv"):
        if (split := _MELD_FILES.get(file.name)) is None:
            continue
        reader = csv.DictReader(_read(file).splitlines(keepends=True))
        if missing := [c for c in _MELD_COLUMNS if c not in (reader.fieldnames or ())]:
            raise DataError(f"{file}: has no column {missing[0]}")
        rows += [(split, *(row[c].strip() for c in _MELD_COLUMNS)) for row in reader]
    _check(home, rows, "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv", "MELD.Raw")
    labels = pd.DataFrame(rows, columns=["split", "dialogue", "utterance", "emotion", "speaker"])
    return labels.assign(emotion=labels["emotion"].str.lower())


def msp_improv_labels(home: Path) -> pd.DataFrame:
    """Labels that most raters agree on, from Evalution.txt (as the release spells it)."""
    files = _find(home, "Evalution.txt") or _find(home, "Evaluation.txt")
    lines = [match.groups() for file in files for match in _MSP_LINE.finditer(_read(file))]
    _check(home, lines, "Evalution.txt", "it and the folders session1 to session6")
    return pd.DataFrame(lines, columns=["clip", "emotion"])


def _find(home: Path, pattern: str, above: str = "") -> list[Path]:
    """Files in a folder and its subfolders, else those beside one of the folders above it."""
    found = (folder.glob(above or pattern) for folder in home.absolute().parents[:5])
    for files in (home.rglob(pattern), *found):
        if named := sorted(file for file in files if not file.name.startswith(".")):
            return named
    return []


def _read(file: Path) -> str:
    """Text of a label file: transcripts beside the labels may be in any encoding."""
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _check(home: Path, found: Iterable[object], files: str, content: str) -> None:
    """Raise DataError if no label was found."""
    if not found:
        raise DataError(
            f"{home}: has no labels ({files}); data_home must be the folder that holds {content}"
        )


# Names and lines: the release's README.txt (in the Hugging Face data set anton-l/superb_demo) and
# datasets/IEMOCAP/process.py of Strong-AI-Lab/emotion on GitHub.
IEMOCAP = NamedCorpus(
    name="iemocap",
    pattern=re.compile(
        r"/(?P<clip>(?P<session>Ses0[1-5])[FM]_(?P<style>impro|script)0[1-9][ab]?(?:_\d[ab]?)?"
        r"_(?P<gender>[FM])(?:\d\d|XX)\d)$"
    ),
    example="Ses01F_impro01_F000.wav",
    codes={
        "emotion": {
            "ang": "angry",
            "dis": "disgust",
            "exc": "excited",
            "fea": "fear",
            "fru": "frustrated",
            "hap": "happy",
            "neu": "neutral",
            "oth": "other",
            "sad": "sad",
            "sur": "surprise",
        },
        "style": {"impro": "improvised", "script": "scripted"},
        "gender": _GENDER,
    },
    passed_over=re.compile(r"/Ses0[1-5][FM]_(?:impro|script)0[1-9][ab]?(?:_\d[ab]?)?$"),
    labels=iemocap_labels,
    descr="""\
IEMOCAP: the interactive emotional dyadic motion capture database

Ten actors (five women, five men; English) improvise and play scenes in pairs, in five sessions:
10039 utterances. At least three people have rated each; utterances on which they disagree are left
out. "excited" and "frustrated" are labels of their own: many studies count "excited" as "happy".

Citation: C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee and
S. S. Narayanan (2008). IEMOCAP: Interactive emotional dyadic motion capture database. Language
Resources and Evaluation 42(4), 335-359. doi:10.1007/s10579-008-9076-6
Source: https://sail.usc.edu/iemocap/
Licence: for research, after a signed release form
""",
)

# Names and columns: README.md of declare-lab/MELD and datasets/MELD/process.py of
# Strong-AI-Lab/emotion on GitHub. Loaders there drop dia125_utt3, which cannot be decoded, and the
# repeated clips final_videos_test*.
MELD = NamedCorpus(
    name="meld",
    pattern=re.compile(
        r"/[^/]*(?P<split>train|dev|test)[^/]*/dia(?P<dialogue>\d+)_utt(?P<utterance>\d+)$"
    ),
    example="train_splits/dia0_utt0.mp4",
    codes={
        "emotion": {
            "anger": "angry",
            "disgust": "disgust",
            "fear": "fear",
            "joy": "happy",
            "neutral": "neutral",
            "sadness": "sad",
            "surprise": "surprise",
        },
    },
    passed_over=re.compile(r"/final_videos_test[^/]*$|/[^/]*train[^/]*/dia125_utt3$"),
    labels=meld_labels,
    descr="""\
MELD: the multimodal EmotionLines dataset

13708 utterances of 1433 dialogues from a television series (English), with seven emotions and a
published split; the column split has it. Main characters speak in all three parts.

Citation: S. Poria, D. Hazarika, N. Majumder, G. Naik, E. Cambria and R. Mihalcea (2019). MELD: A
multimodal multi-party dataset for emotion recognition in conversations. ACL 2019, 527-536.
doi:10.18653/v1/P19-1050
Source: https://affective-meld.github.io
Licence: GNU General Public License 3.0; the recordings are excerpts of a television series
""",
)

# Names and lines: datasets/MSP-IMPROV/process.py of Strong-AI-Lab/emotion on GitHub, and a second
# loader that says that the file is spelled Evalution.txt.
MSP_IMPROV = NamedCorpus(
    name="msp_improv",
    pattern=re.compile(
        r"/(?:MSP|UTD)-IMPROV-(?P<clip>S(?P<sentence>\d\d)(?P<intended>[AHNS])"
        r"-(?P<speaker>(?P<gender>[FM])\d\d)-(?P<scenario>[A-Z])-[FM]{2}\d+)$"
    ),
    example="MSP-IMPROV-S01A-F01-P-FM01.wav",
    codes={
        "emotion": {"A": "angry", "H": "happy", "N": "neutral", "O": "other", "S": "sad"},
        "intended": {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"},
        "gender": _GENDER,
    },
    labels=msp_improv_labels,
    descr="""\
MSP-IMPROV: an acted corpus of dyadic interactions

Twelve actors (six women, six men; English) improvise scenes in pairs that lead to 20 target
sentences, in six sessions: 8438 turns. Labels are what most raters heard; turns on which they
disagree are left out. The column intended is the emotion of the scene.

Citation: C. Busso, S. Parthasarathy, A. Burmania, M. AbdelWahab, N. Sadoughi and E. Mower Provost
(2017). MSP-IMPROV: An acted corpus of dyadic interactions to study emotion perception. IEEE
Transactions on Affective Computing 8(1), 67-80. doi:10.1109/TAFFC.2016.2515617
Source: https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html
Licence: academic or commercial, after a signed agreement
""",
)
