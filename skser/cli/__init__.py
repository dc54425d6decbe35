"""The command line, a module for each command, which imports what it needs when it is called.

One rule for outputs: an option named after a format (``--csv``, ``--json``, ``--png``, ...) takes a
PATH, and ``-`` is standard output; ``--out`` takes the file or folder that the command is for.
Results go to standard output and problems to standard error.
"""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Annotated

import typer

from . import cache, datasets
from ._demo import demo
from ._signals import ended_by_signals
from .adapt import adapt
from .evaluate import evaluate
from .export import export
from .info import info
from .live import live
from .plot import plot
from .predict import predict
from .serve import serve
from .timeline import timeline
from .train import train
from .tune import tune

app = typer.Typer(
    name="skser",
    help="Speech emotion recognition in one scikit-learn pipeline.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
COMMANDS = (
    demo,
    train,
    adapt,
    evaluate,
    tune,
    predict,
    timeline,
    live,
    serve,
    info,
    export,
    plot,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(datasets.app, name="datasets")
app.add_typer(cache.app, name="cache")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if show:
        from .. import __version__

        typer.echo(f"skser {__version__}")
        raise typer.Exit


class _Warnings:
    """Prints each warning once, in one line, without the place in the code."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def show(self, message: Warning | str, *_: object, **__: object) -> None:
        """In place of ``warnings.showwarning``, which forgets what it showed between filters."""
        text = f"skser: warning: {message}"
        if text not in self._shown:
            self._shown.add(text)
            typer.echo(text, err=True)


def main() -> None:
    """Entry point of the ``skser`` command; an error is one line, and exits with 1."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # names of files are bytes
    try:
        with warnings.catch_warnings(), ended_by_signals():
            warnings.showwarning = _Warnings().show
            try:
                app()
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe
        _drop_output()
        sys.exit(1)
    except Exception as error:
        # Errors import scikit-learn, so they are imported only when there is one.
        from ..exceptions import SkserError

        if not isinstance(error, SkserError):
            if not isinstance(error, OSError):
                raise
            _drop_output()  # the disk may be full
        typer.echo(f"skser: error: {error}", err=True)
        sys.exit(1)


def _drop_output() -> None:
    """Keep Python from writing the rest of the output again at exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
