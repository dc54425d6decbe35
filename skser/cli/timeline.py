"""``skser timeline``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import CsvPath, JsonPath, Model, Runtime


def timeline(
    model: Model,
    file: Annotated[Path, typer.Argument(help="Recording, of any length.")],
    window: Annotated[float, typer.Option(help="Seconds of audio for each row.")] = 3.0,
    hop: Annotated[float, typer.Option(help="Seconds from one row to the next.")] = 1.0,
    smoothing: Annotated[
        float, typer.Option(help="Seconds to average probabilities over; 0 for none.")
    ] = 3.0,
    top_db: Annotated[
        float, typer.Option(help="Level of silence, in dB below the loudest part.")
    ] = 40.0,
    csv: CsvPath = None,
    json: JsonPath = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture to this path.")] = None,
    textgrid: Annotated[
        Path | None, typer.Option(help="Write a TextGrid of Praat to this path.")
    ] = None,
    srt: Annotated[Path | None, typer.Option(help="Write subtitles to this path.")] = None,
    runtime: Runtime = "auto",
) -> None:
    """Predict emotions over the time of a recording.

    Writes each requested format to its PATH (- is standard output), or prints a table of segments.

    Example: skser timeline model.skser interview.mp3 --png interview.png --srt interview.srt
    """
    from .._models import load_model
    from ..timeline import predict_timeline
    from ._outputs import Outputs
    from ._timeline_formats import FORMATS, format_segments

    outputs = Outputs([file, model], csv=csv, json=json, png=png, textgrid=textgrid, srt=srt)
    table = predict_timeline(
        load_model(model, runtime=runtime),
        str(file),
        window=window,
        hop=hop,
        smoothing=smoothing,
        top_db=top_db,
        verbose=1,
    )
    for name in outputs.paths:
        with outputs.open(name) as output:
            output.write(FORMATS[name](table))
    if not outputs.paths:
        typer.echo(format_segments(table))
