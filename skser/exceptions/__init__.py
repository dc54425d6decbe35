"""Errors and warnings of skser.

Every error derives from :class:`SkserError` and from the built-in (or scikit-learn) class that
callers already catch, so both ``except SkserError`` and ``except FileNotFoundError`` work. A class
of OSError comes first among the bases, because dask unpickles by ``__new__``, which OSError has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._not_fitted import NotFittedError

__all__ = [
    "AudioError",
    "AudioNotFoundError",
    "AudioIsADirectoryError",
    "AudioPermissionError",
    "AudioWarning",
    "ClusterError",
    "ConversionError",
    "CorpusNotFoundError",
    "DataError",
    "DownloadError",
    "ExtractionError",
    "LeakageWarning",
    "MissingDependencyError",
    "ModelError",
    "NotFittedError",
    "ParameterError",
    "SkserError",
    "SkserWarning",
    "StudyError",
]


class SkserError(Exception):
    """Base class of all errors that skser raises on purpose."""


class ParameterError(SkserError, ValueError):
    """A parameter has a value that is not allowed."""


class DataError(SkserError, ValueError):
    """Labels, features, waveforms or a corpus are invalid."""


class ConversionError(SkserError, TypeError):
    """Clips or features cannot be converted to an array."""


class AudioError(DataError):
    """A recording cannot be used; the message names it and says why."""


class AudioNotFoundError(FileNotFoundError, AudioError):
    """A recording does not exist."""


class AudioIsADirectoryError(IsADirectoryError, AudioError):
    """The path of a recording is a directory."""


class AudioPermissionError(PermissionError, AudioError):
    """The permission to read a recording is missing."""


class CorpusNotFoundError(FileNotFoundError, DataError):
    """The folder or table of a corpus does not exist."""


class ClusterError(ConnectionError, SkserError):
    """A Dask cluster is lost, or its workers die or cannot run tasks; the message says which."""


class DownloadError(ConnectionError, DataError):
    """A download failed; the message says how much of the file arrived."""


class ExtractionError(SkserError, RuntimeError):
    """A feature block or a stage failed; the message names the recording and the first error."""


class MissingDependencyError(SkserError, ImportError):
    """An optional package that is needed is not installed."""


class ModelError(SkserError, ValueError):
    """A model file cannot be written or loaded; the message names it and says why."""


class StudyError(SkserError, ValueError):
    """A study, or its storage, cannot be used; the message says why."""


class SkserWarning(UserWarning):
    """Base class of all warnings that skser issues."""


class LeakageWarning(SkserWarning):
    """Speakers or recordings are both trained on and tested, which inflates scores."""


class AudioWarning(SkserWarning):
    """Recordings are silent, or unusable ones were replaced by silence."""


def __getattr__(name: str) -> type[SkserError]:
    # Its base is a class of scikit-learn, which prediction from a model file does not import.
    if name == "NotFittedError":
        from ._not_fitted import NotFittedError

        return NotFittedError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class naming:
    """Put a name before the messages of errors, except of AudioError, which has one.

    Errors of a model or of its download are not of the recording that it was to predict first.
    Errors of other packages become ExtractionError, since a worker may be unable to send them.
    """

    # Not a generator: contextlib takes an error caused by StopIteration for StopIteration itself.
    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, (AudioError, DownloadError, MemoryError, ModelError)):
            return
        if isinstance(error, SkserError):
            error.args = (f"{self.name}: {error}",)
        elif isinstance(error, Exception):
            cause = error.__cause__  # of compiled code: a SystemError, perhaps of another one
            while cause is not None and not isinstance(cause, KeyboardInterrupt):
                cause = cause.__cause__
            if cause is not None:
                raise cause
            raise ExtractionError(f"{self.name}: {type(error).__name__}: {error}") from error
