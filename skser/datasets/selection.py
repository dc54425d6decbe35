"""Some clips of a corpus."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, _safe_indexing

from ..exceptions import DataError

# What has a value for each clip.
_OF_CLIPS = ("paths", "waveforms", "data", "target", "groups", "frame")


def select(speech: Bunch, mask: ArrayLike) -> Bunch:
    """Select clips of a corpus, such as those of some speakers or emotions.

    Parameters
    ----------
    speech : Bunch
        As returned by the loaders, or with ``waveforms`` or ``data`` in place of ``paths``.
    mask : array-like of bool of shape (n_clips,)
        True for the clips to keep, such as a comparison of a column of ``speech.frame``.

    Returns
    -------
    Bunch
        The same attributes, in the same order of clips. The rows of ``frame`` are numbered anew.

    Raises
    ------
    DataError
        ``speech`` is not a Bunch with ``target``, or ``mask`` is not a boolean for each clip, or
        selects none.

    See Also
    --------
    merge_corpora : Concatenate corpora, and keep some labels.

    Examples
    --------
    >>> from skser.datasets import make_emotional_speech, select
    >>> speech = make_emotional_speech(n_speakers=2, n_sentences=1, n_takes=1, random_state=0)
    >>> women = select(speech, speech.frame["gender"] == "female")
    >>> len(speech.waveforms), len(women.waveforms)
    (12, 6)
    >>> select(women, women.frame["emotion"].isin(["angry", "sad"])).target
    array(['sad', 'angry'], dtype='<U7')
    """
    if not isinstance(speech, Bunch) or "target" not in speech:
        raise DataError(
            "speech must be a Bunch from a loader, without return_X_y, got a "
            f"{type(speech).__name__}"
        )
    n_clips = len(speech["target"])
    keep = np.asarray(mask)
    if keep.dtype != bool or keep.shape != (n_clips,):
        raise DataError(
            f"mask must be a boolean for each of {n_clips} clips, got {keep.dtype} of shape "
            f"{keep.shape}"
        )
    if not keep.any():
        raise DataError(f"mask must select at least one clip, got none of {n_clips}")
    clips = np.flatnonzero(keep)
    parts = {
        name: _safe_indexing(value, clips) if name in _OF_CLIPS and value is not None else value
        for name, value in speech.items()
    }
    if isinstance(frame := parts.get("frame"), pd.DataFrame):
        parts["frame"] = frame.reset_index(drop=True)
    return Bunch(**parts)
