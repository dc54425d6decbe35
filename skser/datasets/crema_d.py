"""CREMA-D: 91 actors of many backgrounds, English."""

from __future__ import annotations

import os
import re
from typing import Any

from ._docstrings import loader_docstring
from ._names import NamedCorpus, load_names

DESCR = """\
CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset

91 actors (43 women, 48 men, aged 20 to 74) speak twelve sentences with six emotions, one of the
sentences at three intensities: 7442 recordings. Crowd workers have rated them by ear, by eye and
by both; the labels here are what the actors were asked for.

Citation: H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova and R. Verma (2014). CREMA-D:
Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4),
377-390. doi:10.1109/TAFFC.2014.2336244
Source: https://github.com/CheyneyComputerScience/CREMA-D
Licence: Open Database License 1.0; contents under the Database Contents License 1.0; commercial use
is allowed
"""

CREMA_D = NamedCorpus(
    name="crema_d",
    pattern=re.compile(
        r"/(?P<speaker>10\d\d)_(?P<sentence>[A-Z]{3})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)"
        r"_(?P<intensity>LO|MD|HI|XX?)$"
    ),
    example="1001_DFA_ANG_XX.wav",
    codes={
        "emotion": {
            "ANG": "angry",
            "DIS": "disgust",
            "FEA": "fear",
            "HAP": "happy",
            "NEU": "neutral",
            "SAD": "sad",
        },
        "intensity": {
            "LO": "low",
            "MD": "medium",
            "HI": "high",
            "XX": "unspecified",
            "X": "unspecified",  # 1040_ITH_SAD_X, a slip in the published corpus
        },
    },
    genders={},
    descr=DESCR,
)


@loader_docstring(CREMA_D)
def load_crema_d(data_home: str | os.PathLike[str], *, return_X_y: bool = False) -> Any:
    """Load CREMA-D from a folder.

    A recording that is there twice counts once.
    """
    return load_names(CREMA_D, data_home, return_X_y)
