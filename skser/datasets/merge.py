"""Merge corpora."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from ..exceptions import DataError
from ._corpus import listing, make_corpus, make_waveform_corpus


def merge_corpora(*corpora: Bunch, labels: Sequence[str] | None = None) -> Any:
    """Concatenate corpora.

    Speakers are identified by corpus and name: "01" of two corpora are two speakers, "ravdess-01"
    of RAVDESS speech and song, loaded separately, is one. Names without the corpus' name as prefix
    get it. If speakers are known for only some corpora, each of the rest counts as one speaker
    ("calls-unknown"), so that no speaker is in two groups.

    Parameters
    ----------
    *corpora : Bunch
        As returned by the loaders; all of files, or all with ``waveforms``, as
        :func:`make_emotional_speech` returns them.
    labels : sequence of str or None, default=None
        Labels to keep; recordings with others are left out. None keeps all.

    Returns
    -------
    Bunch
        With paths, target, groups, frame and DESCR as from the loaders, in the given order. The
        frame has the columns of all corpora, NaN where a corpus lacks one. Corpora of waveforms
        give waveforms in place of paths, with their common ``sr``; if it differs, the waveforms are
        pairs ``(waveform, sr)``.

    Raises
    ------
    DataError
        No corpora, an argument that is not a Bunch with a frame, features, both files and
        waveforms, a recording in two corpora, or a label that no recording has.

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
    in_memory = _are_waveforms(corpora)
    frames = [corpus.frame for corpus in corpora]
    rates = {corpus.get("sr") for corpus in corpora}
    if in_memory:
        frames = [_with_waveforms(corpus, has_pairs=len(rates) > 1) for corpus in corpora]
    if any("speaker" in frame for frame in frames):
        frames = [frame.assign(speaker=_speakers(frame)) for frame in frames]
    merged = pd.concat(frames, ignore_index=True)
    place = _address if in_memory else os.path.abspath
    places = merged.filter(["start", "end"]).assign(path=merged["path"].map(place))
    repeated = merged["path"][places.duplicated()]
    if len(repeated):
        names = [f"waveform {i}" for i in repeated.index] if in_memory else repeated
        raise DataError(
            f"{len(repeated)} of {len(merged)} recordings are in more than one corpus:"
            f" {listing(names)}"
        )
    if labels is not None:
        merged = _with_labels(merged, labels)
    descr = "\n".join(dict.fromkeys(corpus.get("DESCR", "") for corpus in corpora))
    if not in_memory:
        return make_corpus(merged, descr)
    waveforms = merged.pop("path").tolist()
    sr = rates.pop() if len(rates) == 1 else None
    return make_waveform_corpus(merged, descr, waveforms, sr)


def _are_waveforms(corpora: Sequence[Bunch]) -> bool:
    """Whether corpora have waveforms in place of paths; DataError if they cannot be merged."""
    if not corpora:
        raise DataError("merge_corpora needs at least one corpus, got none")
    for number, corpus in enumerate(corpora):
        if not isinstance(getattr(corpus, "frame", None), pd.DataFrame):
            raise DataError(
                f"merge_corpora needs a Bunch from a loader, without return_X_y; argument {number}"
                f" is a {type(corpus).__name__}"
            )
        missing = [name for name in ("emotion", "corpus") if name not in corpus.frame]
        if missing:
            raise DataError(
                f"merge_corpora needs a column {missing[0]} in each frame; argument {number} has "
                f"{', '.join(map(str, corpus.frame))}"
            )
        if "data" in corpus:
            raise DataError(f"merge_corpora merges no features, argument {number} has data")
        if "path" in corpus.frame:
            continue
        if "waveforms" not in corpus:
            raise DataError(f"merge_corpora needs paths or waveforms; argument {number} has none")
        if len(corpus["waveforms"]) != len(corpus.frame):
            raise DataError(
                f"merge_corpora needs a row of the frame for each waveform; argument {number} has "
                f"{len(corpus['waveforms'])} waveforms and {len(corpus.frame)} rows"
            )
    in_memory = ["path" not in corpus.frame for corpus in corpora]
    if len(set(in_memory)) > 1:
        raise DataError(
            "merge_corpora needs corpora that all have paths or all have waveforms; argument "
            f"{in_memory.index(False)} has paths, argument {in_memory.index(True)} has waveforms"
        )
    return in_memory[0]


def _with_waveforms(corpus: Bunch, has_pairs: bool) -> pd.DataFrame:
    """The frame with waveforms, or pairs of them and their rate, in the place of paths."""
    sr = corpus.get("sr") if has_pairs else None
    waveforms = [w if sr is None else (w, sr) for w in corpus["waveforms"]]
    return corpus.frame.assign(path=pd.Series(waveforms, index=corpus.frame.index, dtype=object))


def _address(waveform: Any) -> int:
    """Where the samples are in memory, also of a row of an array or a pair with the rate."""
    samples = waveform[0] if isinstance(waveform, tuple) else waveform
    is_array = isinstance(samples, np.ndarray)
    return int(samples.__array_interface__["data"][0]) if is_array else id(samples)


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
