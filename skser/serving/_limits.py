"""Limits of a service: what a client may ask for, and how much at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields

from .._utils._param_validation import check_value, integer, number

__all__ = ["Limits"]

_MB = 2**20
LONGEST_SMOOTHING = 600.0  # seconds, since the work for each row grows with it
_WAITING_UPLOADS = 8  # uploads of the largest size that are in memory at a time


def _two_per_core() -> int:
    return 2 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Limits:
    """Limits of a service, each of which is refused with an error of its own.

    Parameters
    ----------
    upload_mb : float, default=100.0
        Largest body of a request, in units of 2**20 bytes. All bodies in memory together may have
        eight times as much.
    duration_s : float, default=3600.0
        Longest recording in seconds.
    files : int, default=64
        Most recordings of a request.
    requests : int, default=2 * number of cores
        Most requests that are answered at a time.
    queue : int, default=32
        Most requests that wait to be answered. A client may have half of both together.
    live_sessions : int, default=32
        Most live sessions at a time.
    timeout_s : float, default=300.0
        Longest time for a request in seconds.

    Examples
    --------
    >>> from skser.serving import Limits
    >>> Limits(upload_mb=20, files=8).files
    8
    """

    upload_mb: float = 100.0
    duration_s: float = 3600.0
    files: int = 64
    requests: int = field(default_factory=_two_per_core)
    queue: int = 32
    live_sessions: int = 32
    timeout_s: float = 300.0

    def __post_init__(self) -> None:
        positive, count = number(0, open_low=True), integer(1)
        allowed = {"upload_mb": positive, "duration_s": positive, "timeout_s": positive}
        allowed |= {"queue": integer(0), "live_sessions": integer(0)}
        for limit in fields(self):
            check_value(limit.name, getattr(self, limit.name), allowed.get(limit.name, count))

    @property
    def upload_bytes(self) -> int:
        """Largest body of a request."""
        return int(self.upload_mb * _MB)

    @property
    def all_upload_bytes(self) -> int:
        """Bodies in memory, of all requests together."""
        return _WAITING_UPLOADS * self.upload_bytes
