"""``skser serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ._options import Runtime, Trust


def serve(
    models: Annotated[list[Path], typer.Argument(help="Model files of `skser train`.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is a free one.")] = 8000,
    runtime: Runtime = "auto",
    trust: Trust = None,
) -> None:
    """Answer requests over HTTP, with a page in the browser.

    The first model answers requests that name none.

    Example: skser serve model.skser
    """
    # Each request has a thread; more threads for each would only get into each other's way.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from ..exceptions import MissingDependencyError

    try:
        import uvicorn

        from ..serving import create_app
        from ..serving._models import ServedModel
    except ImportError as error:
        raise MissingDependencyError(
            f"skser serve needs {error.name}: python -m pip install 'skser[serve]'"
        ) from None
    app = create_app([ServedModel(path, runtime=runtime, trusted=trust or []) for path in models])
    uvicorn.run(app, host=host, port=port, access_log=False)
