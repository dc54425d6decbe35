"""SAVEE: four men, British English."""

from __future__ import annotations

import re
from typing import Any

from .._utils._types import PathLike
from ._docstrings import complete_docstring
from ._names import NamedCorpus, load_names

SAVEE = NamedCorpus(
    name="savee",
    pattern=re.compile(
        r"/(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>sa|su|[adfhn])(?P<sentence>\d\d)$"
    ),
    example="DC/a01.wav or DC_a01.wav",
    codes={
        "emotion": {
            "a": "angry",
            "d": "disgust",
            "f": "fear",
            "h": "happy",
            "n": "neutral",
            "sa": "sad",
            "su": "surprise",
        },
    },
    genders={"DC": "male", "JE": "male", "JK": "male", "KL": "male"},
    descr="""\
SAVEE: the Surrey Audio-Visual Expressed Emotion database

Four men (27 to 31 years old, British English) speak 15 sentences per emotion and 30 neutral ones,
with seven emotions: 480 recordings.

Citation: S. Haq and P. J. B. Jackson (2010). Multimodal emotion recognition. In W. Wang (ed.),
Machine Audition: Principles, Algorithms and Systems, 398-423. IGI Global.
doi:10.4018/978-1-61520-919-4
Source: http://kahlan.eps.surrey.ac.uk/savee/
Licence: free of charge for research, after registration; no commercial use
""",
)


@complete_docstring(SAVEE)
def load_savee(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load SAVEE from a folder.

    Files may be in a folder per speaker, as published, or have the speaker in the file name, as on
    Kaggle. Duplicates of a recording count once.
    """
    return load_names(SAVEE, data_home, return_X_y)
