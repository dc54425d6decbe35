"""Recordings of a request, as its body or as parts of a form, in memory alone."""

from __future__ import annotations

from typing import NamedTuple

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ._problems import Problem

PART = "files"


class Upload(NamedTuple):
    """A recording of a request, with the name that the client gave it."""

    name: str | None
    content: bytes


class _InMemory(MultiPartParser):
    spool_max_size = 0  # no size is too large for memory; the body has a limit of its own


async def read_uploads(request: Request, most: int) -> list[Upload]:
    """The recordings of a request, at most so many."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return [Upload(None, await request.body())]
    # Without its charset, which may name any codec of Python: names of files are UTF-8 or Latin-1.
    boundary = parse_options_header(kind)[1].get(b"boundary", b"").decode("latin-1")
    if not boundary or '"' in boundary:
        raise Problem(400, "the form cannot be read (its boundary is missing)")
    headers = Headers({"Content-Type": f'multipart/form-data; boundary="{boundary}"'})
    parser = _InMemory(headers, request.stream(), max_files=most, max_fields=0)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            noun = "recording" if most == 1 else "recordings"
            raise Problem(413, f"there may be {most} {noun} in a request") from None
        if error.message.startswith("Too many fields"):
            raise Problem(422, "each part of the form must be a file, with its name") from None
        raise Problem(400, f"the form cannot be read ({error.message})") from None
    uploads = []
    try:
        for name, part in form.multi_items():
            if name != PART or not isinstance(part, UploadFile):
                raise Problem(
                    422, f"the parts of the form must be named {PART!r}, got {name!r:.80}"
                )
            uploads.append(Upload(part.filename, part.file.read()))
    finally:
        await form.close()
    if not uploads:
        raise Problem(422, f"the form has no part named {PART!r}")
    return uploads
