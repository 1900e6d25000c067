"""Run the same program everywhere, judge it, find where it parts, report."""

from .compare import compare
from .judge import Verdict
from .report import Divergence, Report, Row

__all__ = ["Divergence", "Report", "Row", "Verdict", "compare"]
