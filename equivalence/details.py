"""The tensors of a report: one line each, a column for each backend, and the numbers where something differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .judge import Verdict
from .report import Report
from .table import name, number, ratio

_CLASSES = {"same": "good", "differs": "bad", "undecided": "open"}
_SHOWN = 12  # tensors of one backend whose numbers are listed


def details(report: Report, kind: str, heading: str) -> str:
    """A section that opens by itself where something is not the same."""
    groups = {name(report, r): r.verdicts[kind] for r in report.rows if r.verdicts.get(kind)}
    if not groups:
        return ""
    tensors: dict[str, dict[str, Verdict]] = {}
    for backend, verdicts in groups.items():
        for verdict in verdicts:
            tensors.setdefault(verdict.what, {})[backend] = verdict
    wrong = [(b, v) for b, verdicts in groups.items() for v in verdicts if v.outcome != "same"]
    largest = max(v.ratio for verdicts in groups.values() for v in verdicts)
    count = f"{len(tensors)} tensors" if len(tensors) > 1 else "one tensor"
    return (
        f"<section><details{' open' if wrong else ''}><summary><h2>{escape(heading)}</h2>"
        f'<span class="muted">{count}, at most {ratio(largest)} of the allowance</span></summary>'
        f"{_matrix(list(groups), tensors)}{_wrong(wrong)}</details></section>"
    )


def _matrix(backends: Sequence[str], tensors: dict[str, dict[str, Verdict]]) -> str:
    head = "".join(f'<th class="number">{escape(b)}</th>' for b in backends)
    lines = []
    for what, found in sorted(tensors.items(), key=lambda item: -max(v.ratio for v in item[1].values())):
        columns = "".join(_share(found.get(b)) for b in backends)
        lines.append(f"<tr><td><code>{escape(what)}</code></td>{columns}</tr>")
    return (
        f'<div class="scroll"><table class="tensors"><thead><tr><th>tensor</th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _share(v: Verdict | None) -> str:
    """The ratio, as a number and as a bar."""
    if v is None:
        return '<td class="number">-</td>'
    kind = _CLASSES[v.outcome]
    width = 100 * min(v.ratio if math.isfinite(v.ratio) else 1.0, 1.0)
    bar = f'<span class="bar"><span class="{kind}" style="width:{width:.0f}%"></span></span>'
    return f'<td class="number" title="{escape(v.reason)}">{bar}<span class="ratio {kind}">{ratio(v.ratio)}</span></td>'


def _wrong(verdicts: Sequence[tuple[str, Verdict]]) -> str:
    """The numbers of what is not the same, the worst first, some for each backend."""
    lines, shown = [], dict[str, int]()
    for backend, v in sorted(verdicts, key=lambda item: -item[1].ratio):
        shown[backend] = shown.get(backend, 0) + 1
        if shown[backend] <= _SHOWN:
            lines.append(_numbers(backend, v))
    if not lines:
        return ""
    left = sum(max(n - _SHOWN, 0) for n in shown.values())
    more = f'<p class="muted more">and {left} more</p>' if left else ""
    names = ("error", "allowed", "backend has", "float64 has")
    head = "".join(f'<th class="number">{n}</th>' for n in names)
    return (
        '<div class="scroll"><table class="tensors"><thead><tr><th>backend</th><th>tensor</th><th>at</th>'
        f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>{more}"
    )


def _numbers(backend: str, v: Verdict) -> str:
    place = f"[{', '.join(map(str, v.place))}]" if v.place else ""
    texts = (number(v.error), number(v.allowance), f"{v.candidate:.9g}", f"{v.reference:.9g}")
    columns = "".join(f'<td class="number">{t}</td>' for t in texts)
    return f"<tr><td>{escape(backend)}</td><td><code>{escape(v.what)}</code></td><td>{place}</td>{columns}</tr>"
