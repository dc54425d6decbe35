"""create_app: models as an ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from .._utils._types import PathLike
from .._version import __version__
from ._limits import Limits
from ._models import ServedModel, Upload, load_models, to_json
from ._problems import Problem
from ._workers import Cancelled, Workers

__all__ = ["create_app"]

PAGE = Path(__file__).with_name("page")


def create_app(
    models: Sequence[PathLike | ServedModel],
    *,
    limits: Limits = Limits(),  # noqa: B008  # it is frozen
    api_key: str | None = None,
    origins: Sequence[str] = (),
    hosts: Sequence[str] | None = None,
) -> FastAPI:
    """Make a web application that predicts with models."""
    app = FastAPI(title="skser", version=__version__, docs_url=None, redoc_url=None)
    app.state.models = load_models(models)
    app.state.limits = limits
    app.state.workers = Workers(limits)
    app.add_exception_handler(Problem, _refuse)

    @app.post("/v1/predict")
    async def predict(
        request: Request,
        model: Annotated[str | None, Query()] = None,
        abstain_below: Annotated[float | None, Query(ge=0, le=1)] = None,
    ) -> Response:
        served = _model(app, model)
        uploads = [Upload(None, await request.body())]
        cancelled = Event()

        def answer() -> list[dict[str, Any]]:
            answers = []
            for upload in uploads:
                if cancelled.is_set():
                    raise Cancelled
                answers.append(
                    served.answer(upload, abstain_below=abstain_below, duration_s=limits.duration_s)
                )
            return answers

        answers = await app.state.workers.run(
            answer, client=_client(request), cancelled=cancelled, gone=request.receive
        )
        if all(answer["error"] is not None for answer in answers):
            raise Problem(422, answers[0]["error"], file=answers[0]["file"])
        return Response(
            to_json({"model": served.identity, "predictions": answers}),
            media_type="application/json",
        )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    # The socket: app.add_api_websocket_route("/v1/live", live), with live from ._live.

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGE / "index.html")

    app.mount("/static", StaticFiles(directory=PAGE, check_dir=False))
    return app


def _model(app: FastAPI, name: str | None) -> ServedModel:
    models: dict[str, ServedModel] = app.state.models
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise Problem(404, f"there is no model {name!r:.80}; there are {', '.join(models)}")
    return models[name]


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()
