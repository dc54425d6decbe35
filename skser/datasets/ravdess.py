"""RAVDESS: speech and song of 24 actors, English."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from .._utils._param_validation import check_value, one_of
from .._utils._types import PathLike
from ..exceptions import DataError
from ._corpus import make_corpus
from ._docstrings import complete_docstring
from ._names import NamedCorpus, read_names

RAVDESS = NamedCorpus(
    name="ravdess",
    pattern=re.compile(
        r"/(?P<modality>0[123])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
        r"-(?P<sentence>0[12])-(?P<repetition>0[12])-(?P<speaker>0[1-9]|1\d|2[0-4])$"
    ),
    example="03-01-06-01-02-01-12.wav",
    codes={
        "modality": {"01": "audio-video", "02": "video-only", "03": "audio-only"},
        "channel": {"01": "speech", "02": "song"},
        "emotion": {
            "01": "neutral",
            "02": "calm",
            "03": "happy",
            "04": "sad",
            "05": "angry",
            "06": "fear",
            "07": "disgust",
            "08": "surprise",
        },
        "intensity": {"01": "normal", "02": "strong"},
        "sentence": {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"},
    },
    genders={f"{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)},
    descr="""\
RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song

24 professional actors (12 women, 12 men; North American English) speak and sing two sentences
with eight emotions (six in song), each but neutral with normal and with strong intensity.
Speech: 1440 recordings, 60 per actor; song: 1012, actor 18 does not sing.

Citation: S. R. Livingstone and F. A. Russo (2018). The Ryerson Audio-Visual Database of Emotional
Speech and Song (RAVDESS). PLoS ONE 13(5), e0196391. doi:10.1371/journal.pone.0196391
Source: https://zenodo.org/records/1188976
Licence: CC BY-NC-SA 4.0, no commercial use
""",
)

CHANNEL = one_of("speech", "song", "both")


@complete_docstring(RAVDESS)
def load_ravdess(
    data_home: PathLike,
    *,
    channel: Literal["speech", "song", "both"] = "speech",
    return_X_y: bool = False,
) -> Any:
    """Load RAVDESS from a folder.

    Videos without sound are left out. Duplicates, as in the copies on Kaggle, count once, and so
    does a recording that is there as audio and as video (audio is preferred).
    """
    check_value("channel", channel, CHANNEL)
    return load_ravdess_files(data_home, channel=channel, return_X_y=return_X_y)


def load_ravdess_files(
    data_home: PathLike,
    *,
    channel: str = "speech",
    return_X_y: bool = False,
    files: Sequence[Path] | None = None,
) -> Any:
    """Load RAVDESS; ``files`` are its recordings if others are in the folder too."""
    recordings = read_names(RAVDESS, data_home, files)
    frame = recordings[recordings["modality"] != "video-only"]
    if channel != "both":
        frame = frame[frame["channel"] == channel]
    if frame.empty:
        kinds = (recordings["channel"] + " " + recordings["modality"]).value_counts(sort=False)
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        wanted = "speech or song" if channel == "both" else channel
        raise DataError(f"{data_home}: contains no {wanted} with sound, only {counts}")
    # A video and its audio-only copy are one recording; "audio-only" sorts before "audio-video".
    identity = [column for column in frame if column not in ("path", "modality")]
    frame = frame.sort_values(["modality", "path"]).drop_duplicates(identity)
    return make_corpus(frame.sort_values("path"), RAVDESS.descr, return_X_y)
