"""Studies in memory, without Optuna's log message."""

from __future__ import annotations

from typing import Any

import optuna


def silent_study(sampler: Any = None) -> optuna.Study:
    """Create an empty study that maximises."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(before)
