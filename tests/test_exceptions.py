import pickle

import joblib
import pytest
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from skser import exceptions
from skser.exceptions import SkserError, SkserWarning

BUILT_IN = {
    "AudioError": ValueError,
    "AudioIsADirectoryError": IsADirectoryError,
    "AudioNotFoundError": FileNotFoundError,
    "AudioPermissionError": PermissionError,
    "ClusterError": ConnectionError,
    "ConversionError": TypeError,
    "CorpusNotFoundError": FileNotFoundError,
    "DataError": ValueError,
    "DownloadError": ConnectionError,
    "ExtractionError": RuntimeError,
    "MissingDependencyError": ImportError,
    "NotFittedError": SklearnNotFittedError,
    "ParameterError": ValueError,
    "ModelError": ValueError,
    "StudyError": ValueError,
}
WARNINGS = {"SkserWarning", "AudioWarning", "LeakageWarning"}


def test_none_is_forgotten():
    assert set(exceptions.__all__) == {*BUILT_IN, *WARNINGS, "SkserError"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_can_be_caught_both_ways(name):
    kind = getattr(exceptions, name)
    for caught in (SkserError, BUILT_IN[name]):
        with pytest.raises(caught, match=r"^a\.wav: is bad$"):
            raise kind("a.wav: is bad")


def test_errors_of_files_are_data_errors():
    for name in BUILT_IN:
        if name.startswith("Audio"):
            assert issubclass(getattr(exceptions, name), exceptions.AudioError)
    assert issubclass(exceptions.AudioError, exceptions.DataError)
    assert issubclass(exceptions.CorpusNotFoundError, exceptions.DataError)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_pickles(name):
    error = getattr(exceptions, name)("a.wav: is bad")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == "a.wav: is bad"


@pytest.mark.parametrize("name", exceptions.__all__)
def test_is_made_by_new(name):
    """As dask (tblib) unpickles."""
    kind = getattr(exceptions, name)
    error = kind.__new__(kind)
    error.args = ("a.wav: is bad",)
    assert str(error) == "a.wav: is bad"


def fail(kind):
    raise kind("a.wav: is bad")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AudioNotFoundError", "NotFittedError"])
def test_comes_out_of_a_worker(name):
    kind = getattr(exceptions, name)
    with pytest.raises(kind, match=r"^a\.wav: is bad$"):
        joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(fail)(kind)] * 2)


def test_warnings():
    assert issubclass(SkserWarning, UserWarning)
    assert issubclass(exceptions.AudioWarning, SkserWarning)


def test_an_interruption_in_compiled_code_is_not_of_the_recording():
    with pytest.raises(KeyboardInterrupt), exceptions.naming("a.wav"):
        raise SystemError("a result with an exception set") from KeyboardInterrupt()
    first, second = SystemError("while unpacking"), SystemError("a result with an exception set")
    first.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), exceptions.naming("a.wav"):
        raise second from first
