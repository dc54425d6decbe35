"""What requests have in common: their model, their client and JSON as an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from .._utils._param_validation import did_you_mean
from ._models import ServedModel
from ._problems import Problem

ModelName = Annotated[str | None, Query(description="Name of a model; the first one by default.")]


def check_query(request: HTTPConnection, known: Sequence[str] = ()) -> None:
    """Refuse parameters that the route has not, which would else change nothing unsaid."""
    if not known:
        known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise Problem(422, f"{name!r:.80} is no parameter of this request{hint}")


def find_model(request: Request, name: str | None) -> ServedModel:
    """The model that a request names, or Problem."""
    return model_named(request.app.state.models, name)


def model_named(models: dict[str, ServedModel], name: str | None) -> ServedModel:
    """The model of this name, by default the first one, or Problem."""
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise Problem(404, f"there is no model {name!r:.80}, only {', '.join(models)}")
    return models[name]


def client_of(request: Request) -> str:
    """Address of the client, which has a share of the requests at a time."""
    return request.client.host if request.client else ""


def json_response(content: object) -> Response:
    """Compact JSON; half a name of a file may be no text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(errors="replace"), media_type="application/json")
