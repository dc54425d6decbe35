"""Errors as application/problem+json (RFC 9457), without stack traces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
FAILED = "the service failed; its log says why"
_TITLES = {413: "Content too large", 422: "Unprocessable content"}


class Problem(Exception):
    """A request that is refused."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    @property
    def title(self) -> str:
        """Short words for the status, which are not the same in all versions of Python."""
        return _TITLES.get(self.status) or HTTPStatus(self.status).phrase.capitalize()

    def response(self) -> Response:
        """The response of a server."""
        content = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        text = json.dumps(content, ensure_ascii=False).encode(errors="replace")
        return Response(text, self.status, self.headers, MEDIA_TYPE)
