"""Studies in memory, of which Optuna does not say that it made them."""

from __future__ import annotations

from typing import Any

import optuna


def silent_study(sampler: Any = None) -> optuna.Study:
    """An empty study that maximises."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(before)
