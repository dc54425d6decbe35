"""EmoDB, the Berlin database: ten actors, German."""

from __future__ import annotations

import re
from typing import Any

from .._utils._types import PathLike
from ._docstrings import complete_docstring
from ._names import NamedCorpus, load_names

EMODB = NamedCorpus(
    name="emodb",
    pattern=re.compile(
        r"/(?P<speaker>03|08|09|1[0-6])(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])"
        r"(?P<version>[a-z]?)$"
    ),
    example="03a01Fa.wav",
    codes={
        "emotion": {
            "W": "angry",
            "L": "boredom",
            "E": "disgust",
            "A": "fear",
            "F": "happy",
            "T": "sad",
            "N": "neutral",
        },
    },
    genders={
        **dict.fromkeys(["08", "09", "13", "14", "16"], "female"),
        **dict.fromkeys(["03", "10", "11", "12", "15"], "male"),
    },
    descr="""\
EmoDB: the Berlin Database of Emotional Speech

Ten actors (five women, five men) speak ten German sentences with seven emotions: 535 recordings,
those of about 800 in which listeners heard the emotion and found it natural.

Citation: F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier and B. Weiss (2005). A database of
German emotional speech. Interspeech 2005, 1517-1520. doi:10.21437/Interspeech.2005-446
Source: http://emodb.bilderbar.info/
Licence: free to use with citation; no formal licence is given with the original release. The copy
https://zenodo.org/records/7447302 is CC BY 4.0, commercial use is allowed
""",
)


@complete_docstring(EMODB)
def load_emodb(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load EmoDB from a folder.

    Duplicates of a recording count once.
    """
    return load_names(EMODB, data_home, return_X_y)
