"""PredictionProcesses: processes that predict files, and survive a file that ends one of them.

A process reads lists of files on its standard input, a JSON array a line, and writes the emotions,
then a line for each file as soon as it is predicted. So a file that crashes a decoder is known.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import exceptions
from ..exceptions import DataError, ModelError, SkserError
from ._batches import Prediction

COLUMNS = ("file", "emotion", "silence", "ood_reasons", "error")  # beside the emotions
_IDLE_S = 600.0  # after which a process ends; its owner may have been killed
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_START = "import sys; sys.path[:] = {!r}; from {} import main; main()"


class Ended(Exception):
    """The processes were ended during a prediction."""


class PredictionProcesses:
    """As many processes as calls of `predict` at a time; each loads the model once."""

    def __init__(self, model: Path, *, runtime: str, trusted: Sequence[str]) -> None:
        self._arguments = [str(model), runtime, *trusted]
        self._lock = threading.Lock()
        self._all: list[_Process] = []
        self._idle: list[_Process] = []
        self._is_ended = False

    def predict(self, files: Sequence[str]) -> bytes:
        """A line with the emotions, and a line for each file, as JSON.

        After a crash, the files left are predicted one at a time; one that crashes twice has that
        as its error.
        """
        with self._lock:
            if self._is_ended:
                raise Ended
            if not self._idle:
                self._all.append(_Process(self._arguments))
                self._idle.append(self._all[-1])
            process = self._idle.pop()
        try:
            return process.predict(files)
        finally:
            with self._lock:
                self._idle.append(process)

    def end(self) -> None:
        """End the processes; predictions in other threads raise `Ended`."""
        with self._lock:
            self._is_ended = True
            for process in self._all:
                process.end()


class _Process:
    """A process that is started when it is needed."""

    def __init__(self, arguments: Sequence[str]) -> None:
        program = _START.format(sys.path, __name__)
        self._command = [sys.executable, "-c", program, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._emotions = b""
        self._lock = threading.Lock()  # no start after the end
        self._is_ended = False

    def predict(self, files: Sequence[str]) -> bytes:
        try:
            return self._predict(files)
        except ValueError:
            if self._is_ended:  # its pipes were closed
                raise Ended from None
            raise

    def _predict(self, files: Sequence[str]) -> bytes:
        lines = self._ask(files)
        while len(lines) < len(files):  # it died
            file = [files[len(lines)]]
            lines += self._ask(file) or self._ask(file) or [self._crash()]
        return b"".join([self._emotions, *lines])

    def end(self) -> None:
        with self._lock:
            self._is_ended = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                _close(self._process)

    def _ask(self, files: Sequence[str]) -> list[bytes]:
        """Answers of the process, fewer than files if it has died."""
        process = self._running()
        assert process.stdin is not None  # of Popen: both are pipes
        try:
            process.stdin.write(_line(files))
            process.stdin.flush()
        except OSError:  # it has died since
            process.wait()
            return []
        lines: list[bytes] = []
        while len(lines) < len(files) and (line := self._read(process)) is not None:
            lines.append(line)
        return lines

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        with self._lock:
            if self._is_ended:
                raise Ended
            if self._process is not None:
                _close(self._process)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**dict.fromkeys(_ONE_THREAD, "1"), **os.environ},
                start_new_session=True,  # Ctrl-C is for the owner, which ends it
            )
        emotions = self._read(self._process)
        if emotions is None:
            raise ModelError(
                f"{self._command[3]}: the process that loads the model ended ({self._end()})"
            )
        self._emotions = emotions
        return self._process

    def _read(self, process: subprocess.Popen[bytes]) -> bytes | None:
        """A line of the process, or None if it has died."""
        assert process.stdout is not None
        line = process.stdout.readline()
        if line.startswith(b'{"failed"'):
            name, message = json.loads(line)["failed"]
            raise getattr(exceptions, name)(message)
        if line.endswith(b"\n"):
            return line
        if self._is_ended:
            raise Ended
        process.wait()  # else it could seem to run
        return None

    def _crash(self) -> bytes:
        return _line({"error": f"crashes the prediction ({self._end()})"})

    def _end(self) -> str:
        """How it ended."""
        assert self._process is not None
        code = self._process.wait()
        if code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipes of a process that has ended."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(OSError):  # it did not read all
            pipe.close()


def main() -> None:
    """The process: predict until its standard input ends."""
    from ._model_file import open_model

    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not get between
    warnings.simplefilter("ignore")
    model, runtime, *trusted = sys.argv[1:]
    try:
        classes, predict = open_model(Path(model), runtime=runtime, trusted=trusted)
        _check_names(model, classes)
        answers.write(_line(classes))
        while line := _next_line():
            for prediction in predict(json.loads(line)):
                answers.write(_line(_row(prediction)))
    except BrokenPipeError:
        pass  # its owner has ended
    except SkserError as error:
        kinds = (kind.__name__ for kind in type(error).__mro__)
        public = next(name for name in kinds if name in exceptions.__all__)
        answers.write(_line({"failed": [public, str(error)]}))


def _next_line() -> bytes:
    timer = threading.Timer(_IDLE_S, os._exit, [0])
    timer.daemon = True
    timer.start()
    line = sys.stdin.buffer.readline()
    timer.cancel()
    return line


def _check_names(model: str, classes: Sequence[str]) -> None:
    for name in classes:
        if name in COLUMNS:
            raise DataError(f"{model}: has an emotion {name!r}, which is another column's name")


def _row(prediction: Prediction) -> dict[str, Any]:
    """The prediction, without what is as usual."""
    numbers = prediction.probabilities
    row = {
        "probabilities": None if numbers is None else [float(p) for p in numbers],
        "silence": prediction.silence,
        "ood_reasons": "; ".join(prediction.ood_reasons),
        "error": prediction.error,
    }
    return {name: value for name, value in row.items() if value}


def _line(content: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"
