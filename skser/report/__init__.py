"""The report: an evaluation as one HTML page that needs nothing else."""

from ._writing import write_report

__all__ = ["write_report"]
