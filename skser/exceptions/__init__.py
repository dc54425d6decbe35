"""Errors and warnings of skser.

Every error derives from :class:`SkserError` and from the built-in (or scikit-learn) class that
callers already catch, so both ``except SkserError`` and ``except FileNotFoundError`` work. Classes
of OSError come first among the bases: dask unpickles with ``__new__``, and theirs is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._not_fitted import NotFittedError

__all__ = [
    "AudioError",
    "AudioNotFoundError",
    "AudioIsADirectoryError",
    "AudioPermissionError",
    "AudioWarning",
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
    """Labels, features, waveforms or a corpus are not what is needed."""


class ConversionError(SkserError, TypeError):
    """Clips or features are not what an array can hold."""


class AudioError(DataError):
    """A recording cannot be used; the message names it and says why."""


class AudioNotFoundError(FileNotFoundError, AudioError):
    """A recording does not exist."""


class AudioIsADirectoryError(IsADirectoryError, AudioError):
    """A path names a directory and not a recording."""


class AudioPermissionError(PermissionError, AudioError):
    """A recording may not be read."""


class CorpusNotFoundError(FileNotFoundError, DataError):
    """The folder or table of a corpus does not exist."""


class DownloadError(ConnectionError, DataError):
    """A file could not be downloaded, or not to its end; the message says how far it came."""


class ExtractionError(SkserError, RuntimeError):
    """A feature block or a stage failed; the message names the recording and the first error."""


class MissingDependencyError(SkserError, ImportError):
    """An optional package is needed and not installed."""


class ModelError(SkserError, ValueError):
    """A model file cannot be written or loaded; the message names it and says why."""


class StudyError(SkserError, ValueError):
    """A study, or the storage that it is in, cannot be worked on; the message says why."""


class SkserWarning(UserWarning):
    """Base class of all warnings that skser issues."""


class LeakageWarning(SkserWarning):
    """Speakers or recordings are on both sides of a split, so that its scores flatter."""


class AudioWarning(SkserWarning):
    """Recordings that could not be used were replaced by silence."""


def __getattr__(name: str) -> Any:
    # scikit-learn's class is its base, and prediction from a model file does without scikit-learn.
    if name == "NotFittedError":
        from ._not_fitted import NotFittedError

        return NotFittedError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class naming:
    """Context that puts a name before the messages of errors.

    Errors of skser keep their class. Others become ExtractionError, since a worker may not be able
    to send back errors of other packages. An AudioError has the name of its recording already.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, (AudioError, MemoryError)):
            return
        if isinstance(error, SkserError):
            error.args = (f"{self.name}: {error}",)
        elif isinstance(error, Exception):
            message = f"{self.name}: {type(error).__name__}: {error}"
            raise ExtractionError(message) from error
