"""SAVEE: four men, British English."""

from __future__ import annotations

import os
import re
from typing import Any

from ._names import NamedCorpus, load_names

DESCR = """\
SAVEE: the Surrey Audio-Visual Expressed Emotion database

Four men (27 to 31 years old, British English) speak 15 sentences per emotion and 30 neutral ones,
with seven emotions: 480 recordings.

Citation: S. Haq and P. J. B. Jackson (2010). Multimodal emotion recognition. In W. Wang (ed.),
Machine Audition: Principles, Algorithms and Systems, 398-423. IGI Global.
doi:10.4018/978-1-61520-919-4
Source: http://kahlan.eps.surrey.ac.uk/savee/
Licence: free of charge for research, after registration; no commercial use
"""

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
    descr=DESCR,
)


def load_savee(data_home: str | os.PathLike[str], *, return_X_y: bool = False) -> Any:
    """Load SAVEE from a folder.

    Both layouts are known: a folder per speaker, as published, and one folder with the speaker in
    the file name, as on Kaggle. A recording that is there twice counts once.

    Parameters
    ----------
    data_home : str or path
        Folder that holds the recordings, in any depth.
    return_X_y : bool, default=False
        Return ``(paths, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        With attributes

        - paths : ndarray of shape (n_clips,), object. Paths, sorted.
        - target : ndarray of shape (n_clips,), str. Emotions.
        - groups : ndarray of shape (n_clips,), str. Speakers, such as "savee-DC".
        - frame : DataFrame. Path, emotion, speaker, corpus, sentence and gender.
        - DESCR : str. Description, citation and licence.

    Raises
    ------
    CorpusNotFoundError
        The folder does not exist.
    DataError
        No recordings, or recordings named otherwise than in SAVEE.

    References
    ----------
    S. Haq and P. J. B. Jackson (2010). Multimodal emotion recognition. In W. Wang (ed.), Machine
    Audition: Principles, Algorithms and Systems, 398-423. IGI Global.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_savee
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "DC_a01.wav").touch()
    ...     speech = load_savee(folder)
    >>> speech.target, speech.groups
    (array(['angry'], dtype='<U5'), array(['savee-DC'], dtype='<U8'))
    """
    return load_names(SAVEE, data_home, return_X_y)
