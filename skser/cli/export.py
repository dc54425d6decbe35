"""``skser export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Model, Trust


def export(
    model: Model,
    out: Annotated[Path, typer.Option(help="Folder to write to; it must be new or empty.")],
    trust: Trust = None,
) -> None:
    """Write the network of a model for programs that read Keras or ONNX files.

    Writes model.json and weights.h5, model.keras, model.onnx (with the extra onnx), scaler.joblib,
    encoder.joblib and model_metadata.json.

    Example: skser export model.skser --out exported
    """
    from ..persistence import export as write
    from ..persistence._any_model import load_model

    for path in write(load_model(model, trusted=trust or []), out):
        typer.echo(f"wrote {path}")
