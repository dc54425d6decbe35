"""Several corpora as one."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from ..exceptions import DataError
from ._corpus import listing, make_corpus


def merge_corpora(*corpora: Any) -> Any:
    """Put corpora one after the other.

    A speaker is told by corpus and name: "01" of two corpora are two speakers, "ravdess-01" of
    RAVDESS speech and of RAVDESS song, loaded apart, is one. Where a speaker's name does not begin
    with the corpus' name, that is put in front. If speakers are known for some corpora only, each
    of the others counts as one speaker ("calls-unknown"), so that no voice can be in two groups.

    Parameters
    ----------
    *corpora : Bunch
        What loaders return.

    Returns
    -------
    Bunch
        With paths, target, groups, frame and DESCR as from the loaders, in the order given. The
        frame has the columns of all; where a corpus lacks one, its values are NaN.

    Raises
    ------
    DataError
        No corpora, something else than a Bunch, or a recording is in more than one.

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
                f"merge_corpora needs what loaders return without return_X_y, and argument"
                f" {number} is a {type(corpus).__name__}"
            )
        if "path" not in corpus.frame:
            raise DataError(
                f"merge_corpora needs corpora of files, and argument {number} has waveforms only"
            )
    frames = [corpus.frame for corpus in corpora]
    if any("speaker" in frame for frame in frames):
        frames = [frame.assign(speaker=_speakers(frame)) for frame in frames]
    merged = pd.concat(frames, ignore_index=True)
    repeated = merged["path"][merged["path"].map(os.path.abspath).duplicated()]
    if len(repeated):
        raise DataError(
            f"{len(repeated)} of {len(merged)} recordings are in more than one corpus:"
            f" {listing(repeated)}"
        )
    return make_corpus(merged, "\n".join(dict.fromkeys(corpus.DESCR for corpus in corpora)))


def _speakers(frame: pd.DataFrame) -> list[str]:
    names = frame["speaker"] if "speaker" in frame else ["unknown"] * len(frame)
    return [
        name if name.startswith(f"{corpus}-") else f"{corpus}-{name}"
        for name, corpus in zip(names, frame["corpus"], strict=True)
    ]
