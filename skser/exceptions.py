"""Errors and warnings of skser.

Every error derives from :class:`SkserError` and from the built-in (or scikit-learn) class that
callers already catch, so both ``except SkserError`` and ``except FileNotFoundError`` work. Classes
of OSError come first among the bases: dask unpickles with ``__new__``, and theirs is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.exceptions import NotFittedError as _SklearnNotFittedError

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


if TYPE_CHECKING:

    class NotFittedError(SkserError, _SklearnNotFittedError):
        """An estimator was used before ``fit``."""


def __getattr__(name: str) -> Any:
    # scikit-learn's class is a base of one, and prediction from a model file does without it.
    if name != "NotFittedError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sklearn.exceptions import NotFittedError as sklearn_error

    doc = "An estimator was used before ``fit``."
    found = type(name, (SkserError, sklearn_error), {"__doc__": doc, "__module__": __name__})
    globals()[name] = found
    return found


class naming:
    """Context that puts a name before the message of whatever is raised in it.

    Errors of skser keep their class, others become ExtractionError, since a class of anyone's
    may not survive the way from a worker. An AudioError names its recording already.
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
