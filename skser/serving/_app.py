"""create_app: models as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from .._utils._types import PathLike
from .._version import __version__
from . import _timeline
from ._docs import DESCRIPTION, EXAMPLES, docs_page
from ._guard import Access, ApiKey, BoundBodies, Observe, check_access
from ._limits import Limits
from ._live import live
from ._metrics import Metrics
from ._models import ServedModel, load_models
from ._problems import Problem
from ._requests import ModelName, check_query, client_of, find_model, json_response
from ._uploads import read_uploads
from ._workers import RETRY, Workers

__all__ = ["create_app"]

_DETAILS = {
    404: "there is nothing at this address; /docs has all addresses",
    405: "this address does not answer this method; /docs has the methods",
}
PAGE = Path(__file__).with_name("page")


def create_app(
    models: Sequence[PathLike | ServedModel],
    *,
    limits: Limits = Limits(),  # noqa: B008  # it is frozen
    api_key: str | None = None,
    origins: Sequence[str] = (),
    hosts: Sequence[str] | None = None,
) -> FastAPI:
    """Make a web application that predicts with models.

    Parameters
    ----------
    models : sequence of paths
        Model files, each named by its stem; the first one answers requests that name none.
    limits : Limits, default=Limits()
        What a client may ask for, and how much at a time.
    api_key : str or None, default=None
        Key that requests for predictions and metrics must have. None lets anyone ask.
    origins : sequence of str, default=()
        Web sites, as ``"https://example.org"``, whose pages may use the service.
    hosts : sequence of str or None, default=None
        Names in the header ``Host`` that are answered. None answers all.

    Returns
    -------
    app : FastAPI
        An ASGI application, for uvicorn or another server.

    Raises
    ------
    ModelError
        A file is not a model file, or is damaged.
    ParameterError
        There is no model, or two have one name; the key cannot be sent in a header; an origin or a
        host is not one.

    See Also
    --------
    skser.predict_table : Predict recordings without a server.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> import skser
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.serving import Limits, create_app
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> features = skser.FeatureUnionExtractor(["rms"])
    >>> pipeline = make_pipeline(skser.AudioLoader(), features, LogisticRegression())
    >>> skser.save(pipeline.fit(speech.waveforms, speech.target), "model.skser")
    >>> app = create_app(["model.skser"], limits=Limits(upload_mb=20))
    >>> app.title
    'skser'
    """
    check_access(api_key, origins, hosts)
    key = ApiKey(api_key)
    served, workers = load_models(models), Workers(limits)
    metrics = Metrics(workers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        workers.close()

    app = FastAPI(
        title="skser",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.models, app.state.limits, app.state.workers = served, limits, workers
    app.state.metrics, app.state.api_key = metrics, key
    for kind in (Problem, HTTPException, RequestValidationError, ClientDisconnect):
        app.add_exception_handler(kind, _refuse)
    app.add_middleware(BoundBodies, limits)
    app.add_middleware(Access, key, origins, hosts)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.rstrip("/").lower() for origin in origins],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        )
    app.add_middleware(Observe, metrics)
    app.add_api_route("/v1/predict", predict, methods=["POST"], openapi_extra=EXAMPLES["predict"])
    app.include_router(_timeline.router)
    app.add_api_route("/v1/models", list_models)
    app.add_api_route("/v1/models/{name}", describe_model)
    app.add_api_route("/healthz", healthz)
    app.add_api_route("/readyz", readyz)
    app.add_api_route("/metrics", prometheus)
    app.add_api_websocket_route("/v1/live", live)
    app.add_api_route("/docs", docs, include_in_schema=False)
    app.add_api_route("/", page, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=PAGE, check_dir=False))
    return app


async def predict(
    request: Request,
    model: ModelName = None,
    abstain_below: Annotated[
        float | None, Query(ge=0, le=1, description="Name no emotion less probable than this.")
    ] = None,
) -> Response:
    """Predict the emotion of recordings, with the probabilities of all emotions."""
    check_query(request)
    state = request.app.state
    served, client = find_model(request, model), client_of(request)
    state.workers.check_room(client)
    uploads = await read_uploads(request, state.limits.files)
    cancelled = Event()
    try:
        answers = await state.workers.run(
            lambda: served.answers(uploads, state.limits, cancelled, abstain_below=abstain_below),
            client=client,
            cancelled=cancelled,
            gone=request.receive,
        )
    except Problem as problem:
        if "file" in problem.members:  # no recording could be predicted
            state.metrics.recordings.labels(served.name, "unusable").inc(len(uploads))
        raise
    for answer in answers:
        outcome = "abstained" if answer["abstained"] else "answered"
        outcome = "unusable" if answer["error"] else outcome
        state.metrics.recordings.labels(served.name, outcome).inc()
    return json_response({"model": served.identity, "predictions": answers})


async def list_models(request: Request) -> Response:
    """The models, of which the first one is the default."""
    models = request.app.state.models.values()
    rows = [_summary(request, model) for model in models]
    return json_response({"models": rows})


async def describe_model(request: Request, name: str) -> Response:
    """A model, with its card, the limits of the service and what `skser info --json` writes."""
    served = find_model(request, name)
    more = {"card": served.card, "limits": asdict(request.app.state.limits), "info": served.info}
    return json_response(_summary(request, served) | more)


async def healthz() -> Response:
    """Whether the process is alive."""
    return json_response({"status": "alive"})


async def readyz(request: Request) -> Response:
    """Whether requests are answered; 503 while the service shuts down."""
    if request.app.state.workers.is_draining:
        raise Problem(503, "the service is shutting down", headers=RETRY)
    return json_response({"status": "ready"})


async def prometheus(request: Request) -> Response:
    """Metrics in the text format of Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return metrics.response()


async def docs(request: Request) -> Response:
    return Response(docs_page(request.app.openapi()), media_type="text/html; charset=utf-8")


async def page() -> Response:
    return FileResponse(PAGE / "index.html")


def _summary(request: Request, model: ServedModel) -> dict[str, Any]:
    is_default = model is next(iter(request.app.state.models.values()))
    return {**model.identity, "emotions": model.emotions, "default": is_default}


async def _refuse(_: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, HTTPException):
        detail = _DETAILS.get(error.status_code, error.detail)
        return Problem(error.status_code, detail, headers=error.headers).response()
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return Problem(422, f"{first['loc'][-1]}: {first['msg']}").response()
    return Response(status_code=499)  # the client has gone
