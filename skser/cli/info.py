"""``skser info``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from ._options import JsonPath, Model


def info(
    model: Model,
    json: JsonPath = None,
    card: Annotated[
        Path | None, typer.Option(help="Write the model card (Markdown) to this path.")
    ] = None,
) -> None:
    """Show the training data, score and limits of a model, without loading it.

    Writes JSON or the model card to its PATH (- is standard output), or prints a summary.

    Example: skser info model.skser --card README.md
    """
    from ..persistence import ModelInfo, _container, load_card
    from ..persistence._card import describe_included
    from ..persistence._info import describe_model, encoders_in, info_in
    from ._outputs import Outputs

    outputs = Outputs([model], json=json, card=card)
    manifest, _ = _container.read(model)
    known, encoders = info_in(model, manifest), encoders_in(model, manifest)
    content = describe_model(model, manifest)
    texts = {
        "json": lambda: json_format.dumps(content, indent=2, ensure_ascii=False),
        "card": lambda: load_card(model).strip(),
    }
    for name in outputs.paths:
        with outputs.open(name) as output:
            output.write(f"{texts[name]()}\n".encode())
    if not outputs.paths:
        versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
        typer.echo(f"labels: {', '.join(content['classes'])}")
        for encoder in encoders:
            typer.echo(f"pre-trained encoder: {describe_included(encoder)}")
        typer.echo(str(known or ModelInfo({})))
        typer.echo(f"written with: {versions}")
