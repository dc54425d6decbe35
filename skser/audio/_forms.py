"""Forms of recordings that users give, as paths, bytes, segments and waveforms."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from .._utils._segment import Segment
from ..exceptions import DataError, SkserWarning
from ._clips import Clips, as_channels, identity, without_padding
from ._recordings import AnyRecording
from ._sampled import (
    MAX_CHANNELS,
    Waveform,
    as_array,
    check_rate,
    decoded,
    is_decoder,
    keys_of,
    opened_row,
    rate_and_array,
    warn_of_integers,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ._loader import AudioLoader


def as_recordings(X: object, name: str = "X") -> list[AnyRecording]:
    """Recordings as paths, bytes and float32 waveforms, with their rate if known, or DataError.

    Waveforms of several channels have the shape (n_samples, n_channels).
    """
    if isinstance(X, Clips):
        return list(_waveforms_of(X))
    single = isinstance(X, (str, bytes, os.PathLike)) or hasattr(X, "read") or is_decoder(X)
    ndim = getattr(X, "ndim", 1)
    if isinstance(X, Mapping):
        raise DataError(
            f"{name} must be a sequence of recordings, got a {type(X).__name__} of {keys_of(X)}"
        )
    if single or ndim == 0 or isinstance(X, Set) or not isinstance(X, Iterable):
        raise DataError(f"{name} must be a sequence of recordings, got {X!r:.200}")
    if rate_and_array(X) is not None:
        raise DataError(f"{name} must be a sequence of recordings, got one: put it in a list")
    if ndim == 2:
        X = as_array(X)
        if X.dtype.kind in "OUST":
            if X.shape[1] != 1:
                raise DataError(f"{name} must be one column of paths, got shape {X.shape}")
            X = X[:, 0]
        elif len(X) > MAX_CHANNELS * 100 and X.shape[1] <= MAX_CHANNELS:
            raise DataError(
                f"{name} must be a sequence of recordings, got a single waveform of shape "
                f"{X.shape}: put it in a list"
            )
    elif ndim == 1 and hasattr(X, "dtype") and _is_numeric(X):
        raise DataError(f"{name} must be a sequence of recordings, got a single waveform")
    recordings = [as_recording(item, i) for i, item in enumerate(X)]
    if not recordings:
        raise DataError(f"{name} must hold at least one recording, got none")
    arrays = [r.samples if isinstance(r, Waveform) else r for r in recordings]
    warn_of_integers([a for a in arrays if isinstance(a, np.ndarray)], name, stacklevel=3)
    return recordings


def as_recording(item: object, index: int) -> AnyRecording:
    """A recording as a path, bytes or a float32 waveform, with its rate if known, or DataError."""
    if isinstance(item, Segment):
        return item
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if isinstance(item, Waveform):
        return item
    if isinstance(item, Mapping):
        return as_recording(opened_row(item, f"recording {index}"), index)
    if isinstance(item, Clips) and len(item) == 1:
        return next(_waveforms_of(item))
    pair = decoded(item) if is_decoder(item) else rate_and_array(item)
    if pair is not None:
        rate, array = pair
        return Waveform(
            as_channels(cast("ArrayLike", array), index), check_rate(rate, f"waveform {index}")
        )
    if hasattr(item, "read"):
        return _content(cast("IO[Any]", item), index)
    if isinstance(item, (list, tuple)) and any(getattr(part, "ndim", 0) for part in item):
        if len(item) == 2 and not all(getattr(part, "ndim", 0) for part in item):
            rate = next(part for part in item if not getattr(part, "ndim", 0))
            check_rate(rate, f"waveform {index}")
        raise DataError(
            f"recording {index} must be a single recording, got a {type(item).__name__} of arrays; "
            "of stereo make one array, of shape (n_samples, 2)"
        )
    if isinstance(item, (list, tuple)) or getattr(item, "ndim", None):
        return as_channels(cast("ArrayLike", item), index)
    raise DataError(
        f"recording {index} must be a path, bytes, a file-like object or a waveform, got "
        f"{type(item).__name__} {item!r:.80}"
    )


def _waveforms_of(clips: Clips) -> Iterator[Waveform]:
    """The waveforms of clips, read one by one."""
    if clips.n_views > 1:
        raise DataError(f"clips must have one view each, got {clips!r}")
    sr = check_rate(clips.sr, "clips")
    if clips.read is identity and not clips.stages:
        return (Waveform(source, sr) for source in clips.sources)
    return (Waveform(without_padding(views[0]), sr) for views in clips)


def _is_numeric(X: object) -> bool:
    """Whether the type of the items is numbers; types of torch have no kind."""
    return getattr(X.dtype, "kind", "f") in "fiub"  # type: ignore[attr-defined]


def _content(file: IO[Any], index: int) -> bytes:
    """The rest of an open file, or all of it at its end; its position stays the same.

    A pipe or the answer of a server has no position and is read to its end.
    """
    if isinstance(file, io.TextIOBase):  # such as sys.stdin
        raise DataError(
            f"recording {index} is a file opened in text mode; open it with 'rb', or give .buffer"
        )
    try:
        is_seekable = _is_seekable(file)
        start = file.tell() if is_seekable else 0
        try:
            content = file.read()
            if not content and start:
                file.seek(0)
                content = file.read()
        finally:
            if is_seekable:
                file.seek(start)
    except ValueError as error:  # it is closed
        raise DataError(f"recording {index} is a file that cannot be read ({error})") from error
    if isinstance(content, bytes):
        return content
    if hasattr(content, "close") and hasattr(content, "__await__"):
        content.close()
        raise DataError(f"recording {index} is read by a coroutine; give its content, or its .file")
    raise DataError(
        f"recording {index} has a read() that must return bytes, got {type(content).__name__}"
    )


def _is_seekable(file: IO[Any]) -> bool:
    if hasattr(file, "seekable"):
        return file.seekable()
    return hasattr(file, "seek") and hasattr(file, "tell")  # SpooledTemporaryFile of Python 3.10


def have_rates(X: object, sr: int) -> bool:
    """Whether recordings, which are not read, have sampling rates, and not all had to be ``sr``."""
    if isinstance(X, Clips):
        return True
    if not isinstance(X, Collection):  # an iterator can be read only once
        return False
    if getattr(X, "ndim", 1) == 2:
        return as_array(X).dtype.kind in "OUST"  # a column of paths or rows
    # Any other collection, such as a column of `datasets`, may decode each item.
    items = X if isinstance(X, (list, tuple)) or hasattr(X, "dtype") else islice(X, 1)
    return not any(
        is_bare(item) or (isinstance(item, Waveform) and item.sr == sr) for item in items
    )


def is_bare(item: object) -> bool:
    """Whether a recording is a waveform without a sampling rate."""
    is_array = isinstance(item, (list, tuple)) or bool(getattr(item, "ndim", 0))
    return is_array and rate_and_array(item) is None


def warn_of_rate(loader: AudioLoader, recordings: Iterable[object], stacklevel: int) -> None:
    """Warn of waveforms without a rate if a loader was fitted on recordings that have one."""
    if getattr(loader, "knows_rates_", False) and any(map(is_bare, recordings)):
        warnings.warn(
            f"waveforms without a sampling rate are taken at sr={loader.sr} Hz, and the pipeline "
            "was fitted on recordings that have one; give (waveform, sr) instead",
            SkserWarning,
            stacklevel=stacklevel + 1,
        )
