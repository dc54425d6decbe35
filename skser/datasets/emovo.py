"""EMOVO: six actors, Italian."""

from __future__ import annotations

import re
from typing import Any

from .._utils._types import PathLike
from ._docstrings import complete_docstring
from ._names import NamedCorpus, load_names

EMOVO = NamedCorpus(
    name="emovo",
    pattern=re.compile(
        r"/(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>[fm][123])"
        r"-(?P<sentence>[bdln]\d)$"
    ),
    example="dis-f1-b1.wav",
    codes={
        "emotion": {
            "dis": "disgust",
            "gio": "happy",
            "neu": "neutral",
            "pau": "fear",
            "rab": "angry",
            "sor": "surprise",
            "tri": "sad",
        },
    },
    genders={
        **dict.fromkeys(["f1", "f2", "f3"], "female"),
        **dict.fromkeys(["m1", "m2", "m3"], "male"),
    },
    descr="""\
EMOVO: an Italian emotional speech database

Six actors (three women, three men) speak 14 Italian sentences with seven emotions: 588
recordings.

Citation: G. Costantini, I. Iaderola, A. Paoloni and M. Todisco (2014). EMOVO Corpus: an Italian
Emotional Speech Database. LREC 2014, 3501-3504.
Source: http://voice.fub.it/activities/corpora/emovo/index.html
Licence: free to use with citation; no formal licence is given with the original release
""",
)


@complete_docstring(EMOVO)
def load_emovo(data_home: PathLike, *, return_X_y: bool = False) -> Any:
    """Load EMOVO from a folder.

    Duplicates of a recording count once.
    """
    return load_names(EMOVO, data_home, return_X_y)
