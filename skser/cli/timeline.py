"""``skser timeline``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ._options import CsvPath, JsonPath, Model, Runtime, Trust

if TYPE_CHECKING:
    import pandas as pd


def timeline(
    model: Model,
    file: Annotated[str, typer.Argument(help="Recording, of any length; - for stdin.")],
    window: Annotated[float, typer.Option(help="Seconds of audio for each row.")] = 3.0,
    hop: Annotated[float, typer.Option(help="Seconds from one row to the next.")] = 1.0,
    smoothing: Annotated[float, typer.Option(help="Seconds to average over; 0 for none.")] = 3.0,
    top_db: Annotated[float, typer.Option(help="Level of silence, dB below the loudest.")] = 40.0,
    channel: Annotated[
        str | None,
        typer.Option(help="mean, a channel's number from 0, or each; as in training by default."),
    ] = None,
    csv: CsvPath = None,
    json: JsonPath = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture to this path.")] = None,
    textgrid: Annotated[Path | None, typer.Option(help="Write a TextGrid to this path.")] = None,
    srt: Annotated[Path | None, typer.Option(help="Write subtitles to this path.")] = None,
    runtime: Runtime = "auto",
    trust: Trust = None,
) -> None:
    """Predict emotions over the time of a recording.

    Writes each requested format to its PATH (- is standard output), or prints a table of segments.

    Example: skser timeline model.skser interview.mp3 --png interview.png --srt interview.srt

    Example: skser timeline model.skser call.wav --channel each
    """
    from ..inference import predict_timeline, to_srt, to_textgrid
    from ..inference._timeline_formats import to_csv, to_json
    from ..persistence._any_model import load_model
    from ._outputs import Outputs
    from ._stdin import recording_of

    outputs = Outputs([file, model], csv=csv, json=json, png=png, textgrid=textgrid, srt=srt)
    pipeline = load_model(model, runtime=runtime, trusted=trust or [])
    with recording_of(file) as recording:
        table = predict_timeline(
            pipeline,
            recording,
            window=window,
            hop=hop,
            smoothing=smoothing,
            top_db=top_db,
            channel=cast(Any, int(channel) if channel and channel.isdecimal() else channel),
            verbose=1,
        )
    texts = {"csv": to_csv, "json": to_json, "textgrid": to_textgrid, "srt": to_srt}
    for name in outputs.paths:
        with outputs.open(name) as output:
            output.write(_png(table) if name == "png" else texts[name](table).encode())
    if not outputs.paths:
        typer.echo(segments_text(table))


def segments_text(timeline: pd.DataFrame) -> str:
    """The segments of a timeline as a table; silence has no emotion."""
    from ..inference import segments

    table = segments(timeline).drop(columns="silence")
    table["emotion"] = table["emotion"].fillna("-")
    formatters: Any = dict.fromkeys(("start", "end", "probability"), "{:.2f}".format)
    return table.to_string(index=False, formatters=formatters, na_rep="-")


def _png(timeline: pd.DataFrame) -> bytes:
    from matplotlib.figure import Figure

    from ..plotting import TimelineDisplay

    display = TimelineDisplay(timeline)
    # A figure without pyplot, which would open a window.
    figure = Figure(figsize=display._figure_size(), layout="constrained")
    display.plot(ax=list(figure.subplots(display.n_channels, squeeze=False)[:, 0]))
    content = io.BytesIO()
    figure.savefig(content, dpi=150, format="png")
    return content.getvalue()
