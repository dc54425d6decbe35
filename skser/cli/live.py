"""``skser live``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import Model, Runtime, Trust
from ._signals import asked_to_end

if TYPE_CHECKING:
    import numpy as np

    from ..inference import TimelineRow
    from ._live_outputs import View

_TOO_SLOW = "a longer --hop, or a model of `skser train --recipe functionals`, needs less"


def _list_devices(is_asked: bool) -> None:
    if not is_asked:
        return
    from ..audio._microphone import input_devices

    for device in input_devices():
        mark = "*" if device.is_default else " "
        channels = f"{device.n_channels} channel{'s' if device.n_channels > 1 else ''}"
        typer.echo(f"{mark} {device.number:2}  {device.name}  ({channels}, {device.sr} Hz)")
    raise typer.Exit


def live(
    model: Model,
    device: Annotated[
        str | None, typer.Option(help="Number or part of the name of an input device.")
    ] = None,
    channel: Annotated[str, typer.Option(help="mean, or a channel's number from 0.")] = "mean",
    window: Annotated[float, typer.Option(help="Seconds of audio for each row.")] = 3.0,
    hop: Annotated[float, typer.Option(help="Seconds from one row to the next.")] = 1.0,
    smoothing: Annotated[float, typer.Option(help="Seconds to average over; 0 for none.")] = 3.0,
    top_db: Annotated[
        float, typer.Option(help="Level of silence, dB below the loudest so far.")
    ] = 40.0,
    duration: Annotated[
        float | None, typer.Option(help="Seconds to record; until Ctrl-C by default.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write CSV to this path, row by row; - is stdout.")
    ] = None,
    list_devices: Annotated[
        bool,
        typer.Option(
            "--list-devices", callback=_list_devices, is_eager=True, help="Show input devices."
        ),
    ] = False,
    runtime: Runtime = "auto",
    trust: Trust = None,
) -> None:
    """Predict the emotions of what a microphone hears, until Ctrl-C.

    On a terminal, a line shows level and emotions, and the segments follow at the end. Elsewhere
    each row is a line, and comes again, marked as revised, if later speech changes it.

    Example: skser live model.skser --csv talk.csv

    Example: skser live model.skser --device "USB Audio" --duration 60
    """
    from .._utils._param_validation import NONE, check_value, integer, number, one_of
    from ..audio._channels import check_channel
    from ..audio._microphone import Microphone, find_device
    from ..audio._streaming import FrameLevels, resampled
    from ..exceptions import AudioError
    from ..inference import LiveTimeline
    from ..inference._timeline import as_table
    from ..persistence._any_model import load_model
    from ._live_outputs import LastRows, StatusLine, csv_output, view
    from ._outputs import Outputs
    from .timeline import segments_text

    read: Any = int(channel) if channel.isdecimal() else channel
    check_value("channel", read, one_of("mean"), integer(0))
    check_value("duration", duration, number(0, open_low=True), NONE)
    outputs = Outputs([model], csv=csv)
    found = find_device(device)
    check_channel(found.name, found.n_channels, read)
    pipeline = load_model(model, runtime=runtime, trusted=trust or [])
    timeline = LiveTimeline(pipeline, window=window, hop=hop, smoothing=smoothing, top_db=top_db)

    rows = LastRows(timeline.classes)
    shown = view(timeline.classes, stdout_is_taken=csv == Path("-"))
    kept = None if csv is None else csv_output(csv, rows)
    levels = FrameLevels(timeline.sr)
    ended_early: AudioError | None = None

    def take(news: list[TimelineRow]) -> None:
        rows.update(news)
        shown.show(news)
        if kept is not None and news:
            kept.write(news)

    with (
        asked_to_end() as asked,
        _room_for_warnings(shown),
        Microphone(found, read, too_slow=_TOO_SLOW) as microphone,
    ):
        typer.echo(f"recording from {found.name}; Ctrl-C ends", err=True)
        blocks = _first(microphone.blocks(asked.is_set), duration, found.sr)
        try:
            for block in resampled(blocks, found.sr, timeline.sr):
                take(timeline.push(block))
                if len(frames := levels.push(block)):
                    shown.level(timeline.n_samples / timeline.sr, float(frames.max()))
        except AudioError as error:  # the device was unplugged: keep what it has heard
            ended_early = error
    take(timeline.finish())
    shown.clear()
    if csv is not None and csv != Path("-") and len(rows):
        outputs.log(f"wrote {csv}")
    if csv is None and isinstance(shown, StatusLine) and len(rows):
        typer.echo(segments_text(as_table(rows.all(), timeline.classes)))
    if ended_early is not None:
        raise ended_early


def _first(blocks: Iterator[np.ndarray], seconds: float | None, sr: int) -> Iterator[np.ndarray]:
    """The first seconds of blocks, or all."""
    n_left = math.inf if seconds is None else round(seconds * sr)
    for block in blocks:
        yield block[: int(min(n_left, len(block)))]
        n_left -= len(block)
        if n_left <= 0:
            return


@contextmanager
def _room_for_warnings(shown: View) -> Iterator[None]:
    """Clear the line of the terminal before a warning is printed."""
    with warnings.catch_warnings():
        print_warning = warnings.showwarning

        def show(*arguments: Any, **options: Any) -> None:
            shown.clear()
            print_warning(*arguments, **options)

        warnings.showwarning = show
        yield
