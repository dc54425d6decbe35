"""CREMA-D: 91 actors of many backgrounds, English."""

from __future__ import annotations

import re
from typing import Any

from .._utils._types import PathLike
from ._docstrings import complete_docstring
from ._names import NamedCorpus, load_names

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
            "X": "unspecified",  # 1040_ITH_SAD_X, a misnamed file of the published corpus
        },
    },
    genders={},
    descr="""\
CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset

91 actors (43 women, 48 men, aged 20 to 74) speak twelve sentences with six emotions, one of the
sentences at three intensities: 7442 recordings. Crowd workers have rated them by ear, by eye and
by both; the labels here are the intended emotions.

Citation: H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova and R. Verma (2014). CREMA-D:
Crowd-sourced Emotional Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4),
377-390. doi:10.1109/TAFFC.2014.2336244
Source: https://github.com/CheyneyComputerScience/CREMA-D
Licence: Open Database License 1.0; contents under the Database Contents License 1.0; commercial use
is allowed
""",
)


@complete_docstring(CREMA_D)
def load_crema_d(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load CREMA-D from a folder.

    Duplicates of a recording count once.
    """
    return load_names(CREMA_D, data_home, return_X_y)
