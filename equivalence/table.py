"""The rows of a report as aligned text, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .judge import Verdict
from .report import KINDS, Report, Row

HEADINGS = {"outputs": "outputs", "gradients": "gradients", "loss": "loss curve", "parameters": "parameters"}


def text_table(report: Report) -> str:
    """One line a backend; errors stand beneath, since they are long."""
    columns = columns_of(report)
    lines = [columns, *(cells(report, row) for row in report.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    rule = ["-" * w for w in widths]
    text = [_line(line, widths) for line in [lines[0], rule, *lines[1:]]]
    notes = [f"{name(report, r)}: {note(r)}" for r in report.rows if note(r)]
    return "\n".join([*text, *([""] if notes else []), *notes])


def columns_of(report: Report) -> list[str]:
    trained = report.what == "training"
    kinds = [HEADINGS[k] for k in HEADINGS if any(k in r.verdicts for r in report.rows)]
    return [
        "backend", "version", "device", *(["loss"] if report.what != "inference" else []),
        *(["test accuracy"] if report.right is not None else []), *kinds,
        "time per step" if trained else "time per run", "verdict",
    ]  # fmt: skip


def cells(report: Report, row: Row) -> list[str]:
    """The texts of a row, in the order of the columns."""
    kinds = [k for k in HEADINGS if any(k in r.verdicts for r in report.rows)]
    found = [name(report, row), row.version or "-", row.device or "-"]
    if report.what != "inference":
        found.append(f"{row.losses[-1]:.7g}" if row.losses else "-")
    if report.right is not None:
        found.append("-" if row.right is None else f"{row.right}/{report.tested}")
    found += [measure(row.worst(k)) for k in kinds]
    return [*found, seconds(row.seconds), row.status]


def name(report: Report, row: Row) -> str:
    several = len({r.model for r in report.rows}) > 1
    return f"{row.model} on {row.backend}" if several else row.backend


def note(row: Row) -> str:
    """What a reader of a row must know besides: its error, or what decided against it first, and what else did."""
    if row.error:
        return row.error
    against = [(k, v) for k in KINDS if (v := row.worst(k)) is not None and v.outcome != "same"]
    if not against:
        return ""
    others = ", ".join(HEADINGS.get(k, "test accuracy") for k, _ in against[1:])
    return f"{against[0][1]}" + (f"; and so {others}" if others else "")


def measure(verdict: Verdict | None) -> str:
    """The ratio of error to allowance, and the error."""
    if verdict is None:
        return "-"
    return f"{ratio(verdict.ratio)} ({number(verdict.error)})"


def ratio(value: float) -> str:
    if not math.isfinite(value):
        return "inf"
    if 0 < value < 0.01:
        return "<0.01"
    if value < 10:
        return f"{max(value, 1.01):.2f}" if value > 1 else f"{value:.2f}"  # what is beyond does not read as 1.00
    return f"{value:,.0f}" if value < 1e5 else f"{value:.0e}"


def number(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}" if math.isfinite(value) else str(value)


def seconds(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(t.ljust(w) for t, w in zip(texts, widths, strict=True)).rstrip()
