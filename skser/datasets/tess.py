"""TESS: two actresses, English."""

from __future__ import annotations

import re
from typing import Any

from .._utils._types import PathLike
from ._docstrings import complete_docstring
from ._names import NamedCorpus, load_names

TESS = NamedCorpus(
    name="tess",
    pattern=re.compile(
        r"/(?P<speaker>OAF?|YAF)_(?P<word>[^/_]+)"
        r"_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)$"
    ),
    example="OAF_back_angry.wav",
    codes={
        "speaker": {"OA": "OAF"},  # OA_bite_neutral, a misnamed file of the published corpus
        "emotion": {"ps": "surprise"},
    },
    genders={"OAF": "female", "YAF": "female"},
    descr="""\
TESS: the Toronto emotional speech set

Two actresses, 26 (YAF) and 64 (OAF) years old, say "Say the word ..." with 200 words and seven
emotions: 2800 recordings. Two speakers are too few to measure generalisation to new speakers.

Citation: M. K. Pichora-Fuller and K. Dupuis (2020). Toronto emotional speech set (TESS). Borealis.
doi:10.5683/SP2/E8H2MF
Source: https://doi.org/10.5683/SP2/E8H2MF
Licence: CC BY-NC-ND 4.0, no commercial use
""",
)


@complete_docstring(TESS)
def load_tess(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load TESS from a folder.

    Duplicates of a recording, as in the copies on Kaggle, count once. The emotion "pleasant
    surprise" becomes "surprise".
    """
    return load_names(TESS, data_home, return_X_y)
