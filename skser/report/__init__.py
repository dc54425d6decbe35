"""The report: an evaluation as one HTML page that loads nothing else."""

from ._findings import write_report

__all__ = ["write_report"]
