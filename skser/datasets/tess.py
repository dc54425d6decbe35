"""TESS: two actresses, English."""

from __future__ import annotations

import os
import re
from typing import Any

from ._docstrings import loader_docstring
from ._names import NamedCorpus, load_names

DESCR = """\
TESS: the Toronto emotional speech set

Two actresses, 26 (YAF) and 64 (OAF) years old, say "Say the word ..." with 200 words and seven
emotions: 2800 recordings. With two speakers it says little about speakers never heard.

Citation: M. K. Pichora-Fuller and K. Dupuis (2020). Toronto emotional speech set (TESS). Borealis.
doi:10.5683/SP2/E8H2MF
Source: https://doi.org/10.5683/SP2/E8H2MF
Licence: CC BY-NC-ND 4.0, no commercial use
"""

TESS = NamedCorpus(
    name="tess",
    pattern=re.compile(
        r"/(?P<speaker>OAF?|YAF)_(?P<word>[^/_]+)"
        r"_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)$"
    ),
    example="OAF_back_angry.wav",
    codes={
        "speaker": {"OA": "OAF"},  # OA_bite_neutral, a slip in the published corpus
        "emotion": {"ps": "surprise"},
    },
    genders={"OAF": "female", "YAF": "female"},
    descr=DESCR,
)


@loader_docstring(TESS)
def load_tess(data_home: str | os.PathLike[str], *, return_X_y: bool = False) -> Any:
    """Load TESS from a folder.

    A recording that is there twice, as in the copies on Kaggle, counts once. The emotion "pleasant
    surprise" is "surprise" here.
    """
    return load_names(TESS, data_home, return_X_y)
