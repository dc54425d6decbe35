"""``POST /v1/timeline``: emotions over the time of a recording, in four formats."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from threading import Event
from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from ..inference import to_srt, to_textgrid
from ..inference._timeline_formats import csv_parts, json_parts
from ._docs import EXAMPLES
from ._limits import LONGEST_SMOOTHING
from ._problems import Problem
from ._requests import ModelName, check_query, client_of, find_model
from ._uploads import read_uploads
from ._workers import unless_gone

router = APIRouter()

Parts = Iterable[pd.DataFrame]
Format = Literal["json", "csv", "textgrid", "srt"]


def _whole(convert: Callable[[pd.DataFrame], str]) -> Callable[[Parts], Iterator[str]]:
    def texts(parts: Parts) -> Iterator[str]:
        yield convert(pd.concat(list(parts), ignore_index=True))

    return texts


_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "textgrid": "text/x-textgrid",
    "srt": "application/x-subrip",
}
_WRITERS: dict[str, Callable[[Parts], Iterator[str]]] = {
    "json": json_parts,
    "csv": csv_parts,
    "textgrid": _whole(to_textgrid),
    "srt": _whole(to_srt),
}


@router.post("/v1/timeline", openapi_extra=EXAMPLES["timeline"])
async def timeline(
    request: Request,
    model: ModelName = None,
    window: Annotated[
        float, Query(ge=0.1, allow_inf_nan=False, description="Seconds of audio for each row.")
    ] = 3.0,
    hop: Annotated[
        float, Query(ge=0.1, allow_inf_nan=False, description="Seconds from one row to the next.")
    ] = 1.0,
    smoothing: Annotated[
        float,
        Query(
            ge=0,
            le=LONGEST_SMOOTHING,
            allow_inf_nan=False,
            description="Seconds to average over; 0 for none.",
        ),
    ] = 3.0,
    top_db: Annotated[
        float,
        Query(gt=0, allow_inf_nan=False, description="Level of silence, dB below the loudest."),
    ] = 40.0,
    format: Annotated[Format | None, Query(description="Overrides the header Accept.")] = None,
) -> Response:
    """Predict emotions over the time of one recording, in rows that come as they are predicted."""
    check_query(request)
    state = request.app.state
    served, client = find_model(request, model), client_of(request)
    name = format or _accepted(request.headers.get("accept", "*/*"))
    state.workers.check_room(client)
    uploads = await read_uploads(request, 1)
    cancelled = Event()
    parameters = {"window": window, "hop": hop, "smoothing": smoothing, "top_db": top_db}
    parts = served.timeline(uploads[0], state.limits, cancelled, **parameters)
    texts = state.workers.stream(
        _encoded(_WRITERS[name](parts)), client=client, cancelled=cancelled
    )
    # Errors of the recording come before the first row, while there is still a status to set.
    first = await unless_gone(anext(texts, b""), request.receive)
    return StreamingResponse(_continued(first, texts), media_type=_TYPES[name])


def _encoded(texts: Iterator[str]) -> Generator[bytes, None, None]:
    for text in texts:
        yield text.encode()


async def _continued(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for text in rest:
        yield text


def _accepted(header: str) -> Format:
    """The format that a client prefers."""
    ranges: list[tuple[float, str]] = []
    for part in header.split(","):
        kind, *options = (text.strip().lower() for text in part.split(";"))
        given = next((text[2:] for text in options if text.startswith("q=")), "1")
        is_number = given.replace(".", "", 1).isdecimal()
        ranges.append((float(given) if is_number else 0.0, kind))
    for weight, kind in sorted(ranges, key=lambda pair: -pair[0]):
        for name, offered in _TYPES.items():
            if weight > 0 and kind in (offered, "*/*", f"{offered.partition('/')[0]}/*"):
                return name  # type: ignore[return-value]
    raise Problem(406, f"a timeline can be {', '.join(_TYPES.values())}")
