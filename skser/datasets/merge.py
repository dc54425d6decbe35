"""Merge corpora."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from ..exceptions import DataError
from ._corpus import listing, make_corpus


def merge_corpora(*corpora: Bunch, labels: Sequence[str] | None = None) -> Any:
    """Concatenate corpora.

    Speakers are identified by corpus and name: "01" of two corpora are two speakers, "ravdess-01"
    of RAVDESS speech and song, loaded separately, is one. Names without the corpus' name as prefix
    get it. If speakers are known for only some corpora, each of the rest counts as one speaker
    ("calls-unknown"), so that no speaker is in two groups.

    Parameters
    ----------
    *corpora : Bunch
        As returned by the loaders.
    labels : sequence of str or None, default=None
        Labels to keep; recordings with others are left out. None keeps all.

    Returns
    -------
    Bunch
        With paths, target, groups, frame and DESCR as from the loaders, in the given order. The
        frame has the columns of all corpora, NaN where a corpus lacks one.

    Raises
    ------
    DataError
        No corpora, an argument that is not a Bunch of files, a recording in two corpora, or a label
        that no recording has.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skser.datasets import load_emodb, load_emovo, merge_corpora
    >>> with tempfile.TemporaryDirectory() as german, tempfile.TemporaryDirectory() as italian:
    ...     Path(german, "03a01Fa.wav").touch()
    ...     Path(italian, "gio-f1-b1.wav").touch()
    ...     speech = merge_corpora(load_emodb(german), load_emovo(italian))
    >>> speech.target, speech.groups
    (array(['happy', 'happy'], dtype='<U5'), array(['emodb-03', 'emovo-f1'], dtype='<U8'))
    """
    if not corpora:
        raise DataError("merge_corpora needs at least one corpus, got none")
    for number, corpus in enumerate(corpora):
        if not isinstance(getattr(corpus, "frame", None), pd.DataFrame):
            raise DataError(
                f"merge_corpora needs a Bunch from a loader, without return_X_y; argument {number}"
                f" is a {type(corpus).__name__}"
            )
        if "path" not in corpus.frame:
            raise DataError(
                f"merge_corpora needs corpora of files; argument {number} has only waveforms"
            )
    frames = [corpus.frame for corpus in corpora]
    if any("speaker" in frame for frame in frames):
        frames = [frame.assign(speaker=_speakers(frame)) for frame in frames]
    merged = pd.concat(frames, ignore_index=True)
    places = merged.filter(["start", "end"]).assign(path=merged["path"].map(os.path.abspath))
    repeated = merged["path"][places.duplicated()]
    if len(repeated):
        raise DataError(
            f"{len(repeated)} of {len(merged)} recordings are in more than one corpus:"
            f" {listing(repeated)}"
        )
    if labels is not None:
        merged = _with_labels(merged, labels)
    return make_corpus(merged, "\n".join(dict.fromkeys(corpus.DESCR for corpus in corpora)))


def _with_labels(frame: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The rows with some labels; DataError for a label without rows."""
    known = sorted(frame["emotion"].unique())
    wanted = [labels] if isinstance(labels, str) else list(labels)
    unknown = [label for label in wanted if label not in known]
    if unknown or not wanted:
        got = repr(unknown[0]) if unknown else "none"
        raise DataError(f"labels must be of those of the corpora ({', '.join(known)}), got {got}")
    return frame[frame["emotion"].isin(wanted)].reset_index(drop=True)


def _speakers(frame: pd.DataFrame) -> list[str]:
    names = frame["speaker"] if "speaker" in frame else ["unknown"] * len(frame)
    return [
        name if name.startswith(f"{corpus}-") else f"{corpus}-{name}"
        for name, corpus in zip(names, frame["corpus"], strict=True)
    ]
