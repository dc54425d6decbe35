"""``skser plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Trust


def plot(
    file: Annotated[str, typer.Argument(help="Recording; - for stdin.")],
    out: Annotated[Path, typer.Option(help="Picture to write: .png, .svg or .pdf.")],
    model: Annotated[
        Path | None, typer.Option(help="Show the probabilities of this model too.")
    ] = None,
    trust: Trust = None,
) -> None:
    """Draw the waveform, spectrogram and MFCC of a recording and, with --model, its emotions.

    Example: skser plot my_recording.wav --model model.skser --out my_recording.png
    """
    from .._utils._files import check_apart, check_writable, written_whole
    from .._utils._param_validation import check_value, one_of
    from ..persistence._any_model import load_model
    from ..plotting import ClipDisplay
    from ._stdin import recording_of

    check_value("the suffix of --out", out.suffix.lower(), one_of(".png", ".svg", ".pdf"))
    check_writable(out)
    check_apart([out], [Path(file)] if model is None else [Path(file), model])
    pipeline = None if model is None else load_model(model, trusted=trust or [])
    with recording_of(file) as recording:
        if pipeline is None:
            display = ClipDisplay.from_recording(recording)
        else:
            display = ClipDisplay.from_estimator(pipeline, recording)
    with written_whole(out) as temporary:
        display.figure_.savefig(temporary, dpi=150)
    typer.echo(f"wrote {out}")
