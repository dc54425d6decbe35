"""How many recordings stay without a label for want of confidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Abstention:
    """Counts of predictions below a threshold, None for no threshold."""

    threshold: float | None
    n: int = 0
    n_below: int = 0
    highest: float = 0.0

    def is_below(self, confidence: float) -> bool:
        """Whether a prediction with this confidence has no label."""
        return self.threshold is not None and confidence < self.threshold

    def count(self, confidence: float) -> None:
        """Count a prediction with this confidence."""
        self.n += 1
        self.n_below += self.is_below(confidence)
        self.highest = max(self.highest, confidence)

    def warning(self) -> str | None:
        """What to say if more than half of the recordings have no label."""
        if self.n_below <= self.n / 2:
            return None
        return (
            f"{self.n_below} of {self.n} recordings are below --abstain-below {self.threshold:g}; "
            f"the highest probability is {self.highest:.2f}"
        )
