"""``skser info``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .predict import Model


def info(
    model: Model,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the model card (Markdown).")] = False,
) -> None:
    """Tell what a model was trained on, how good it is, and what it is not; nothing is loaded.

    Example: skser info model.skser
    """
    from .._models import check_is_model_file
    from ..exceptions import ParameterError
    from ..persistence import load_card
    from ..persistence.info import ModelInfo, read_manifest

    if as_json and card:
        raise ParameterError("--json and --card exclude each other, got both")
    check_is_model_file(model)
    if card:
        typer.echo(load_card(model).strip())
        return
    manifest, known = read_manifest(model)
    if as_json:
        content = {
            "classes": manifest["classes"],
            "versions": manifest["versions"],
            "info": None if known is None else known.to_dict(),
        }
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    typer.echo(f"labels: {', '.join(manifest['classes'])}")
    typer.echo(str(known or ModelInfo.nothing_known()))
    written = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    typer.echo(f"written with: {written}")
