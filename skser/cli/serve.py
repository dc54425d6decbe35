"""``skser serve``."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import Runtime, Trust
from ._signals import ended_at_once

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def serve(
    models: Annotated[list[Path], typer.Argument(help="Model files of `skser train`.")],
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is a free one.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="SKSER_API_KEY", help="Key that requests must have.", show_envvar=True),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Web site whose pages may ask, as https://example.org. Repeatable."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Name that requests may give to this server. Repeatable."),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address of a reverse proxy, which tells those of clients. Repeatable."),
    ] = None,
    upload_mb: Annotated[float, typer.Option(help="Largest upload, in MB.")] = 100.0,
    duration_s: Annotated[float, typer.Option(help="Longest recording, in seconds.")] = 3600.0,
    files: Annotated[int, typer.Option(help="Most recordings of a request.")] = 64,
    requests: Annotated[
        int | None,
        typer.Option(
            help="Most requests at a time. A client may have half of these and --queue together.",
            show_default="2 per core",
        ),
    ] = None,
    queue: Annotated[
        int,
        typer.Option(
            help="Most requests that wait. A client may have half of these and --requests together."
        ),
    ] = 32,
    live_sessions: Annotated[int, typer.Option(help="Most live sessions at a time.")] = 32,
    timeout_s: Annotated[float, typer.Option(help="Longest time for a request, in seconds.")] = 300,
    runtime: Runtime = "auto",
    trust: Trust = None,
) -> None:
    """Answer requests over HTTP, with a page in the browser.

    The first model answers requests that name none. On a loopback address, only the names of this
    machine and those of --allow-host are answered, so that no web site reaches the service.

    Example: skser serve model.skser

    Example: SKSER_API_KEY=secret skser serve model.skser other.skser --host 0.0.0.0 --port 80
    """
    # Each request has a thread; more threads for each would only get into each other's way.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from ..exceptions import MissingDependencyError, ParameterError

    # typer takes an empty variable for none, but an empty secret must not open the service.
    if api_key is None and "SKSER_API_KEY" in os.environ:
        raise ParameterError(
            "SKSER_API_KEY is empty; it must be one or more visible ASCII characters without "
            "spaces, or unset for a service open to all"
        )
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"skser serve needs {error.name}: python -m pip install 'skser[serve]'"
        ) from None
    from ..serving import Limits, create_app
    from ..serving._guard import check_access
    from ..serving._models import ServedModel

    limits: dict[str, Any] = {
        "upload_mb": upload_mb,
        "duration_s": duration_s,
        "files": files,
        "queue": queue,
        "live_sessions": live_sessions,
        "timeout_s": timeout_s,
    }
    if requests is not None:
        limits["requests"] = requests
    hosts = [*_LOOPBACK, *(allow_host or [])] if host in _LOOPBACK else allow_host
    # Before models are loaded.
    checked, proxies = Limits(**limits), _checked_proxies(proxy or [])
    check_access(api_key, origin or [], allow_host)
    _check_address(host, port)
    with ended_at_once():
        app = create_app(
            [ServedModel(path, runtime=runtime, trusted=trust or []) for path in models],
            limits=checked,
            api_key=api_key,
            origins=origin or [],
            hosts=hosts,
        )
    if api_key is None and host not in _LOOPBACK:
        typer.echo(
            "skser: warning: everybody who reaches this address may ask; SKSER_API_KEY sets a key",
            err=True,
        )
    _run(app, host, port, proxies)


def _check_address(host: str, port: int) -> None:
    import socket

    from ..exceptions import ParameterError

    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # a port whose last connections have ended is free
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = "; choose another --port" if error.errno == errno.EADDRINUSE else ""
        raise ParameterError(f"cannot listen at {host}, port {port}: {reason}{remedy}") from None


def _checked_proxies(addresses: list[str]) -> list[str]:
    from ipaddress import ip_network

    from ..exceptions import ParameterError

    try:
        for address in addresses:
            ip_network(address)
    except ValueError as error:
        raise ParameterError(f"proxy must be IP addresses or networks, got {error}") from None
    return addresses


def _run(app: FastAPI, host: str, port: int, proxies: list[str]) -> None:
    from uvicorn.config import LOGGING_CONFIG, Config

    from ..serving._connections import settings
    from ..serving._server import DrainingServer, WithoutSockets

    to_stderr = {"handlers": ["default"], "level": "INFO", "propagate": False}
    loggers = {**LOGGING_CONFIG["loggers"], "skser.serving": to_stderr}
    loggers["uvicorn.error"] = {**loggers["uvicorn.error"], "filters": ["sockets"]}
    filters = {"sockets": {"()": WithoutSockets}}
    config = Config(
        app,
        host=host,
        port=port,
        log_config={**LOGGING_CONFIG, "loggers": loggers, "filters": filters},
        access_log=False,  # it would have queries; skser.serving logs the paths of routes
        server_header=False,
        timeout_graceful_shutdown=5,
        **(settings() | {"proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}),
    )
    DrainingServer(config, app.state.workers).run()
