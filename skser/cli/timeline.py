"""``skser timeline``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .predict import Model, Runtime


def timeline(
    model: Model,
    file: Annotated[Path, typer.Argument(help="Recording, which may be hours long.")],
    window: Annotated[float, typer.Option(help="Seconds that are heard for each row.")] = 3.0,
    hop: Annotated[float, typer.Option(help="Length of a row in seconds.")] = 1.0,
    smoothing: Annotated[
        float, typer.Option(help="Seconds to average probabilities over; 0 for none.")
    ] = 3.0,
    top_db: Annotated[
        float, typer.Option(help="What is so many dB below the loudest is silence.")
    ] = 40.0,
    csv: Annotated[Path | None, typer.Option(help="Rows, as a table.")] = None,
    json: Annotated[Path | None, typer.Option(help="Rows, as JSON.")] = None,
    png: Annotated[Path | None, typer.Option(help="A picture.")] = None,
    textgrid: Annotated[Path | None, typer.Option(help="A tier of intervals for Praat.")] = None,
    srt: Annotated[Path | None, typer.Option(help="Subtitles.")] = None,
    runtime: Runtime = "auto",
) -> None:
    """Emotions over the time of a recording: files of what is asked for, or a table.

    Example: skser timeline model.skser interview.mp3 --png interview.png --srt interview.srt
    """
    from .._models import load_model
    from ._timeline import run_timeline

    run_timeline(
        load_model(model, runtime=runtime),
        str(file),
        window=window,
        hop=hop,
        smoothing=smoothing,
        top_db=top_db,
        csv=csv,
        json=json,
        png=png,
        textgrid=textgrid,
        srt=srt,
        read=[model],
        say=typer.echo,
    )
