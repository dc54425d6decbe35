"""Metrics of an application, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from ._workers import Workers

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """Counts of requests and recordings, in a registry of their own."""

    def __init__(self, workers: Workers) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "skser_requests", "Requests", ["method", "path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "skser_request_seconds",
            "Time to answer a request",
            ["path"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.recordings = Counter(
            "skser_recordings",
            "Recordings, by model and outcome: answered, abstained or unusable",
            ["model", "outcome"],
            registry=registry,
        )
        jobs = Gauge("skser_jobs", "Predictions that run or wait", registry=registry)
        jobs.set_function(lambda: workers.n_active)
        live = Gauge("skser_live_sessions", "Live sessions", registry=registry)
        live.set_function(lambda: workers.n_live)
        ProcessCollector(registry=registry)

    def response(self) -> Response:
        """All metrics."""
        return Response(
            generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
